/** Views of windows that operators keep: the rows of one key are found without a look at all that windows have. */
import { expect, test, vi } from "vitest";
import { ShareTable } from "../../protocol/flows/table/table.ts";
import { count, flow, session, sliding, sum, tumbling } from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { In } from "./support/flow-tables.ts";

/** In the order of code points, which is not that of units. */
const KEYS = [
  "",
  ...Array.from({ length: 300 }, (_, at) => `k${String(at).padStart(3, "0")}`),
  "z",
  "\uFFFD",
  "\u{1F600}",
];
/** So far apart that sessions end. */
const TIMES = [0, 13, 40, 41, 80, 120];

test.each([
  ["tumbling", () => tumbling(10)],
  ["sliding", () => sliding(20, 10)],
  ["session", () => session(10)],
])("%s windows", async (_, window) => {
  const bench = new FlowBench(
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .shards(1)
      .window(window())
      .aggregate({ n: count(), total: sum("v") })
      .toView("shown"),
  );
  for (const [number, at] of TIMES.entries()) {
    // Keys at both ends are not in every window.
    const keys = number % 2 === 0 ? KEYS : KEYS.slice(1, -1);
    await bench.ingest(
      "in",
      keys.map((k, v) => ({ k, v, at })),
    );
  }
  const all = (await bench.view("f", "shown", { limit: 10_000 })) as Array<{ readonly key: string }>;
  expect(all.length).toBeGreaterThan(4 * KEYS.length);
  const read = vi.spyOn(ShareTable.prototype, "range");
  for (const key of [...KEYS, "k", "k0005", "nobody"]) {
    read.mockClear();
    expect(await bench.view("f", "shown", { key })).toEqual(all.filter((row) => row.key === key));
    const entries = read.mock.results.reduce((so, { value }) => so + (value as unknown[]).length, 0);
    expect(entries).toBeLessThan(all.length * 0.6);
  }
  read.mockRestore();
});
