/**
 * The shares of a vertex that are on one partition, called together: one call carries what is for all of them, and one answer what they give. Each
 * is a key of its own all the same, with its own lock, memory and place: where they have moved apart, the next batch calls them apart.
 */
import { concatRows, NO_ROWS, type Rows } from "../../dataflow/columns/rows.ts";
import { invariant } from "../assert.ts";
import type { Peer } from "../wire/messages.ts";
import { shardKey } from "./flow-state.ts";
import { type FlowContext, SHARD, SHARES } from "./internal.ts";
import type { Payload } from "./payload.ts";
import type { ShardHead, ShardResult } from "./shard.ts";

/** What a batch tells them beside their rows, which stand one behind the other in the order of the shares. */
export interface SharesHead extends ShardHead {
  /** Their numbers. */
  readonly shards: readonly number[];
  /** By input, and then by share: how many rows it has. */
  readonly counts: ReadonlyArray<readonly number[]>;
}
export interface SharesResult {
  /** By share. */
  readonly results: readonly ShardResult[];
}

/** Numbers of shares that are called together, each list in its order. */
export function byPlace(ctx: FlowContext, { flow, id }: ShardHead, shards: readonly number[]): number[][] {
  const places = new Map<Peer, number[]>();
  const alone: number[][] = [];
  for (const shard of shards) {
    const place = ctx.placeOf(shardKey(flow, id, shard));
    const known = places.get(place);
    if (known !== undefined) known.push(shard);
    else if (ctx.takesShares(place)) places.set(place, [shard]);
    else alone.push([shard]);
  }
  return [...places.values(), ...alone];
}

/** Calls shares that are on one partition. @param rows by input, of all of them */
export async function callShares(ctx: FlowContext, head: SharesHead, rows: readonly Rows[]): Promise<Payload> {
  const { shards, counts: _counts, ...own } = head;
  const [first] = shards;
  invariant(first !== undefined, "6: no share is called");
  const key = shardKey(head.flow, head.id, first);
  if (shards.length > 1) return ctx.ask(SHARES, key, "apply", { head, rows });
  const answer = await ctx.ask(SHARD, key, "apply", { head: own satisfies ShardHead, rows });
  return { head: { results: [answer.head as ShardResult] } satisfies SharesResult, rows: answer.rows };
}

/** Hands out to each share what is its own. They are on this partition, so nothing of it is sent any more. */
export async function applyShares(ctx: FlowContext, { head, rows }: Payload): Promise<Payload> {
  const { shards, counts, ...own } = head as SharesHead;
  const from = counts.map(() => 0);
  const answers = await Promise.all(
    shards.map((shard, at) => {
      const parts = rows.map((each, input) => {
        const begin = from[input] as number;
        const end = begin + (counts[input]?.[at] as number);
        from[input] = end;
        return begin === end ? NO_ROWS : each.slice(begin, end);
      });
      return ctx.ask(SHARD, shardKey(own.flow, own.id, shard), "apply", { head: own satisfies ShardHead, rows: parts });
    }),
  );
  const given = concatRows(answers.flatMap((answer) => answer.rows));
  const results = answers.map((answer) => answer.head as ShardResult);
  return { head: { results } satisfies SharesResult, rows: given.length === 0 ? [] : [given] };
}
