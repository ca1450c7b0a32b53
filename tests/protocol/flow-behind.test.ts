/** More ends with a batch than one transaction may do: the batch is taken, and time comes after it in steps. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { EngineFlowContext } from "../../protocol/execution/flow-context.ts";
import {
  contract,
  count,
  fn,
  flow,
  int64,
  processing,
  service,
  session,
  sinks,
  sliding,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { LonePartition } from "./support/lone-partition.ts";

const limits = useLimits();
const KiB = 1024;
const In = stream("in", { key: text(), value: int64(), at: timestamp() });
const Other = stream("other", { key: text(), at: timestamp() });
const Mid = stream("mid", In.fields);
const Sums = stream("sums", { key: text(), total: int64(), at: timestamp() }, { retention: "1h" });
const Rings = stream("rings", { key: text(), value: int64(), at: timestamp() });
const VIEWS = ["slides", "sessions", "clocked", "pairs", "rings"];

/** What time does, by every operator that waits for it. */
function timed() {
  const from = flow("timed");
  const all = from.from(In, { time: "at", outOfOrderness: "2s" });
  const other = from.from(Other, { time: "at", idle: "1m" });
  const sums = all
    .keyBy("key")
    .window(tumbling("1s"))
    .aggregate({ total: sum("value") })
    .map((e) => ({ key: e.key, total: e.total, at: e.windowEnd }));
  const slid = all
    .keyBy("key")
    .window(sliding("10s", "1s"))
    .aggregate({ n: count() })
    .map((e) => ({ key: e.key, total: e.n, at: e.windowEnd }));
  const key = { key: ["key", "at"] as const };
  return sinks(
    sums.toStream(Sums),
    slid.toStream(Sums),
    slid.toView("slides", key),
    all
      .keyBy("key")
      .window(session("2s"))
      .aggregate({ n: count() })
      .map((e) => ({ key: e.key, at: e.windowStart, n: e.n }))
      .toView("sessions", key),
    all
      .keyBy("key")
      .window(processing(tumbling("10s")))
      .aggregate({ n: count() })
      .map((e) => ({ key: e.key, at: e.windowStart, n: e.n }))
      .toView("clocked", key),
    all
      .keyBy("key")
      .join(other.keyBy("key"))
      .window(tumbling("3s"))
      .select((left, right) => ({ key: left.key, at: left.at, with: right.at }))
      .toView("pairs", { key: ["key", "at", "with"] }),
    all
      .keyBy("key")
      .process({
        fields: Rings.fields,
        state: () => 0,
        onEvent(ctx, event) {
          ctx.state += Number(event.value);
          ctx.timer(Number(event.at) + 1_500);
        },
        onTimer(ctx, at) {
          ctx.emit({ key: String(ctx.key), value: ctx.state, at });
        },
      })
      .toView("rings", key),
  );
}

/** Nothing of what it is given may be late for it. */
const behind = () =>
  flow("behind")
    .from(Sums, { time: "at" })
    .keyBy("key")
    .window(tumbling("4s"))
    .aggregate({ n: count(), total: sum("total") })
    .toView("behind");

interface Event {
  readonly key: string;
  readonly value: number;
  readonly at: number;
}

/** @param tooLarge of each transaction, how often it was too large before */
async function played(batches: ReadonlyArray<readonly Event[]>, tooLarge: () => number): Promise<unknown[]> {
  const bench = new FlowBench(timed(), behind());
  bench.tooLarge = tooLarge;
  const ended = new Map(VIEWS.map((view) => [view, [] as unknown[]]));
  for (const batch of batches) {
    await bench.ingest("in", batch);
    await bench.ingest(
      "other",
      batch.map(({ key, at }) => ({ key, at: at + 500 })),
    );
    bench.restart();
    await bench.pass(0);
  }
  bench.tooLarge = () => 0;
  // Nothing is left behind, and no tick that asks for another for ever.
  expect(await bench.pass(1)).toBeLessThan(10);
  await bench.pass(20_000);
  const seen: unknown[] = [];
  for (const view of ended.keys()) seen.push(await bench.view("timed", view));
  expect([await bench.late("timed"), await bench.late("behind")]).toEqual([[], []]);
  seen.push(await bench.view("behind", "behind"));
  seen.push((bench.taken("sums") as Event[]).map((one) => JSON.stringify(one)).toSorted());
  return seen;
}

