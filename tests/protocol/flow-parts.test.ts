/** Large batches go through flows in parts: what comes of them is what comes of them as a whole. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { flowService } from "../../protocol/flows/internal.ts";
import {
  boolean,
  collect,
  count,
  flow,
  int64,
  optional,
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

const limits = useLimits();
const WHOLE = limits.flowPartBytes;

const In = stream("in", { key: text(), value: int64(), low: boolean(), note: optional(text()), at: timestamp() });
const Mid = stream("mid", { key: text(), value: int64(), at: timestamp() });
const Other = stream("other", { key: text(), at: timestamp() });

function made(): FlowBench {
  const from = flow("all");
  const all = from.from(In, { time: "at", outOfOrderness: "5s" });
  const other = from.from(Other, { time: "at", idle: "1h" });
  const out = sinks(
    all
      .keyBy("key")
      .window(tumbling("10s"))
      .allowedLateness("3s")
      .aggregate({ n: count(), total: sum("value"), notes: collect({ of: ["note", "value"] }) })
      .toView("tumbling"),
    all
      .keyBy("key")
      .window(session("4s"))
      // What belongs to a session that is not late is not late, and which others there are is asked of each part by itself.
      .allowedLateness("1h")
      .aggregate({ n: count(), total: sum("value") })
      .toView("sessions"),
    all
      .keyBy("key")
      .window(sliding("10s", "5s"))
      .aggregate({ n: count() })
      .map((e) => ({ key: e.key, start: e.windowStart, n: e.n }))
      .toView("slides", { key: ["key", "start"] }),
    all.keyBy("key").deduplicate().toView("first", { key: "key" }),
    all
      .keyBy("key")
      .join(other.keyBy("key"))
      .within({ before: "5s", after: "5s" })
      .select((left, right) => ({ key: left.key, value: left.value, at: left.at, other: right.at }))
      .toView("pairs", { key: ["key", "value", "at", "other"] }),
  );
  const low = flow("low")
    .from(In, { time: "at" })
    .filter((e) => e.low)
    .map((e) => ({ key: e.key, value: e.value, at: e.at }))
    .toStream(Mid);
  const behind = flow("behind")
    .from(Mid, { time: "at", outOfOrderness: "5s" })
    .keyBy("key")
    .window(tumbling("10s"))
    .aggregate({ n: count(), total: sum("value") });
  const end = sinks(
    behind.toView("behind"),
    behind.map((e) => ({ key: e.key, n: e.n })).toStream(stream("end", { key: text(), n: int64() })),
  );
  return new FlowBench(out, low, end);
}

interface Event {
  readonly key: string;
  readonly value: number;
  readonly low: boolean;
  readonly note: string | null;
  readonly at: number;
}

async function played(batches: ReadonlyArray<readonly Event[]>, partBytes: number): Promise<unknown> {
  limits.flowPartBytes = partBytes;
  const bench = made();
  const seen: unknown[] = [];
  for (const [number, batch] of batches.entries()) {
    seen.push(await bench.ingest("in", batch));
    if (number % 2 === 0) bench.restart();
    const others = batch.filter(({ value }) => value % 3 === 0).map(({ key, at }) => ({ key, at: at + 1_000 }));
    seen.push(await bench.ingest("other", others));
    for (const view of ["tumbling", "sessions", "slides", "first", "pairs"]) seen.push(await bench.view("all", view));
    seen.push(await bench.view("behind", "behind"), bench.taken("mid"));
    seen.push((bench.taken("end") as Array<{ key: string }>).map((one) => JSON.stringify(one)).toSorted());
    for (const name of ["all", "behind"])
      seen.push((await bench.late(name)).map((one) => JSON.stringify(one)).toSorted());
  }
  return seen;
}

const event = fc.record({
  key: fc.constantFrom("a", "b", "é"),
  value: fc.nat(20),
  low: fc.boolean(),
  note: fc.constantFrom(null, "", "x", "ü"),
  at: fc.integer({ min: 0, max: 30_000 }),
});

test("whatever the parts", { timeout: 60_000 }, async () => {
  const batches = fc.array(fc.array(event, { maxLength: 25 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(batches, fc.constantFrom(200, 350, 600), async (given, partBytes) => {
      const moved = given.map((batch, number) => batch.map((one) => ({ ...one, at: one.at + number * 12_000 })));
      expect(await played(moved, partBytes)).toEqual(await played(moved, WHOLE));
    }),
    { numRuns: 60 },
  );
});

test("an event whose time for a join is over meets nobody, whatever it came with", async () => {
  const at = (ms: number) => ({ key: "a", value: 0, low: false, note: null, at: ms });
  const batches = [[at(16_001)], [12_000, 12_001, 22_001].map(at)];
  expect(await played(batches, 200)).toEqual(await played(batches, WHOLE));
});

test("a stream between two flows comes to its end though the last part gives it nothing", async () => {
  const at = (seconds: number, low: boolean) => ({ key: "a", value: 1, low, note: null, at: seconds * 1_000 });
  const batch = [at(1, true), at(40, true), ...Array.from({ length: 20 }, () => at(41, false))];
  const seen = (await played([batch], 200)) as unknown[];
  expect(seen).toEqual(await played([batch], WHOLE));
  expect(JSON.stringify(seen)).toContain('"total":1,"final":true');
});

test("nothing is late for what came with it by another way", async () => {
  const seen: unknown[] = [];
  for (const partBytes of [200, WHOLE]) {
    limits.flowPartBytes = partBytes;
    const low = flow("low").from(In, { time: "at" });
    const both = flow("both");
    const of = (name: "mid" | "in") =>
      name === "mid"
        ? both.from(Mid, { time: "at" }).map((e) => ({ key: e.key }))
        : both.from(In, { time: "at" }).map((e) => ({ key: e.key }));
    const bench = new FlowBench(
      low.map((e) => ({ key: e.key, value: e.value, at: e.at })).toStream(Mid),
      of("mid").union(of("in")).keyBy("key").window(sliding("10s", "10s")).aggregate({ n: count() }).toView("both"),
    );
    const at = (ms: number) => ({ key: "a", value: 1, low: true, note: null, at: ms });
    const first = await bench.ingest("in", [at(50_000), at(45_000)]);
    // Of these some are late for what came before, and none for the others.
    const late = [
      ...Array.from({ length: 20 }, () => at(100_000)),
      at(1),
      ...Array.from({ length: 20 }, () => at(60_000)),
    ];
    seen.push([first, await bench.ingest("in", late), await bench.view("both", "both")]);
    expect(await bench.late("both")).toHaveLength(2);
    expect(seen.at(-1)).toMatchObject([{ both: 0 }, { both: 2 }, [{ n: 2 }, { n: 2 }, { n: 40 }, { n: 40 }]]);
  }
});

test("nothing is late for what came with it by two flows, of which one comes to its end before the other", async () => {
  const Left = stream("left", Mid.fields);
  const Right = stream("right", Mid.fields);
  const [left, right, both] = [flow("left"), flow("right"), flow("both")];
  const events = right.from(In, { time: "at" });
  const counts = events.keyBy("key").window(tumbling(10)).aggregate({ value: count() });
  const flows = [
    left
      .from(In, { time: "at" })
      .map((e) => ({ key: e.key, value: e.value, at: e.at }))
      .toStream(Left),
    sinks(
      events.map((e) => ({ key: e.key, value: e.value, at: e.at })).toStream(Right),
      // Of the windows of the batch these are given with its last part only.
      counts.map((e) => ({ key: e.key, value: e.value, at: e.windowStart })).toStream(Right),
    ),
    both
      .from(Left, { time: "at" })
      .union(both.from(Right, { time: "at" }))
      .keyBy("key")
      .window(tumbling(10))
      .aggregate({ n: count() })
      .toView("both"),
  ];
  const at = (ms: number) => ({ key: "a", value: 1, low: true, note: null, at: ms });
  const seen: unknown[] = [];
  for (const partBytes of [200, WHOLE]) {
    limits.flowPartBytes = partBytes;
    const bench = new FlowBench(...flows);
    await bench.ingest("in", [at(1)]);
    await bench.ingest(
      "in",
      Array.from({ length: 40 }, (_, number) => at(2 + number)),
    );
    expect(await bench.late("both")).toEqual([]);
    seen.push(await bench.view("both", "both"));
  }
  expect(seen[0]).toEqual(seen[1]);
});

test("nor behind a flow that is given it in two ways", async () => {
  const End = stream("both-ends", { key: text(), at: timestamp() });
  const seen: unknown[] = [];
  for (const partBytes of [200, WHOLE]) {
    limits.flowPartBytes = partBytes;
    const low = flow("low").from(In, { time: "at" });
    const both = flow("both");
    const mid = both.from(Mid, { time: "at" });
    const all = both.from(In, { time: "at" });
    const windows = all.keyBy("key").window(tumbling("10s")).aggregate({ n: count() });
    const bench = new FlowBench(
      low
        .filter((e) => e.value.eq(0))
        .map((e) => ({ key: e.key, value: e.value, at: e.at }))
        .toStream(Mid),
      sinks(
        mid.map((e) => ({ key: e.key, at: e.at })).toStream(End),
        all.map((e) => ({ key: e.key, at: e.at })).toStream(End),
        windows.map((e) => ({ key: e.key, at: e.windowStart })).toStream(End),
      ),
      flow("behind")
        .from(End, { time: "at" })
        .keyBy("key")
        .window(tumbling("10s"))
        .aggregate({ n: count() })
        .toView("behind"),
    );
    const events = Array.from({ length: 40 }, (_, value) => ({
      key: "a",
      value,
      low: true,
      note: null,
      at: 1_000 * (value + 1),
    }));
    await bench.ingest("in", events);
    expect(await bench.late("behind")).toEqual([]);
    seen.push(await bench.view("behind", "behind"));
  }
  expect(seen[0]).toEqual(seen[1]);
});

test("the answer to a batch counts what is late for flows behind those that read its stream, each event once", async () => {
  const End = stream("end", Mid.fields);
  const all = flow("all").from(In, { time: "at" });
  const behind = flow("behind").from(Mid, { time: "at" });
  const last = flow("last").from(End, { time: "at" });
  const flows = [
    sinks(
      all.keyBy("key").window(tumbling("10s")).aggregate({ n: count() }).toView("all"),
      all.map((e) => ({ key: e.key, value: e.value, at: e.at })).toStream(Mid),
    ),
    sinks(behind.keyBy("key").window(tumbling("10s")).aggregate({ n: count() }).toView("behind"), behind.toStream(End)),
    last.keyBy("key").window(tumbling("10s")).aggregate({ n: count() }).toView("last"),
  ];
  const at = (ms: number) => ({ key: "a", value: 1, low: true, note: null, at: ms });
  for (const partBytes of [200, WHOLE]) {
    limits.flowPartBytes = partBytes;
    const bench = new FlowBench(...flows);
    expect(await bench.ingest("in", [at(50_000)])).toEqual({ all: 0 });
    const late = [...Array.from({ length: 20 }, () => at(1)), at(51_000), at(2)];
    expect(await bench.ingest("in", late)).toEqual({ all: 21, behind: 21, last: 21 });
    for (const name of ["all", "behind", "last"]) expect(await bench.late(name)).toHaveLength(21);
    expect(await bench.ingest("in", [at(52_000)])).toEqual({ all: 0 });
  }
});

test("late events of a flow on a partition of older code, which counts them with all parts so far, are counted once", async () => {
  const [all, behind] = [flow("all").from(In, { time: "at" }), flow("behind").from(Mid, { time: "at" })];
  const flows = [
    sinks(
      all.keyBy("key").window(tumbling("10s")).aggregate({ n: count() }).toView("all"),
      all.map((e) => ({ key: e.key, value: e.value, at: e.at })).toStream(Mid),
    ),
    behind.keyBy("key").window(tumbling("10s")).aggregate({ n: count() }).toView("behind"),
  ];
  const at = (ms: number) => ({ key: "a", value: 1, low: true, note: null, at: ms });
  for (const partBytes of [200, WHOLE]) {
    limits.flowPartBytes = partBytes;
    for (const older of ["all", "behind"]) {
      const bench = new FlowBench(...flows);
      bench.older.add(flowService(older));
      await bench.ingest("in", [at(50_000)]);
      const late = await bench.ingest("in", [...Array.from({ length: 20 }, () => at(1)), at(51_000), at(2)]);
      // What is late behind it older code does not say.
      expect(late).toEqual(older === "all" ? { all: 21 } : { all: 21, behind: 21 });
    }
  }
});

test("what a flow gives to one stream by two ends is one batch there", async () => {
  const all = flow("low").from(In, { time: "at" });
  const given = (low: boolean) =>
    all
      .filter((e) => (low ? e.low : e.low.not()))
      .map((e) => ({ key: e.key, value: e.value, at: e.at }))
      .toStream(Mid);
  const behind = flow("behind")
    .from(Mid, { time: "at" })
    .keyBy("key")
    .window(tumbling("10s"))
    .aggregate({ n: count() });
  const bench = new FlowBench(sinks(given(false), given(true)), behind.toView("behind"));
  const at = (ms: number, low: boolean) => ({ key: "a", value: 1, low, note: null, at: ms });
  await bench.ingest("in", [at(1, true), at(100_000, false), at(2, true)]);
  expect(await bench.late("behind")).toEqual([]);
  expect(await bench.view("behind", "behind")).toMatchObject([{ n: 2, final: true }, { n: 1 }]);
  expect(bench.taken("mid")).toHaveLength(3);
});

test("timers fire behind all parts, also those of a time that had come before", async () => {
  const fired = stream("fired", { key: text(), calls: text(), at: timestamp() });
  const seen: unknown[] = [];
  for (const partBytes of [200, WHOLE]) {
    limits.flowPartBytes = partBytes;
    const bench = new FlowBench(
      flow("calls")
        .from(In, { time: "at", outOfOrderness: "1m" })
        .keyBy("key")
        .process({
          fields: fired.fields,
          state: () => [] as string[],
          onEvent(ctx, event) {
            ctx.state.push(`event ${event.at}`);
            ctx.timer(Number(event.at) + 1);
          },
          onTimer(ctx, at) {
            ctx.state.push(`timer ${at}`);
            ctx.emit({ key: String(ctx.key), calls: ctx.state.join(), at });
          },
        })
        .toStream(fired),
    );
    const at = (ms: number) => ({ key: "a", value: 1, low: true, note: null, at: ms });
    await bench.ingest("in", [at(100_000)]);
    await bench.ingest(
      "in",
      Array.from({ length: 20 }, (_, number) => at(30_000 - number)),
    );
    const calls = (bench.taken("fired") as Array<{ calls: string }>).map((one) => one.calls);
    expect(calls).toHaveLength(20);
    seen.push(calls);
  }
  expect(seen[0]).toEqual(seen[1]);
});
