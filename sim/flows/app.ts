/** Small flows that between them have every kind of operator that keeps something, every kind of end, and the window kernel; in several versions. */
import {
  contract,
  count,
  fn,
  flow,
  type FlowDefinition,
  int64,
  max,
  min,
  noData,
  processing,
  query,
  service,
  type ServiceDefinition,
  session,
  sinks,
  sliding,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { anything } from "../clients/schema.ts";
import { counted } from "../world/functions.ts";
import { fields } from "./model/events.ts";
import { DROPPED, firstsTtl, isCounting, isRefusing, isTurned, markOf } from "./versions.ts";

export const Left = stream("flow-left", fields);
export const Right = stream("flow-right", fields);
/** What functions give. */
export const Emitted = stream("flow-emitted", fields);
/** Of the flow that the window kernel runs whole: none of operators reads it. Its name is one whose partition is another with every number of them. */
export const Kernel = stream("flow-plain", fields);

/** Streams that the simulated clients send to. */
export const SOURCES = [Left, Right, Kernel] as const;

/** Numbers of events in the order in which a flow has taken them: by it everything else is judged. */
const inOrder = <const Name extends string>(name: Name) => stream(name, { n: int64() });
const inWindows = { k: text(), windowStart: timestamp(), windowEnd: timestamp(), count: int64(), total: int64() };

/** Streams that flows write to. */
export const OUT = {
  windowsLog: inOrder("windows-log"),
  joinsLog: inOrder("joins-log"),
  emitsLog: inOrder("emits-log"),
  idleLog: inOrder("idle-log"),
  tumbled: stream("flow-tumbled", inWindows),
  slid: stream("flow-slid", inWindows),
  near: stream("flow-near", { l: int64(), r: int64() }),
  looked: stream("flow-looked", { n: int64(), count: int64() }),
  fired: stream("flow-fired", { k: text(), at: timestamp(), n: int64() }),
  idled: stream("flow-idled", inWindows),
  processed: stream("flow-processed", inWindows),
  /** Not in every version of the flow. */
  newer: inOrder("flow-newer"),
} as const;
export type OutName = keyof typeof OUT;

/** What the model needs to know of the flows: ms of event time, but for `idle`. */
export const RULES = {
  outOfOrderness: 30,
  emittedOutOfOrderness: 10,
  tumbling: { size: 50, lateness: 70 },
  sliding: { size: 60, slide: 20 },
  session: { gap: 25, lateness: 40 },
  near: { before: 15, after: 25 },
  met: { size: 40 },
  timer: 30,
  idled: { size: 40 },
  newerAbove: 5,
  /** By the server's clock. */
  idle: 150,
  processed: { size: 100 },
  kernel: { size: 40 },
} as const;
const { outOfOrderness } = RULES;
/** Few, since each is a function more to call; more than one, so that they lie apart. */
const SHARDS = 2;

export interface CounterState {
  /** Events that were added, in order. */
  added: number[];
  /** Pairs that it was told of. */
  met: Array<readonly [left: number, right: number]>;
  /** Events that it has emitted. */
  emitted: number[];
}
interface Emits {
  readonly events: ReadonlyArray<{ readonly n: number; readonly k: string; readonly v: number; readonly at: number }>;
  /** `try` emits them in a call that fails and is undone. */
  readonly how: "return" | "throw" | "try";
  readonly to: string;
}

/** An event that a counter refuses. */
export const isRefused = (v: number): boolean => v % 4 === 0;

export const counters = contract("fc", {
  add: fn({ input: anything<{ n: number; v: number }>(), refusals: { even: noData } }),
  meet: fn({ input: anything<{ l: number; r: number }>() }),
  emit: fn({ input: anything<Emits>() }),
  count: query({ output: anything<number>() }),
  seen: query({ output: anything<CounterState>() }),
  /** Of several keys at one moment. */
  all: query({ input: anything<readonly string[]>(), output: anything<Record<string, CounterState>>() }),
});

export function counterService(): ServiceDefinition {
  return service(
    counters,
    { state: (): CounterState => ({ added: [], met: [], emitted: [] }) },
    {
      add(ctx, { n, v }) {
        if (isRefused(v)) throw ctx.refuse("even");
        ctx.state.added.push(n);
      },
      meet: (ctx, { l, r }) => void ctx.state.met.push([l, r]),
      emit: (ctx, { events, how, to }) =>
        counted(async () => {
          if (how === "try") {
            await ctx.try(counters, to).emit({ events, how: "throw", to });
            return;
          }
          for (const event of events) {
            ctx.state.emitted.push(event.n);
            ctx.emit(Emitted, event);
          }
          if (how === "throw") throw new Error("events are emitted in vain");
        }),
      count: ({ state }) => state.added.length,
      seen: ({ state: { added, met, emitted } }) => ({ added: [...added], met: [...met], emitted: [...emitted] }),
      all: (ctx, keys) =>
        counted(async () => {
          const seen = await Promise.all(keys.map((key) => ctx.call(counters, key).seen()));
          return Object.fromEntries(keys.map((key, at) => [key, seen[at] as CounterState]));
        }),
    },
  );
}

/** Windows, sessions, what is withdrawn, duplicates, calls of a service. */
function windowsFlow(version: number): FlowDefinition {
  const left = flow("windows", { drops: DROPPED.windows }).from(Left, { time: "at", outOfOrderness });
  const kept = left.filter((e) => e.v.gt(0)).map((e) => ({ n: e.n, k: e.k, v: e.v.mul(2), at: e.at }));
  const tumbled = kept
    .keyBy("k")
    .shards(SHARDS)
    .window(tumbling(RULES.tumbling.size))
    .allowedLateness(RULES.tumbling.lateness)
    .aggregate({ count: count(), total: sum("v") })
    .named("tumbled");
  const sessions = left
    .keyBy("k")
    .shards(SHARDS)
    .window(session(RULES.session.gap))
    .allowedLateness(RULES.session.lateness)
    .aggregate({ count: count(), total: sum("v"), most: max("v") })
    .named("sessions");
  const totals = sessions
    .keyBy("k")
    .shards(SHARDS)
    .aggregate({ sessions: count(), total: sum("total") })
    .named("totals");
  const firsts = left
    .keyBy("v")
    .shards(SHARDS)
    .deduplicate({ ttl: firstsTtl(version) })
    .named("firsts");
  const ends = [
    left.map((e) => ({ n: version === 0 ? e.n : e.n.add(markOf(version)) })).toStream(OUT.windowsLog),
    tumbled.toView("tumbled"),
    tumbled.toStream(OUT.tumbled),
    sessions.toView("sessions"),
    totals.toView("totals"),
    firsts.call(counters, "add", { key: (e) => e.k, input: (e) => ({ n: Number(e.n), v: Number(e.v) }) }),
  ];
  if (!isCounting(version)) return together(ends, version);
  const since = left
    .keyBy("k")
    .shards(SHARDS)
    .aggregate({ count: count(), total: sum("v") })
    .named("counted");
  const newer = left.filter((e) => e.v.gt(RULES.newerAbove)).map((e) => ({ n: e.n }));
  return together([since.toView("counted"), ...ends, newer.toStream(OUT.newer)], version);
}

function together(ends: readonly FlowDefinition[], version: number): FlowDefinition {
  const [first, ...more] = isTurned(version) ? ends.toReversed() : ends;
  return sinks(first as FlowDefinition, ...more);
}

/** Joins of every kind, sliding windows of two sources, a look into a service, messages. */
function joinsFlow(version: number): FlowDefinition {
  const f = flow("joins", { drops: DROPPED.joins });
  const begin = {
    left: () => f.from(Left, { time: "at", outOfOrderness }),
    right: () => f.from(Right, { time: "at", outOfOrderness }),
  };
  // Sources are named in their order.
  const early = isTurned(version) ? begin.right() : null;
  const left = begin.left();
  const right = early ?? begin.right();
  const both = isTurned(version) ? right.union(left) : left.union(right);
  const slid = both
    .keyBy("k")
    .shards(SHARDS)
    .window(sliding(RULES.sliding.size, RULES.sliding.slide))
    .aggregate({ count: count(), total: sum("v") })
    .named("slid");
  const join = left.keyBy("k").shards(SHARDS).join(right.keyBy("k"));
  const near = join
    .within(RULES.near)
    .where((a, b) => a.v.ne(b.v))
    .select((a, b) => ({ l: a.n, r: b.n }))
    .named("near");
  const met = join
    .window(tumbling(RULES.met.size))
    .select((a, b) => ({ k: a.k, l: a.n, r: b.n }))
    .named("met");
  const table = join.table();
  const newest = (isTurned(version) ? table.where((a, b) => a.n.ne(b.n)) : table)
    .select((a, b) => ({ n: a.n, r: b.n }))
    .named("newest");
  const looked = left.lookup(counters, "count", {
    key: (e) => e.k,
    fields: OUT.looked.fields,
    select: ({ n }, found) => ({ n, count: found }),
  });
  const log = both.map((e) => ({ n: version === 0 ? e.n : e.n.add(markOf(version)) })).toStream(OUT.joinsLog);
  const ends = [
    slid.toStream(OUT.slid),
    near.toStream(OUT.near),
    met.call(counters, "meet", {
      key: (e) => e.k,
      input: (e) => ({ l: Number(e.l), r: Number(e.r) }),
      as: "message",
    }),
    newest.toView("newest", { key: "n" }),
    looked.toStream(OUT.looked),
  ];
  // First in each version: where the state of a flow is follows from the first stream of the version that begins it.
  return together(isTurned(version) ? [...ends, log] : [log, ...ends], version);
}

/** What functions emit: groups without windows, the last of each key, user code with timers. */
function emitsFlow(version: number): FlowDefinition {
  const emitted = flow("emits", { drops: isRefusing(version) ? [] : DROPPED.emits }).from(Emitted, {
    time: "at",
    outOfOrderness: RULES.emittedOutOfOrderness,
  });
  const events = isTurned(version) ? emitted.filter((e) => e.n.ge(0)) : emitted;
  const keyed = events.keyBy("k").shards(SHARDS);
  const fired = keyed
    .shards(isRefusing(version) ? SHARDS + 1 : SHARDS)
    .process({
      fields: OUT.fired.fields,
      state: () => ({ n: 0 }),
      onEvent(ctx, event) {
        ctx.state.n += 1;
        ctx.timer(Number(event.at) + RULES.timer);
      },
      onTimer: (ctx, at) => ctx.emit({ k: String(ctx.key), at, n: ctx.state.n }),
    })
    .named("fired");
  const ends = [
    events.map((e) => ({ n: version === 0 ? e.n : e.n.add(markOf(version)) })).toStream(OUT.emitsLog),
    keyed.aggregate({ count: count(), total: sum("v"), least: min("v") }).toView("running"),
    keyed.deduplicate({ keep: "last" }).toView("last", { key: "k" }),
    fired.toStream(OUT.fired),
  ];
  return together(ends, version);
}

/** Sources that fall idle, and windows of the server's time: the flow goes on by itself. */
function idleFlow(version: number): FlowDefinition {
  const f = flow("idle");
  const options = { time: "at", outOfOrderness, idle: RULES.idle } as const;
  const union = f.from(Left, options).union(f.from(Right, options));
  const both = isTurned(version) ? union.filter((e) => e.n.ge(0)) : union;
  const keyed = both.keyBy("k").shards(SHARDS);
  const idled = keyed
    .window(tumbling(RULES.idled.size))
    .aggregate({ count: count(), total: sum("v") })
    .named("idled");
  const processed = keyed
    .window(processing(tumbling(RULES.processed.size)))
    .aggregate({ count: count(), total: sum("v") })
    .named("processed");
  const ends = [
    both.map((e) => ({ n: e.n })).toStream(OUT.idleLog),
    idled.toView("idled"),
    idled.toStream(OUT.idled),
    processed.toStream(OUT.processed),
  ];
  return together(ends, version);
}

function kernelFlow(version: number): FlowDefinition {
  const windows = flow("kernel")
    .from(Kernel, { time: "at", outOfOrderness })
    .filter((e) => e.v.gt(0))
    .keyBy("k")
    .window(tumbling(RULES.kernel.size));
  const common = { count: count(), total: sum("v") };
  // Another measure is other state.
  if (isRefusing(version)) return windows.aggregate({ ...common, at: min("at") }).toView("kernel");
  return windows.aggregate({ ...common, least: min("v") }).toView("kernel");
}

/** A batch goes through them in this order. */
export const simulatedFlows = (version = 0): FlowDefinition[] => [
  windowsFlow(version),
  joinsFlow(version),
  emitsFlow(version),
  idleFlow(version),
  kernelFlow(version),
];