const event = fc.record({
  key: fc.constantFrom("a", "b", "é"),
  value: fc.nat(20),
  at: fc.integer({ min: 0, max: 12_000 }),
});

test(
  "whatever the steps, the same comes of it, and nothing is late for what is behind",
  { timeout: 60_000 },
  async () => {
    const batches = fc.array(fc.array(event, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.array(fc.nat(limits.maxTooLarge), { minLength: 20, maxLength: 20 }),
        async (given, so) => {
          // What is not late by any of the ways: each batch is later than the one before.
          const moved = given.map((batch, number) => batch.map((one) => ({ ...one, at: one.at + number * 20_000 })));
          let turn = 0;
          expect(await played(moved, () => so[turn++ % so.length] as number)).toEqual(await played(moved, () => 0));
        },
      ),
      { numRuns: 60 },
    );
  },
);

const Steps = stream(
  "steps",
  { key: text(), n: int64(), windowStart: timestamp(), windowEnd: timestamp() },
  { retention: "1h" },
);
/** A window of a second for each event. */
const steps = () =>
  flow("steps").from(In, { time: "at" }).keyBy("key").window(tumbling("1s")).aggregate({ n: count() }).toStream(Steps);
const at = (second: number, key = "a") => ({ key, value: 1, at: second * 1_000 });
const seconds = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => at(from + n));

test("each step is as long again as the one before, and an eighth of what was too much", async () => {
  const bench = new FlowBench(steps());
  await bench.ingest("in", seconds(0, 65));
  expect(bench.taken("steps")).toHaveLength(64);
  bench.tooLarge = () => 1;
  await bench.ingest("in", seconds(65, 129));
  expect(bench.taken("steps")).toEqual([]);
  const told = [1, 0, 0, 2, 0, 0, 0, 0];
  const given: number[] = [];
  let ticks = 0;
  bench.tooLarge = () => {
    given.push(bench.taken("steps").length);
    return told[ticks++] ?? 0;
  };
  await bench.pass(0);
  // 63 s / 8 behind the first; as much again; twice that; an eighth of an eighth of four times that; and from there on.
  expect([...given.slice(1), bench.taken("steps").length]).toEqual([8, 8, 16, 1, 1, 1, 2, 4, 8, 15]);
});

test("so it is with windows of the server's time", async () => {
  const bench = new FlowBench(
    flow("steps")
      .from(In, { time: "at" })
      .keyBy("key")
      .window(processing(tumbling("1s")))
      .aggregate({ n: count() })
      .toStream(Steps),
  );
  bench.tooLarge = () => 1;
  for (let second = 0; second < 48; second++) {
    bench.now += 1_000;
    await bench.ingest("in", [at(0)]);
  }
  const given: number[] = [];
  bench.tooLarge = () => {
    given.push(bench.taken("steps").length);
    return given.length === 1 ? 1 : 0;
  };
  bench.now += 1_000;
  // Batches while time is behind ask for no tick more.
  expect(await bench.pass(0)).toBe(4);
  expect([...given.slice(1), bench.taken("steps").length]).toEqual([6, 6, 12, 24]);
});

/** In a transaction. */
function leaveRoomFor(bytes: number): void {
  limits.maxTransactionBytes = bytes;
  limits.maxFlowBytes = bytes;
}
const recordsOf = ({ durable }: LonePartition) => durable.filter(({ op }) => op === "record").length;

const KEYS = 300;
const MINUTES = 40;

