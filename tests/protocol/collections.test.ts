/** Collections: what one call returns of them. */
import { expect, test } from "vitest";
import { z } from "zod";
import { collection, contract, fn, query, service } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

useLimits({ maxRangeEntries: 10 });

const Ledger = contract("ledger", {
  add: fn({ input: z.object({ from: z.int(), count: z.int() }) }),
  read: query({ input: z.object({ from: z.int(), limit: z.int().optional() }), output: z.string() }),
});
const ledger = service(
  Ledger,
  { collections: { lines: collection<number, number>() } },
  {
    add(ctx, { from, count }) {
      for (let at = from; at < from + count; at++) ctx.collections.lines.set(at, 1);
    },
    read({ collections }, { from, limit }) {
      try {
        return String(collections.lines.range(limit === undefined ? { from } : { from, limit }).length);
      } catch (error) {
        return String(error);
      }
    },
  },
);

test("a range is never cut short unasked: with more entries than it returns it fails, with a limit or without", async () => {
  const partition = new LonePartition([ledger]);
  const call = async (name: string, input: unknown): Promise<string> =>
    (await partition.call({ service: "ledger", key: "k", name, input })).body;
  const tooMany = expect.stringContaining("at most 10 entries; give a limit, and go on from the last key");
  await call("add", { from: 0, count: 10 });
  expect(await call("read", { from: 0 })).toBe('"10"');
  await call("add", { from: 10, count: 5 });
  expect(await call("read", { from: 0 })).toEqual(tooMany);
  expect(await call("read", { from: 0, limit: 11 })).toEqual(tooMany);
  expect(await call("read", { from: 0, limit: 10 })).toBe('"10"');
  expect(await call("read", { from: 10 })).toBe('"5"');
});
