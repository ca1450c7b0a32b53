/** A flow whose first stream is another in a new version: what it keeps of itself is not left behind, and each source's time is its own. */
import { describe, expect, test } from "vitest";
import { DEAD } from "../../protocol/flows/log.ts";
import {
  count,
  flow,
  type FlowDefinition,
  int64,
  processing,
  sinks,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { In, Other } from "./support/flow-tables.ts";

/** Read by nothing but some versions. */
const New = stream("new", { k: text(), v: int64(), at: timestamp() });
type Branch = "windows" | "others" | "news" | "clock" | "hook";

/** A flow of some branches, in the order in which they are given: the first stream is that of the first. */
function version(branches: readonly Branch[], drops: string[] = []): FlowDefinition {
  const f = flow("f", { drops });
  const made = branches.map((branch) => {
    switch (branch) {
      case "windows":
        return f
          .from(In, { time: "at" })
          .keyBy("k")
          .window(tumbling(10))
          .aggregate({ n: count() })
          .named("windows")
          .toView("windows");
      case "others":
        return f.from(Other, { time: "at" }).keyBy("k").aggregate({ n: count() }).named("others").toView("others");
      case "news":
        return f.from(New, { time: "at" }).keyBy("k").aggregate({ n: count() }).named("news").toView("news");
      case "clock":
        return f
          .from(In, { time: "at" })
          .keyBy("k")
          .window(processing(tumbling(1_000)))
          .aggregate({ n: count() })
          .named("clock")
          .map((e) => ({ k: e.k, v: e.n, at: e.windowEnd }))
          .toStream(New);
      case "hook":
        return f.from(In, { time: "at" }).toWebhook("hook", { url: "https://example.com", secret: "S" });
    }
  });
  const [first, ...more] = made as [FlowDefinition, ...FlowDefinition[]];
  return sinks(first, ...more);
}
const at = (time: number, k = "a") => ({ k, v: 1, at: time });
const other = (time: number) => ({ k: "a", w: 1, at: time });

async function begun(...branches: Branch[]): Promise<FlowBench> {
  const bench = new FlowBench(version(branches));
  await bench.ingest("in", [at(5), at(25)]);
  await bench.ingest("in", [at(6)]);
  return bench;
}
/** The first window has ended, and takes nothing more. */
const WINDOWS = [
  { window: { start: 0 }, n: 1, final: true },
  { window: { start: 20 }, n: 1, final: false },
];

describe("a flow whose first stream is another", () => {
  test.each<[string, Branch[], Branch[]]>([
    ["since its ends are in another order", ["windows", "others"], ["others", "windows"]],
    ["since it has a new one", ["windows", "others"], ["news", "windows", "others"]],
    ["and another again, and as at first", ["windows", "others"], ["others", "windows"]],
  ])("%s, goes on where it was", async (_, before, after) => {
    const bench = await begun(...before);
    bench.deploy(version(after));
    // Read before anything comes, too.
    expect(await bench.status("f")).toMatchObject({ events: 3, batches: 2, late: 1, drops: [] });
    expect(await bench.late("f")).toEqual([at(6)]);
    expect(await bench.ingest("in", [at(7)])).toEqual({ f: 1 });
    expect(await bench.view("f", "windows")).toMatchObject(WINDOWS);
    await bench.ingest("other", [other(1)]);
    bench.restart();
    expect(await bench.view("f", "others")).toEqual([{ k: "a", n: 1 }]);
    bench.deploy(version(before, ["news"]));
    expect(await bench.ingest("in", [at(8)])).toEqual({ f: 1 });
    expect(await bench.status("f")).toMatchObject({ events: 6, batches: 5, late: 3 });
    expect(await bench.late("f")).toEqual([at(6), at(7), at(8)]);
  });

  test("and whose stream of before nothing reads any more, still says what it would lose", async () => {
    const bench = await begun("windows", "others");
    await bench.ingest("other", [other(1)]);
    bench.deploy(version(["others"]));
    expect(await bench.drops("f")).toEqual(["windows"]);
    await expect(bench.ingest("other", [other(2)])).rejects.toMatchObject({ type: "flow-changed" });
    bench.deploy(version(["others"], ["windows"]));
    await bench.ingest("other", [other(2)]);
    expect(await bench.view("f", "others")).toEqual([{ k: "a", n: 2 }]);
  });

  test("goes on by the clock, and its ends tell it what they could not deliver", async () => {
    const bench = await begun("hook", "clock", "others");
    bench.taken("new");
    bench.deploy(version(["others", "clock", "hook"]));
    expect(bench.asked).toHaveLength(1);
    await bench.end({ ok: false, error: { type: "effect-failed", message: "no" } });
    expect(await bench.aside("f", DEAD)).toMatchObject([{ sink: "hook", event: at(5) }]);
    expect(await bench.status("f")).toMatchObject({ deadLetters: 1 });
    await bench.pass(1_500);
    expect(bench.taken("new")).toMatchObject([{ k: "a", v: 3 }]);
  });
});

describe("sources whose order is another", () => {
  const joined = (first: "in" | "other") => {
    const f = flow("f");
    const make = {
      in: () => f.from(In, { time: "at" }).map((e) => ({ k: e.k, at: e.at })),
      other: () => f.from(Other, { time: "at" }).map((e) => ({ k: e.k, at: e.at })),
    };
    const [a, b] = first === "in" ? [make.in(), make.other()] : [make.other(), make.in()];
    return a.union(b).keyBy("k").window(tumbling(10)).aggregate({ n: count() }).named("windows").toView("windows");
  };

  test("keep their own time each", async () => {
    const bench = new FlowBench(joined("in"));
    await bench.ingest("in", [at(100)]);
    await bench.ingest("other", [other(12)]);
    const sources = async () => Object.values((await bench.status("f"))["sources"] as object) as object[];
    const expected = [
      { stream: "in", reached: 100 },
      { stream: "other", reached: 12 },
    ];
    expect(await sources()).toMatchObject(expected);
    bench.deploy(joined("other"));
    expect(await bench.drops("f")).toEqual([]);
    await bench.ingest("other", [other(13)]);
    expect(await sources()).toMatchObject([{ stream: "other", reached: 13 }, expected[0]]);
    expect(await bench.status("f")).toMatchObject({ watermarks: { windows: 13 } });
  });

  test("keep it while no version reads them, whatever has their names then", async () => {
    const bench = new FlowBench(version(["windows", "others"]));
    await bench.ingest("in", [at(100)]);
    await bench.ingest("other", [other(12)]);
    bench.deploy(version(["others"], ["windows"]));
    await bench.ingest("other", [other(13)]);
    bench.deploy(version(["others", "windows"]));
    await bench.ingest("other", [other(14)]);
    expect(await bench.status("f")).toMatchObject({ watermarks: { others: 14, windows: 100 } });
  });
});