/** Of each key an event a minute, and then a long silence. */
async function fed(partition: LonePartition): Promise<void> {
  for (let minute = 0; minute < MINUTES; minute++) {
    const events = Array.from({ length: KEYS }, (_, n) => at(60 * minute, `k${n}`));
    expect(await partition.ingest("in", events)).toMatchObject({ status: 200 });
  }
}
const slides = (from: typeof In | typeof Mid = In) =>
  flow("slides")
    .from(from, { time: "at" })
    .keyBy("key")
    .window(sliding("40m", "1m"))
    .aggregate({ total: sum("value") })
    .map((e) => ({ key: e.key, total: e.total, at: e.windowStart }));

async function eventsOf(partition: LonePartition, name: string): Promise<Event[]> {
  const events: Event[] = [];
  for (let page: readonly string[] = [""]; page.length > 0;) {
    const input = { after: events.length - 1, limit: 10_000 };
    const { body } = await partition.call({ service: "#stream", key: name, name: "read", internal: true, input });
    page = (JSON.parse(body) as { events: string[] }).events;
    events.push(...page.map((each) => JSON.parse(each) as Event));
  }
  return events;
}
async function statusOf(partition: LonePartition, name: string): Promise<Record<string, unknown>> {
  const ask = { service: "#view", key: "in", name: "flow", input: { flow: name }, internal: true };
  return JSON.parse((await partition.call(ask)).body) as Record<string, unknown>;
}

test("results of a night that end together are all given, and none is late for a flow behind", async () => {
  const flows = [slides().toStream(Sums), behind()];
  const partition = new LonePartition([], { flows });
  await fed(partition);
  const before = (await eventsOf(partition, "sums")).length;
  leaveRoomFor(128 * KiB);
  const records = recordsOf(partition);
  expect(await partition.ingest("in", [at(100_000)])).toMatchObject({ status: 200 });
  expect(recordsOf(partition)).toBeGreaterThan(records + 5);
  const given = (await eventsOf(partition, "sums")).slice(before);
  expect(given).toHaveLength(MINUTES * KEYS);
  expect(await statusOf(partition, "behind")).toMatchObject({ events: before + MINUTES * KEYS, late: 0 });
  const { watermarks } = await statusOf(partition, "slides");
  expect(Object.values(watermarks as object)).toEqual([100_000_000]);
  expect(partition.partition.failure).toBeUndefined();
});

test("a partition that is lost meanwhile goes on where it was", async () => {
  const flows = [slides().toStream(Sums)];
  const partition = new LonePartition([], { flows });
  await fed(partition);
  const before = (await eventsOf(partition, "sums")).length;
  leaveRoomFor(128 * KiB);
  const { engine } = partition.partition;
  const input = engine.input.bind(engine);
  let flushes = 0;
  engine.input = (what) => {
    input(what);
    if (what.kind === "flush" && ++flushes === 3) partition.partition.crash();
  };
  await partition.ingest("in", [at(100_000)]).catch(() => undefined);
  await partition.pass(20_000);
  expect((await eventsOf(partition, "sums")).slice(before)).toHaveLength(MINUTES * KEYS);
});

test("so are those that go to services as messages, of which a transaction sends only so many", async () => {
  const seen: string[] = [];
  const Counted = contract("counted", { add: fn() });
  const counted = service(Counted, {}, { add: (ctx) => void seen.push(ctx.key) });
  const flows = [
    flow("told")
      .from(In, { time: "at" })
      .keyBy("key")
      .window(tumbling("1s"))
      .aggregate({ n: count() })
      .call(Counted, "add", { key: (e) => e.key, as: "message" }),
  ];
  const partition = new LonePartition([counted], { flows });
  limits.maxSendsPerTransaction = 10;
  const events = Array.from({ length: 90 }, (_, n) => at(Math.floor(n / 9), `k${n}`));
  expect(await partition.ingest("in", events)).toMatchObject({ status: 200 });
  expect(await partition.ingest("in", [at(1_000, "last")])).toMatchObject({ status: 200 });
  await partition.pass(1_000);
  expect(seen.toSorted()).toEqual(events.map(({ key }) => key).toSorted());
});

