/** Lists that are only appended to: what a transaction reads tells which others came before it, and in which order. */
import { contract, type FnContext, fn, noData, query, service } from "../../../sdk/index.ts";
import * as z from "zod";
import { dawdle } from "./pause.ts";

const operation = z.union([
  z.tuple([z.literal("append"), z.string(), z.number()]),
  z.tuple([z.literal("read"), z.string(), z.null()]),
]);
const list = z.array(z.number());
const operations = z.object({ operations: z.array(operation).min(1), refuse: z.boolean() });
/** By position: the list that a read showed, `null` for an append. */
const results = z.array(list.nullable());
const refusals = { unwanted: noData };

export type ListOperation = z.infer<typeof operation>;
export type ListResults = z.infer<typeof results>;

export const Lists = contract("lists", {
  append: fn({ input: z.object({ value: z.number() }) }),
  read: query({ output: list }),
  readAll: query({ input: z.object({ keys: z.array(z.string()) }), output: z.array(list) }),
  /** Performs the operations one after the other by calls. */
  sequence: fn({ input: operations, output: results, refusals }),
  /** Each key's function performs one operation itself and calls the next key for the rest. Runs on the first operation's key. */
  chain: fn({ input: operations, output: results, refusals }),
  /** Performs those of different keys at once. */
  spread: fn({ input: operations, output: results, refusals }),
});

type State = { items: number[] };
type Context = FnContext<State, {}, typeof refusals>;

export const lists = service(
  Lists,
  { state: (): State => ({ items: [] }) },
  {
    append(ctx, { value }) {
      ctx.state.items.push(value);
    },
    read: (ctx) => [...ctx.state.items],
    readAll: (ctx, { keys }) =>
      Promise.all(
        keys.map(async (key) => {
          await dawdle(ctx);
          return ctx.call(Lists, key).read();
        }),
      ),
    async sequence(ctx, { operations: all, refuse }) {
      const shown: ListResults = [];
      for (const one of all) shown.push(await perform(ctx, one));
      return end(ctx, shown, refuse);
    },
    async chain(ctx, { operations: [own, ...rest], refuse }) {
      const shown: ListResults = [own ? performHere(ctx, own) : null];
      await dawdle(ctx);
      const [next] = rest;
      if (!next) return end(ctx, shown, refuse);
      return [...shown, ...(await ctx.call(Lists, next[1]).chain({ operations: rest, refuse }))];
    },
    async spread(ctx, { operations: all, refuse }) {
      const shown: ListResults = all.map(() => null);
      const keys = [...new Set(all.map(([, key]) => key))];
      await Promise.all(
        keys.map(async (key) => {
          for (const [at, one] of all.entries()) if (one[1] === key) shown[at] = await perform(ctx, one);
        }),
      );
      return end(ctx, shown, refuse);
    },
  },
);

/** The last one decides whether all was wanted. */
function end(ctx: Context, shown: ListResults, refuse: boolean): ListResults {
  if (refuse) throw ctx.refuse("unwanted");
  return shown;
}

async function perform(ctx: Context, [op, key, value]: ListOperation): Promise<number[] | null> {
  await dawdle(ctx);
  if (op === "read") return ctx.call(Lists, key).read();
  await ctx.call(Lists, key).append({ value });
  return null;
}

function performHere(ctx: Context, [op, , value]: ListOperation): number[] | null {
  if (op === "read") return [...ctx.state.items];
  ctx.state.items.push(value);
  return null;
}
