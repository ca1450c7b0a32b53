/** Flows of general operators, on streams of their own. */
import * as z from "zod";
import {
  avg,
  collect,
  contract,
  count,
  flow,
  fn,
  int64,
  max,
  processing,
  query,
  service,
  session,
  sinks,
  sliding,
  stream,
  sum,
  text,
  timestamp,
  top,
  tumbling,
} from "../../../sdk/index.ts";

/** Readings of meters. */
export const Readings = stream("meter-readings", { meter: text(), value: int64(), at: timestamp() });
/** Alarms of meters: a second source. */
export const Alarms = stream("meter-alarms", { meter: text(), level: int64(), at: timestamp() });
/** High readings. */
export const High = stream("high-readings", { meter: text(), value: int64(), at: timestamp() }, { retention: "1h" });
/** What `emitter` emits. */
export const Noted = stream("noted", { who: text(), at: timestamp() }, { retention: "1h" });

export const Counter = contract("meter-counter", {
  add: fn({ input: z.object({ value: z.number() }), refusals: { full: z.object({ total: z.number() }) } }),
  /** From the beginning again. */
  empty: fn({}),
  total: query({ output: z.number() }),
});
export const counter = service(
  Counter,
  { state: () => ({ total: 0 }) },
  {
    add(ctx, { value }) {
      if (ctx.state.total + value > 1_000) throw ctx.refuse("full", { total: ctx.state.total });
      ctx.state.total += value;
    },
    empty: (ctx) => void (ctx.state.total = 0),
    total: (ctx) => ctx.state.total,
  },
);

export const Emitter = contract("emitter", {
  note: fn({ input: z.object({ at: z.number(), fail: z.boolean().optional() }) }),
});
export const emitter = service(
  Emitter,
  {},
  {
    note(ctx, { at, fail }) {
      ctx.emit(Noted, { who: ctx.key, at });
      if (fail) throw new Error("on purpose");
    },
  },
);

const windows = flow("meter-windows");
const readings = windows.from(Readings, { time: "at", outOfOrderness: "1s" });
export const meterWindows = sinks(
  readings
    .keyBy("meter")
    .window(tumbling("10s"))
    .allowedLateness("5s")
    .aggregate({ n: count(), total: sum("value"), mean: avg("value"), most: max("value") })
    .toView("meter-windows"),
  readings
    .keyBy("meter")
    .window(sliding("20s", "10s"))
    .aggregate({ n: count() })
    .map((e) => ({ meter: e.meter, start: e.windowStart, n: e.n }))
    .toView("meter-slides", { key: ["meter", "start"] }),
  readings
    .keyBy("meter")
    .window(session("5s"))
    .aggregate({ n: count(), total: sum("value") })
    .toView("meter-sessions"),
  readings
    .keyBy()
    .aggregate({ best: top(2, { by: "value", of: ["meter", "value"] }) })
    .toView("meter-best"),
  readings
    .keyBy("meter")
    .aggregate({ n: count(), all: collect({ of: ["value"], limit: 5 }) })
    .toView("meter-totals"),
  readings.keyBy("meter").deduplicate({ keep: "last" }).toView("meter-latest", { key: "meter" }),
);

const ends = flow("meter-ends");
const high = ends.from(Readings, { time: "at" }).filter((e) => e.value.ge(100));
export const meterEnds = sinks(
  high.toStream(High),
  high.call(Counter, "add", { key: (e) => e.meter, input: (e) => ({ value: Number(e.value) }) }),
);

/** Of which all or nothing is taken. */
export const Strict = stream("strict-readings", { meter: text(), value: int64(), at: timestamp() });
export const meterStrict = flow("meter-strict")
  .from(Strict, { time: "at" })
  .call(Counter, "add", {
    key: (e) => e.meter,
    input: (e) => ({ value: Number(e.value) }),
    onRefusal: "abort-batch",
  });

const joined = flow("meter-joins");
const left = joined.from(Readings, { time: "at" }).keyBy("meter");
const right = joined.from(Alarms, { time: "at", idle: "1h" }).keyBy("meter");
export const meterJoins = left
  .join(right)
  .within({ before: "2s", after: "2s" })
  .select((reading, alarm) => ({ meter: reading.meter, value: reading.value, level: alarm.level, at: reading.at }))
  .toView("meter-alarms-seen", { key: ["meter", "at"] });

/** Whose notes a flow cannot process, as long as they are here. */
export const illegible = new Set<string>();

export const noted = flow("noted-by-who")
  .from(Noted, { time: "at" })
  .filterRows(({ who }) => {
    if (illegible.has(who)) throw new Error(`what ${who} noted is illegible`);
    return true;
  })
  .keyBy("who")
  .aggregate({ n: count() })
  .toView("noted");

/** Ends by the clock of the server, with no event to make it. */
export const Clocked = stream("clocked", { meter: text(), n: int64() });
export const meterClock = flow("meter-clock")
  .from(Alarms, { time: "at" })
  .keyBy("meter")
  .window(processing(tumbling(300)))
  .aggregate({ n: count() })
  .map((e) => ({ meter: e.meter, n: e.n }))
  .toStream(Clocked);

export const operatorFlows = [meterClock, meterWindows, meterEnds, meterJoins, meterStrict, noted];