test("so are those that go to functions one after the other, which take time", async () => {
  const Counted = contract("counted", { add: fn() });
  const seen: string[] = [];
  const counted = service(Counted, {}, { add: (ctx) => void seen.push(ctx.key) });
  const windows = flow("told").from(In, { time: "at" }).keyBy("key").window(tumbling("1s")).aggregate({ n: count() });
  const flows = [windows.call(Counted, "add", { key: (e) => e.key, as: "call" })];
  const partition = new LonePartition([counted], { flows });
  limits.steppedCalls = 10;
  const events = Array.from({ length: 90 }, (_, n) => at(Math.floor(n / 9), `k${n}`));
  expect(await partition.ingest("in", events)).toMatchObject({ status: 200 });
  expect(recordsOf(partition)).toBeGreaterThan(5);
  expect(seen).toEqual(expect.arrayContaining(events.slice(0, 81).map(({ key }) => key)));
  expect(seen).toHaveLength(81);
});

test("where the batch goes on to another flow, it is that one's time which stands still", async () => {
  const passed = flow("passed").from(In, { time: "at" }).toStream(Mid);
  const partition = new LonePartition([], { flows: [passed, slides(Mid).toStream(Sums)] });
  await fed(partition);
  const before = (await eventsOf(partition, "sums")).length;
  leaveRoomFor(128 * KiB);
  expect(await partition.ingest("in", [at(100_000)])).toMatchObject({ status: 200 });
  expect((await eventsOf(partition, "sums")).slice(before)).toHaveLength(MINUTES * KEYS);
});

test("an event that a function emits ends as much", async () => {
  const Maker = contract("maker", { make: fn() });
  const maker = service(Maker, {}, { make: (ctx) => ctx.emit(In, { key: "late", value: 1, at: 100_000_000 }) });
  const partition = new LonePartition([maker], { flows: [slides().toStream(Sums)] });
  await fed(partition);
  const before = (await eventsOf(partition, "sums")).length;
  leaveRoomFor(128 * KiB);
  expect(await partition.call({ service: "maker", key: "m", name: "make" })).toMatchObject({ status: 200 });
  await partition.pass(1_000);
  expect((await eventsOf(partition, "sums")).slice(before)).toHaveLength(MINUTES * KEYS);
});

test("a service that is down for long holds it up, and no longer than that", { timeout: 60_000 }, async () => {
  let isDown = false;
  let calls = 0;
  const Counted = contract("counted", { add: fn() });
  const counted = service(
    Counted,
    {},
    {
      add: () => {
        if (isDown) throw new Error("down");
        calls += 1;
      },
    },
  );
  const results = slides();
  const flows = [sinks(results.toStream(Sums), results.call(Counted, "add", { key: (e) => e.key, as: "call" }))];
  const partition = new LonePartition([counted], { flows });
  for (let minute = 0; minute < MINUTES; minute++)
    await partition.ingest(
      "in",
      Array.from({ length: 10 }, (_, n) => at(60 * minute, `k${n}`)),
    );
  calls = 0;
  isDown = true;
  leaveRoomFor(16 * KiB);
  limits.steppedCalls = 30;
  expect(await partition.ingest("in", [at(100_000)])).toMatchObject({ status: 200 });
  // Nobody sends anything meanwhile: it is the tick that goes on trying.
  await partition.pass(2 * limits.behindMs, 10_000);
  isDown = false;
  await partition.pass(60_000, 10_000);
  expect(calls).toBe(MINUTES * 10);
  expect(await partition.ingest("in", [at(100_001)])).toMatchObject({ status: 200 });
});

