/** The plain JavaScript that the flows are measured against comes to as many rows as the naive evaluation. */
import { expect, it } from "vitest";
import { inBatches } from "../../bench/nexmark/batches.ts";
import { generate } from "../../bench/nexmark/generator.ts";
import { QUERIES } from "../../bench/nexmark/flows/queries.ts";
import { evaluate, type QueryName, QUERY_NAMES } from "../../bench/nexmark/naive/queries.ts";
import { PLAIN, plainRows } from "../../bench/nexmark/plain/queries.ts";

const all = inBatches(generate({ events: 20_000, perSecond: 500 }), 500, ["person", "auction", "bid"]);

/** What a query reads of them. */
const batchesOf = (query: QueryName) => {
  const reads = QUERIES.find(({ name }) => name === query)?.reads;
  return all.filter(({ kind }) => reads?.includes(kind));
};

it("has every query", () => {
  expect(Object.keys(PLAIN).sort()).toEqual([...QUERY_NAMES].sort());
});

it.each(QUERY_NAMES.filter((name) => !["q5", "q7", "q8", "q11", "q12", "q19"].includes(name)))(
  "%s comes to as many rows",
  (query) => {
    const batches = batchesOf(query);
    expect(plainRows(query, batches)).toBe(evaluate(query, batches).rows.length);
  },
);

it.each(["q5", "q7", "q8"] as const)(
  "%s comes to the rows of the windows that have closed, and holds the open ones",
  (query) => {
    const batches = batchesOf(query);
    const latest = Math.max(...batches.flatMap(({ events }) => events.map(({ dateTime }) => dateTime)));
    const closed = evaluate(query, batches).rows.filter(({ start }) => (start as number) + 10_000 <= latest - 4_000);
    const rows = plainRows(query, batches);
    expect(rows).toBeGreaterThan(closed.length);
    expect(rows).toBeLessThan(closed.length + 12);
  },
);
