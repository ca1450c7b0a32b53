/** Ends of flows in the outside world: kept, delivered in batches, in order, as many at a time as may be, and nothing lost when one fails or memory does. */
import { describe, expect, it, vi } from "vitest";
import { DEAD } from "../../protocol/flows/log.ts";
import { flow, int64, stream, text, timestamp, TidegateError } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Sales = stream("sales", { item: text(), cents: int64(), at: timestamp() });
const sale = (cents: number, item = "tea") => ({ item, cents, at: cents });
const sales = (from: number, count: number) => Array.from({ length: count }, (_, n) => sale(from + n));
const line = (cents: number, item = "tea") => JSON.stringify(sale(cents, item));

const limits = useLimits();

const toQueue = (options: object = {}) =>
  flow("sold")
    .from(Sales, { time: "at" })
    .filter((e) => e.cents.ge(0))
    .toQueue("sold-queue", { binding: "SOLD", ...options });
const hook = (options: object = {}, drops: string[] = []) =>
  flow("sold", { drops })
    .from(Sales, { time: "at" })
    .toWebhook("sold-hook", { url: "https://example.com/sold", secret: "SECRET", ...options });

describe("an end in the outside world", () => {
  it("delivers up to 100 events at a time, in order, each once, with memory lost between any two steps", async () => {
    limits.lineEntryUnits = 1_000;
    const bench = new FlowBench(toQueue());
    const delivered: string[] = [];
    let sent = 0;
    for (const count of [1, 7, 250, 0, 30, 100]) {
      await bench.undone(() => bench.ingest("sales", sales(sent, count)));
      bench.restart();
      await bench.ingest("sales", sales(sent, count));
      sent += count;
      expect(bench.asked.length).toBeLessThanOrEqual(1);
      const [first] = bench.asked;
      if (first !== undefined && count !== 7) {
        delivered.push(...first.lines);
        bench.restart();
        await bench.undone(() => bench.end());
        await bench.end();
      }
    }
    while (bench.asked.length > 0) {
      expect(bench.asked[0]?.lines.length).toBeLessThanOrEqual(100);
      delivered.push(...(bench.asked[0]?.lines ?? []));
      await bench.end();
    }
    expect(delivered).toEqual(sales(0, sent).map((each) => JSON.stringify(each)));
    expect((await bench.status("sold"))["sinks"]).toEqual({ "sold-queue": { waiting: 0, delivered: sent, failed: 0 } });
    expect(bench.keptBy("#egress")).toBe(0);
  });

  it("has so many deliveries under way as it may, and goes on with whichever ends", async () => {
    const bench = new FlowBench(hook({ atATime: 3 }));
    await bench.ingest("sales", sales(0, 5));
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(0)], [line(1)], [line(2)]]);
    bench.asked.reverse();
    await bench.end();
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(1)], [line(0)], [line(3)]]);
    while (bench.asked.length > 0) await bench.end();
    expect(bench.keptBy("#egress")).toBe(0);
  });

  it("hears of the same end twice and does nothing the second time", async () => {
    const bench = new FlowBench(hook());
    await bench.ingest("sales", sales(0, 3));
    const [first] = bench.asked;
    await bench.end();
    bench.asked.unshift(first as never);
    await bench.end();
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(1)]]);
  });

  it("bounds a delivery by its bytes, and what can never be sent is set aside at once", async () => {
    const bench = new FlowBench(toQueue());
    const large = "ü".repeat(40_000);
    await bench.ingest("sales", [
      sale(1, large),
      sale(2, large),
      sale(3, large),
      sale(4, large),
      sale(5, large.repeat(2)),
    ]);
    expect(bench.asked.map(({ lines }) => lines.length)).toEqual([3]);
    await bench.end();
    expect(bench.asked.map(({ lines }) => lines.length)).toEqual([1]);
    const [letter, ...more] = await bench.aside("sold", DEAD);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ sink: "sold-queue", error: { type: "too-large" }, event: { cents: 5 } });
  });

  it("sets aside what cannot be delivered, and goes on with what comes behind it", async () => {
    const bench = new FlowBench(hook({ batch: 2 }));
    await bench.ingest("sales", sales(0, 3));
    await bench.end({ ok: false, error: { type: "effect-failed", message: "the receiver answered 500" } });
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(2)]]);
    await bench.end();
    expect(await bench.aside("sold", DEAD)).toEqual(
      [0, 1].map((cents) => ({
        at: bench.now,
        sink: "sold-hook",
        error: { type: "effect-failed", message: "the receiver answered 500" },
        event: sale(cents),
      })),
    );
    const { deadLetters, sinks } = await bench.status("sold");
    expect([deadLetters, sinks]).toEqual([2, { "sold-hook": { waiting: 0, delivered: 1, failed: 2 } }]);
  });

  it("refuses a batch when too much waits, and takes it when there is room again", async () => {
    limits.maxEgressUnits = 400;
    const bench = new FlowBench(hook());
    await bench.ingest("sales", sales(0, 20));
    const refused = await bench.ingest("sales", sales(20, 1)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TidegateError);
    expect((refused as TidegateError).type).toBe("overloaded");
    while (bench.asked.length > 0) await bench.end();
    await bench.ingest("sales", sales(20, 1));
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(20)]]);
  });

  it("sets aside what finds no room where it is told to, and the flow goes on", async () => {
    limits.maxEgressUnits = 400;
    const bench = new FlowBench(hook({ onFull: "dead-letter" }));
    await bench.ingest("sales", sales(0, 20));
    await bench.ingest("sales", sales(20, 2));
    expect(await bench.aside("sold", DEAD)).toMatchObject([
      { sink: "sold-hook", error: { type: "full" }, event: sale(20) },
      { sink: "sold-hook", error: { type: "full" }, event: sale(21) },
    ]);
  });
});

