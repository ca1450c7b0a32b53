/** A flow that ends in each way there is: a queue, a webhook, a service that may refuse the whole batch; and a stream that has the order of its events. */
import {
  contract,
  flow,
  type FlowDefinition,
  fn,
  int64,
  noData,
  query,
  service,
  type ServiceDefinition,
  sinks,
  stream,
} from "../../../sdk/index.ts";
import { anything } from "../../clients/schema.ts";
import { counted } from "../../world/functions.ts";
import { RULES } from "../app.ts";
import { fields, type FlowEvent } from "../model/events.ts";

export const Sold = stream("flow-sold", fields);
export const SoldLog = stream("sold-log", { n: int64() });
export const ENDS_FLOW = "ends";

/** An end in the world outside. What it does is simulated (world/outside.ts). */
export interface EndRules {
  /** Of what comes, what it is given. */
  readonly wants: (event: Pick<FlowEvent, "v">) => boolean;
  /** Events in a delivery. */
  readonly most: number;
  /** Events come in their order: one delivery is under way at a time. */
  readonly inOrder: boolean;
}
export const ENDS = {
  queued: { wants: ({ v }) => v >= 0, most: 100, inOrder: true },
  hooked: { wants: ({ v }) => v < 5, most: 2, inOrder: false },
} as const satisfies Readonly<Record<string, EndRules>>;
export type EndName = keyof typeof ENDS;

/** An event with which no batch is taken. */
export const isBarred = ({ v }: Pick<FlowEvent, "v">): boolean => v === 6;
/** An event that its end never takes under the first key under which it comes. */
export const isUnwelcome = (v: number): boolean => v === 3;
/** An event for which its end has to be asked twice. */
export const isRepeated = (v: number): boolean => v === 1;

const gates = contract("fg", {
  admit: fn({ input: anything<{ n: number; v: number }>(), refusals: { barred: noData } }),
  seen: query({ output: anything<readonly number[]>() }),
  all: query({ input: anything<readonly string[]>(), output: anything<Record<string, readonly number[]>>() }),
});

export function gateService(): ServiceDefinition {
  return service(
    gates,
    { state: (): { admitted: number[] } => ({ admitted: [] }) },
    {
      admit(ctx, { n, v }) {
        if (isBarred({ v })) throw ctx.refuse("barred");
        ctx.state.admitted.push(n);
      },
      seen: ({ state }) => [...state.admitted],
      all: (ctx, keys) =>
        counted(async () => {
          const seen = await Promise.all(keys.map((key) => ctx.call(gates, key).seen()));
          return Object.fromEntries(keys.map((key, at) => [key, seen[at] as readonly number[]]));
        }),
    },
  );
}

export function endsFlow(): FlowDefinition {
  const sold = flow(ENDS_FLOW).from(Sold, { time: "at", outOfOrderness: RULES.outOfOrderness });
  const retries = { attempts: 4, delay: 15, maxDelay: 60 };
  return sinks(
    sold.map((e) => ({ n: e.n })).toStream(SoldLog),
    sold.filter((e) => e.v.ge(0)).toQueue("queued", { binding: "QUEUE", retries }),
    sold
      .filter((e) => e.v.lt(5))
      .toWebhook("hooked", {
        url: "https://example.com",
        secret: "SECRET",
        batch: ENDS.hooked.most,
        atATime: 2,
        onFull: "dead-letter",
        retries,
      }),
    // Behind all others: what they were given is undone with the batch.
    sold.call(gates, "admit", {
      key: (e) => e.k,
      input: (e) => ({ n: Number(e.n), v: Number(e.v) }),
      onRefusal: "abort-batch",
    }),
  );
}
