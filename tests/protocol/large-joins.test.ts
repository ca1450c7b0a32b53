/** More rows of one key, or of one window, in a batch than one entry of state may be long. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { count, flow, type FlowDefinition, int64, stream, text, timestamp, tumbling } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const ROWS = 15_000;
const Left = stream("left", { k: text(), a: text(), at: timestamp() });
const Right = stream("right", { k: text(), b: int64(), at: timestamp() });
const Ends = stream("ends", { end: timestamp(), b: int64(), at: timestamp() });
const Out = stream("out", { a: text(), b: int64() }, { retention: "1h" });

function joined(rule: "window" | "within" | "all"): FlowDefinition {
  const f = flow("f");
  const join = f
    .from(Left, { time: "at" })
    .keyBy("k")
    .join(f.from(Right, { time: "at" }).keyBy("k"));
  const step = {
    window: () => join.window(tumbling(1_000)),
    within: () => join.within({ after: "1h" }),
    all: () => join.all({ keep: "1h" }),
  }[rule]();
  return step.select((l, r) => ({ a: l.a, b: r.b })).toStream(Out);
}

/** How many events the stream has that nothing is missing of. */
async function eventsOf(partition: LonePartition): Promise<number> {
  let events = 0;
  for (let after = -1; ; after = events - 1) {
    const input = { after, limit: 10_000 };
    const { body } = await partition.call({ service: "#stream", key: "out", name: "read", internal: true, input });
    const page = (JSON.parse(body) as { events: unknown[] }).events;
    if (page.length === 0) return events;
    events += page.length;
  }
}

/** 100 bytes each: all of them are longer than a value may be. */
const lefts = Array.from({ length: ROWS }, (_, n) => ({ k: "k", a: `${n}-${"y".repeat(60)}`, at: 5 }));

test.each(["window", "within", "all"] as const)("a join (%s) takes many rows of one key at once", async (rule) => {
  expect(JSON.stringify(lefts).length).toBeGreaterThan(LIMITS.maxValueBytes);
  const flows = [joined(rule)];
  const partition = new LonePartition([], { flows });
  expect(await partition.ingest("left", lefts)).toMatchObject({ status: 200 });
  await partition.redeploy([], { flows });
  expect(await partition.ingest("right", [{ k: "k", b: 1, at: 6 }])).toMatchObject({ status: 200 });
  expect(await partition.ingest("left", [{ k: "other", a: "", at: 5_000 }])).toMatchObject({ status: 200 });
  expect(await partition.ingest("right", [{ k: "other", b: 1, at: 5_000 }])).toMatchObject({ status: 200 });
  expect(await eventsOf(partition)).toBe(rule === "window" ? ROWS : ROWS + 1);
});

test("so it does when a window gives them, whose end cannot be sent in parts", async () => {
  const f = flow("f");
  const counts = f
    .from(Left, { time: "at" })
    .keyBy("a")
    .window(tumbling(1_000))
    .aggregate({ n: count() })
    .map((e) => ({ a: e.a, k: e.windowEnd }))
    .keyBy("k");
  const rights = f
    .from(Ends, { time: "at" })
    .map((e) => ({ b: e.b, k: e.end }))
    .keyBy("k");
  const pairs = counts
    .join(rights)
    .within({ before: "1h", after: "1h" })
    .select((l, r) => ({ a: l.a, b: r.b }))
    .toStream(Out);
  const partition = new LonePartition([], { flows: [pairs] });
  expect(await partition.ingest("ends", [{ end: 1_000, b: 1, at: 1 }])).toMatchObject({ status: 200 });
  for (let from = 0; from < ROWS; from += 1_000)
    expect(await partition.ingest("left", lefts.slice(from, from + 1_000))).toMatchObject({ status: 200 });
  expect(await partition.ingest("ends", [{ end: 9_000, b: 1, at: 5_000 }])).toMatchObject({ status: 200 });
  expect(await partition.ingest("left", [{ k: "", a: "", at: 5_000 }])).toMatchObject({ status: 200 });
  expect(await eventsOf(partition)).toBe(ROWS);
});
