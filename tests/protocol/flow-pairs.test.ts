/** Joins of so many rows of one key that all their pairs would not fit into memory together. */
import { describe, expect, test } from "vitest";
import { PAIRS_MAX } from "../../dataflow/limits.ts";
import { flow, type FlowDefinition, int64, stream, timestamp, tumbling } from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";

const fields = { k: int64(), v: int64(), at: timestamp() };
const In = stream("in", fields);
const Other = stream("other", fields);
const Out = stream("out", { v: int64() });
const COUNT = 3_000;

/** With or without a condition that lets one pair in three thousand through. */
function joined(rule: "window" | "all", narrow: boolean): FlowDefinition {
  const f = flow("f");
  const join = f
    .from(In, { time: "at" })
    .keyBy("k")
    .join(f.from(Other, { time: "at" }).keyBy("k"));
  const pairs = rule === "window" ? join.window(tumbling(10)) : join.all({ keep: 20 });
  const chosen = narrow ? pairs.where((a, b) => a.v.eq(b.v)) : pairs;
  return chosen.select((a) => ({ v: a.v })).toStream(Out);
}

const rows = Array.from({ length: COUNT }, (_, v) => ({ k: 1, v, at: 5 }));

/** Both sides, and what ends the window. */
async function ingest(bench: FlowBench): Promise<void> {
  await bench.ingest("in", rows);
  await bench.ingest("other", rows);
  await bench.ingest("in", [{ k: 2, v: 0, at: 100 }]);
  await bench.ingest("other", [{ k: 2, v: 1, at: 100 }]);
}

describe.each(["window", "all"] as const)("nine million pairs of a join, %s", (rule) => {
  test("are looked at in blocks, and what the condition leaves is given", async () => {
    const bench = new FlowBench(joined(rule, true));
    await ingest(bench);
    const given = (bench.given.get("out") ?? []) as Array<{ v: number }>;
    expect(given.map(({ v }) => Number(v)).sort((a, b) => a - b)).toEqual(rows.map(({ v }) => v));
  });

  test(`are refused where more than ${PAIRS_MAX} would be given: the batch fails, before they are all in memory`, async () => {
    const bench = new FlowBench(joined(rule, false));
    await expect(ingest(bench)).rejects.toMatchObject({ type: "transaction-too-large" });
    expect(bench.given.get("out")).toBeUndefined();
  });
});
