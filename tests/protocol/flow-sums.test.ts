/** Sums and means of results that change, at the bounds of int64: against those of the events that count, worked out naively. */
import { expect, test } from "vitest";
import { avg, flow, float64, int64, sinks, stream, sum, text, timestamp } from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";

const In = stream("in", { k: text(), g: text(), v: int64(), at: timestamp() });
const Sums = stream("sums", { g: text(), sum: int64(), mean: float64() });
const All = stream("all", { sum: int64() });
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n];

/** A number that no double holds. */
const raw = (value: bigint): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
const within = (value: bigint): bigint => (value > MOST ? MOST : value < LEAST ? LEAST : value);
const total = (all: readonly bigint[]): bigint => all.reduce((so, each) => so + each, 0n);

const TURNS: ReadonlyArray<readonly [k: string, g: string, v: bigint]> = [
  ["1", "a", MOST],
  ["2", "a", 5n],
  ["1", "a", 3n],
  ["1", "a", LEAST],
  ["1", "a", 1n],
  ["2", "a", LEAST],
  ["3", "a", LEAST + 1n],
  ["1", "a", 2n],
  ["2", "b", MOST],
  ["1", "b", MOST],
  ["3", "b", MOST],
  ["4", "c", MOST],
  ["2", "a", 7n],
  ["1", "c", LEAST],
  ["1", "a", 8n],
  ["3", "a", -15n],
];

test("a sum behind the last of each key is that of the last ones, whatever it went over before", async () => {
  const sums = flow("f")
    .from(In, { time: "at" })
    .keyBy("k")
    .deduplicate({ keep: "last" })
    .keyBy("g")
    .aggregate({ sum: sum("v"), mean: avg("v") });
  const all = sums.keyBy().aggregate({ sum: sum("sum") });
  const bench = new FlowBench(sinks(sums.toStream(Sums), all.toStream(All)));
  const last = new Map<string, readonly [g: string, v: bigint]>();
  for (const [turn, [k, g, v]] of TURNS.entries()) {
    await bench.ingest("in", [{ k, g, v: raw(v), at: turn }]);
    if (turn % 2 === 0) bench.restart();
    last.set(k, [g, v]);
    const groups = Map.groupBy(last.values(), ([group]) => group);
    const exact = new Map([...groups].map(([group, some]) => [group, some.map(([, value]) => value)]));
    for (const given of bench.taken("sums") as Array<{ g: string; sum: bigint | number; mean: number }>) {
      const values = exact.get(given.g) ?? [];
      expect([turn, given.g, BigInt(given.sum)]).toEqual([turn, given.g, within(total(values))]);
      expect(given.mean).toBe(Number(total(values)) / values.length);
    }
    const [given] = bench.taken("all") as Array<{ sum: bigint | number }>;
    const naive = within(total([...exact.values()].map((values) => within(total(values)))));
    if (given !== undefined) expect([turn, BigInt(given.sum)]).toEqual([turn, naive]);
  }
});