describe("an end that is taken out of its flow", () => {
  const without = (drops: string[] = []) =>
    flow("sold", { drops }).from(Sales, { time: "at" }).toView("sold", { key: "item" });

  it("may go when nothing waits there", async () => {
    const bench = new FlowBench(hook());
    await bench.ingest("sales", sales(0, 1));
    await bench.end();
    bench.deploy(without());
    expect(await bench.drops("sold")).toEqual([]);
    await bench.ingest("sales", sales(1, 1));
    expect(await bench.view("sold", "sold")).toEqual([sale(1)]);
  });

  it("holds the flow while events wait there, unless it is named; then they are gone", async () => {
    const bench = new FlowBench(hook());
    await bench.ingest("sales", sales(0, 3));
    bench.deploy(without());
    expect(await bench.drops("sold")).toEqual(["sold-hook"]);
    await expect(bench.ingest("sales", sales(3, 1))).rejects.toThrow(/would lose 3 events .* "sold-hook"/);
    bench.deploy(without(["sold-hook"]));
    await bench.ingest("sales", sales(3, 1));
    expect([await bench.drops("sold"), bench.keptBy("#egress")]).toEqual([[], 0]);
  });

  it("and comes back is no one's heir: the end of a delivery from before is not that of a later one", async () => {
    const bench = new FlowBench(hook());
    await bench.ingest("sales", sales(0, 3));
    const [old] = bench.asked.splice(0);
    bench.deploy(without(["sold-hook"]));
    await bench.ingest("sales", sales(3, 1));
    bench.deploy(hook({}, ["view-sold"]));
    await bench.ingest("sales", sales(4, 2));
    bench.asked.unshift(old as never);
    await bench.end();
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(4)]]);
    await bench.end();
    expect(bench.asked.map(({ lines }) => lines)).toEqual([[line(5)]]);
  });
});

describe("what a user declares", () => {
  it.each([
    [() => toQueue({ binding: "" }), /no binding/],
    [() => toQueue({ atATime: 0 }), /atATime of the queue "sold-queue" of flow "sold" is a whole number from 1 to 16/],
    [() => toQueue({ onFull: "wait" }), /onFull/],
    [() => hook({ url: undefined }), /no url/],
    [() => hook({ url: {} }), /no url/],
    [() => hook({ secret: "" }), /no secret/],
    [() => hook({ batch: 101 }), /from 1 to 100/],
  ])("is checked", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("deliveries under way of an end that was taken out", () => {
  it("wait for code that has it, and are gone when they were named to be dropped", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 503 }));
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const partition = new LonePartition([], { flows: [hook()] });
    partition.env = { SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    await partition.ingest("sales", sales(0, 2));
    const without = (drops: string[] = []) =>
      flow("sold", { drops }).from(Sales, { time: "at" }).toView("sold", { key: "item" });
    const outbox = () => partition.partition.engine.machine.mail.size;
    await partition.redeploy([], { flows: [without()] });
    expect((await partition.ingest("sales", sales(2, 1))).status).toBe(409);
    await partition.pass(130_000, 10_000);
    expect(outbox()).toBe(1);
    await partition.redeploy([], { flows: [without(["sold-hook"])] });
    expect((await partition.ingest("sales", sales(2, 1))).status).toBe(200);
    await partition.pass(130_000, 10_000);
    expect(outbox()).toBe(0);
    error.mockRestore();
    vi.unstubAllGlobals();
  });
});
