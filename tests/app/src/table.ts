/** A table of rows that is split over two keys, and transactions on it that go on only when the test opens the gate of the next step. */
import { collection, contract, type FnContext, fn, noData, query, service } from "../../../sdk/index.ts";
import * as z from "zod";
import { atGate, note } from "./gates.ts";
import { matches, type Predicate, type RowOperation, type Rows, type RowsSeen } from "./row-operation.ts";

const where = z.union([z.literal("all"), z.object({ is: z.number() }), z.object({ divisibleBy: z.number() })]);
const rows = z.array(z.tuple([z.number(), z.number()]));

export const Table = contract("table", {
  read: query({ input: z.object({ row: z.number() }), output: z.number().nullable() }),
  select: query({ input: z.object({ where }), output: rows }),
  write: fn({ input: z.object({ row: z.number(), value: z.number() }) }),
  increase: fn({ input: z.object({ row: z.number(), by: z.number() }) }),
  delete: fn({ input: z.object({ where }) }),
  /** Runs operations on the rows under two keys, each when its gate `<name>/<number>` is open. Its own key keeps nothing. */
  transaction: fn({
    input: z.object({ name: z.string(), keys: z.tuple([z.string(), z.string()]), operations: z.array(z.any()) }),
    output: z.any(),
    refusals: { aborted: noData },
  }),
});

const collections = { rows: collection<number, number>() };
type Context = FnContext<undefined, typeof collections, { aborted: typeof noData }>;

export const table = service(
  Table,
  { state: () => undefined, collections },
  {
    read: (ctx, { row }) => ctx.collections.rows.get(row) ?? null,
    select: (ctx, { where: predicate }) =>
      ctx.collections.rows.range().filter(([, value]) => matches(predicate, value)) as Array<[number, number]>,
    write: (ctx, { row, value }) => ctx.collections.rows.set(row, value),
    increase(ctx, { row, by }) {
      const value = ctx.collections.rows.get(row);
      if (value !== undefined) ctx.collections.rows.set(row, value + by);
    },
    delete(ctx, { where: predicate }) {
      for (const [row, value] of ctx.collections.rows.range()) {
        if (matches(predicate, value)) ctx.collections.rows.delete(row);
      }
    },
    async transaction(ctx, { name, keys, operations }) {
      note(`${name} begun`);
      const seen: RowsSeen[] = [];
      for (const [number, operation] of (operations as RowOperation[]).entries()) {
        await atGate(`${name}/${number}`);
        const shown = await perform(ctx, keys, operation);
        if (shown !== undefined) seen.push(shown);
        note(`${name}/${number} done`);
      }
      return seen;
    },
  },
);

/** Odd rows are under the first key, even ones under the second. */
function keyOf([odd, even]: readonly [string, string], row: number): string {
  return row % 2 === 1 ? odd : even;
}

async function perform(
  ctx: Context,
  keys: readonly [string, string],
  operation: RowOperation,
): Promise<RowsSeen | undefined> {
  switch (operation.op) {
    case "read":
      return ctx.call(Table, keyOf(keys, operation.row)).read({ row: operation.row });
    case "write":
      return void (await ctx.call(Table, keyOf(keys, operation.row)).write(operation));
    case "increase":
      return void (await ctx.call(Table, keyOf(keys, operation.row)).increase(operation));
    case "select":
      return selectFrom(ctx, keys, operation.where);
    case "delete":
      for (const key of keys) await ctx.call(Table, key).delete({ where: operation.where });
      return undefined;
    case "abort":
      throw ctx.refuse("aborted");
    case "commit":
      return undefined;
  }
}

async function selectFrom(ctx: Context, keys: readonly [string, string], predicate: Predicate): Promise<Rows> {
  const found: Array<[number, number]> = [];
  for (const key of keys) found.push(...(await ctx.call(Table, key).select({ where: predicate })));
  return found.sort(([a], [b]) => a - b);
}