test("what a batch gives to functions by itself is not tried again with less time, and one time alone not more often than it helps", async () => {
  const Counted = contract("counted", { add: fn() });
  const counted = service(Counted, {}, { add: () => undefined });
  const from = flow("told").from(In, { time: "at" });
  const windows = from.keyBy("key").window(tumbling("1m")).aggregate({ n: count() });
  limits.steppedCalls = 20;
  const asked = vi.spyOn(EngineFlowContext.prototype, "tooLarge");
  const attempts = () => asked.mock.results.splice(0).map(({ value }) => value as number);
  const events = Array.from({ length: 21 }, (_, n) => at(1, `k${n}`));
  const direct = new LonePartition([counted], {
    flows: [sinks(windows.toView("v"), from.call(Counted, "add", { key: (e) => e.key, as: "call" }))],
  });
  await direct.ingest("in", events);
  expect(attempts()).toEqual([0]);
  const ended = new LonePartition([counted], {
    flows: [windows.call(Counted, "add", { key: (e) => e.key, as: "call" })],
  });
  await ended.ingest("in", events);
  attempts();
  expect(await ended.ingest("in", [at(60, "x")])).toMatchObject({ status: 200 });
  // The batch, and that again with time standing still; a step to the one time, which cannot be less, and says so.
  expect(attempts()).toEqual([0, 1, 0, 0]);
  asked.mockRestore();
});

test("where one time alone ends too much whoever sends hears of it, and all is there when there is room", async () => {
  const partition = new LonePartition([], { flows: [slides().toStream(Sums)] });
  await fed(partition);
  const before = (await eventsOf(partition, "sums")).length;
  const most = limits.maxFlowBytes;
  leaveRoomFor(2 * KiB);
  expect(await partition.ingest("in", [at(100_000)])).toMatchObject({ status: 200 });
  await partition.pass(limits.behindMs + 1_000, 10_000);
  const refused = await partition.ingest("in", [at(100_001)]);
  expect(refused).toMatchObject({ status: 500 });
  expect(refused.body).toContain("transaction-too-large");
  expect(await eventsOf(partition, "sums")).toHaveLength(before);
  leaveRoomFor(most);
  expect(await partition.ingest("in", [at(100_002)])).toMatchObject({ status: 200 });
  expect((await eventsOf(partition, "sums")).slice(before)).toHaveLength(MINUTES * KEYS);
  expect(await statusOf(partition, "slides")).toMatchObject({ events: MINUTES * KEYS + 2, late: 0 });
});

test("a step that takes longer than a transaction may is smaller the next time, and so is a batch", async () => {
  const { ask } = EngineFlowContext.prototype;
  const given: number[] = [];
  // Whatever it is that takes long: more than eight results at once never come to an end.
  const slow = vi.spyOn(EngineFlowContext.prototype, "ask").mockImplementation(function (
    this: EngineFlowContext,
    ...all
  ) {
    const [service, , name, { rows }] = all;
    if (service !== "#stream" || name !== "append") return ask.apply(this, all);
    const results = rows.reduce((sum, { length }) => sum + length, 0);
    given.push(results);
    return results > 8 ? new Promise(() => undefined) : ask.apply(this, all);
  });
  const partition = new LonePartition([], { flows: [steps()] });
  expect(await partition.ingest("in", seconds(0, 8))).toMatchObject({ status: 200 });
  await expect(partition.ingest("in", seconds(8, 80))).rejects.toThrow("no answer");
  await partition.pass(limits.transactionMs + 1_000, 1_000);
  expect(given).toEqual([7, 72]);
  expect(await partition.ingest("in", seconds(8, 80))).toMatchObject({ status: 200 });
  await partition.pass(20 * limits.transactionMs, 1_000);
  expect(await eventsOf(partition, "steps")).toHaveLength(79);
  // The batch that was taken stood still, its time came as far as it could, and then by an eighth of what took too long.
  expect(given.slice(0, 9)).toEqual([7, 72, 72, 9, 2, 2, 3, 5, 9]);
  expect(await statusOf(partition, "steps")).toMatchObject({ events: 80, late: 0 });
  slow.mockRestore();
});
