/** Events that a stream keeps: numbered, readable from any number on for as long as it says, across a restart. */
import { describe, expect, test } from "vitest";
import { keepLog, LATE } from "../../protocol/flows/log.ts";
import { flow, int64, optional, stream, text, timestamp } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { FlowBench, storeOf } from "./support/flow-bench.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Kept = stream("kept", { k: text(), at: timestamp() }, { retention: "1h" });
const kept = flow("f").from(Kept, { time: "at" }).toView("v", { key: "k" });

test("a reader goes on behind its last event; where that is kept no longer, with the first that is", async () => {
  const partition = new LonePartition([], { flows: [kept] });
  const read = async (after: number | null): Promise<unknown> => {
    const input = { after, limit: 100 };
    const { body } = await partition.call({ service: "#stream", key: "kept", name: "read", input, internal: true });
    const page = JSON.parse(body) as { first: number; events: string[]; end: number };
    return [page.first, page.events.map((event) => (JSON.parse(event) as { k: string }).k).join(), page.end];
  };
  for (let n = 0; n < 3; n++)
    await partition.ingest("kept", [
      { k: `a${n}`, at: n },
      { k: `b${n}`, at: n },
    ]);
  expect([await read(-1), await read(2), await read(null)]).toEqual([
    [0, "a0,b0,a1,b1,a2,b2", 6],
    [3, "b1,a2,b2", 6],
    [6, "", 6],
  ]);
  await partition.pass(3_700_000, 100_000);
  await partition.ingest("kept", [{ k: "new", at: 9 }]);
  await partition.redeploy([], { flows: [kept] });
  // Its id says that there was something between.
  expect([await read(-1), await read(2), await read(5), await read(6)]).toEqual([
    [6, "new", 7],
    [6, "new", 7],
    [6, "new", 7],
    [7, "", 7],
  ]);
});

describe("as much is dropped for age as comes, and more where more is left over", () => {
  const limits = useLimits();

  test("of a stream's events", async () => {
    limits.streamEntryChars = 20;
    const bench = new FlowBench(kept);
    const seen: number[] = [];
    for (const count of [150, 100, 100, 1]) {
      bench.now += 7_200_000;
      await bench.ingest(
        "kept",
        Array.from({ length: count }, () => ({ k: "a", at: 1 })),
      );
      seen.push(bench.keptBy("#stream"));
    }
    expect(seen).toEqual([150, 100, 100, 50]);
  });

  test("of what was set aside", () => {
    limits.lineEntryUnits = 1;
    const entries = new Map<string, string>();
    const seen: number[] = [];
    let begin = 0;
    for (const [round, count] of [300, 200, 200, 1].entries()) {
      const lines = Array.from({ length: count }, () => "{}");
      keepLog(storeOf(entries), LATE, begin, round * 2 * limits.asideMs, lines);
      begin += count;
      seen.push(entries.size);
    }
    expect(seen).toEqual([300, 200, 200, 100]);
  });
});

test("what was kept before a stream had further fields has null there, optional or not", async () => {
  const Wide = stream("kept", { k: text(), note: optional(text()), n: int64(), at: timestamp() }, { retention: "1h" });
  const partition = new LonePartition([], { flows: [kept] });
  await partition.ingest("kept", [{ k: "a", at: 1 }]);
  const wide = flow("f", { drops: ["view-v"] })
    .from(Wide, { time: "at" })
    .toView("v", { key: "k" });
  await partition.redeploy([], { flows: [wide] });
  await partition.ingest("kept", [{ k: "b", note: "b!", n: 2, at: 2 }]);
  const input = { after: -1, limit: 100 };
  const { body } = await partition.call({ service: "#stream", key: "kept", name: "read", input, internal: true });
  const { events } = JSON.parse(body) as { events: string[] };
  expect(events.map((event) => JSON.parse(event) as unknown)).toEqual([
    { k: "a", note: null, n: null, at: 1 },
    { k: "b", note: "b!", n: 2, at: 2 },
  ]);
});
