/** Flows as plain data, which can be drawn, changed, built and evaluated: every node gives rows of a key and a value, both whole numbers. */
import {
  count,
  distinct,
  type Events,
  type FlowDefinition,
  int64,
  max,
  processing,
  session,
  sliding,
  sum,
  tumbling,
} from "../../../sdk/index.ts";
import { lookups } from "./lookups.ts";

export type StreamName = "in" | "other";

/** Values that a map gives are below. */
export const VALUES = 64;
/** A key of both fields is the first times this, and the second. */
export const PAIRED = 1_000;

export type RunningKeys = "none" | "k" | "v" | "both";
export type Output = "count" | "sum" | "max";

/** What a node does, and which nodes it reads. */
export type Op =
  | { readonly op: "source"; readonly stream: StreamName }
  | { readonly op: "filter"; readonly of: string; readonly mod: number; readonly rest: number }
  | { readonly op: "map"; readonly of: string; readonly by: number; readonly plus: number }
  | { readonly op: "rekey"; readonly of: string; readonly mod: number }
  | { readonly op: "union"; readonly of: string; readonly and: string }
  | {
      readonly op: "running";
      readonly of: string;
      readonly keys: RunningKeys;
      readonly out: Exclude<Output, "max">;
      /** Ms of event time, after which a key is forgotten that was not seen. */
      readonly ttl: number | null;
    }
  /** Aggregates that take nothing back. */
  | { readonly op: "peak"; readonly of: string; readonly ttl: number | null; readonly out: Output }
  | {
      readonly op: "window";
      readonly of: string;
      readonly size: number;
      /** As the size, where windows do not overlap. */
      readonly slide: number;
      readonly lateness: number;
      readonly out: Output;
    }
  | {
      readonly op: "session";
      readonly of: string;
      readonly gap: number;
      readonly lateness: number;
      readonly out: Output;
    }
  /** Windows of the server's time. */
  | { readonly op: "clock"; readonly of: string; readonly size: number; readonly out: Output }
  | { readonly op: "last"; readonly of: string; readonly ttl: number | null }
  /** With a time to live of what was seen. */
  | { readonly op: "first"; readonly of: string; readonly ttl: number | null }
  /** A function of the user's, for each row any number of them. */
  | { readonly op: "code"; readonly of: string }
  /** What a service knows of its key is added, or it is dropped. */
  | { readonly op: "lookup"; readonly of: string }
  /** User code with state and timers for each key. */
  | { readonly op: "process"; readonly of: string }
  /** How long both are kept, ms of event time. */
  | { readonly op: "pairs"; readonly of: string; readonly and: string; readonly keep: number | null }
  /** Of near times, and where the left is not the greater. */
  | {
      readonly op: "within";
      readonly of: string;
      readonly and: string;
      readonly before: number;
      readonly after: number;
    }
  /** In the same window. */
  | { readonly op: "meet"; readonly of: string; readonly and: string; readonly size: number; readonly slide: number }
  /** What comes with the newest of the other. */
  | { readonly op: "table"; readonly of: string; readonly and: string };

export type Node = Op & { readonly id: string };
export interface View {
  readonly id: string;
  readonly of: string;
}
export interface Graph {
  /** Each behind those that it reads. */
  readonly nodes: readonly Node[];
  readonly views: readonly View[];
}

const KEYED: ReadonlySet<Op["op"]> = new Set([
  "running",
  "peak",
  "window",
  "session",
  "clock",
  "last",
  "first",
  "process",
  "pairs",
  "within",
  "meet",
  "table",
]);
export const isKeyed = ({ op }: Op): boolean => KEYED.has(op);

export function inputsOf(node: Op): readonly string[] {
  if (node.op === "source") return [];
  return "and" in node ? [node.of, node.and] : [node.of];
}

/** What may follow a node. */
export interface Traits {
  /** It takes back what it gave. */
  readonly changes: boolean;
  /** For how long, ms of event time. */
  readonly life: number;
  /** At any time there is one row of a key at the most. */
  readonly unique: boolean;
  /** Its rows have the times of events. */
  readonly timed: boolean;
  /** In which order rows of a batch come is known: of all, of those of one key, or not. */
  readonly ordered: 0 | 1 | 2;
  /** Pairs, which are not paired again: of few rows there would soon be very many. */
  readonly paired: boolean;
  /** Taken back by what a service answers then: nothing is counted behind that. */
  readonly asked: boolean;
  /** Whose batches lead to rows of it. */
  readonly streams: ReadonlySet<StreamName>;
}

export function traitsOf({ nodes }: Graph): ReadonlyMap<string, Traits> {
  const known = new Map<string, Traits>();
  for (const node of nodes) {
    const [first, second = first] = inputsOf(node).map((id) => known.get(id) as Traits);
    const streams =
      node.op === "source" ? [node.stream] : [first, second].flatMap((each) => [...(each?.streams ?? [])]);
    known.set(node.id, { ...traits(node, first, second), streams: new Set(streams) });
  }
  return known;
}

const EVENTS = {
  changes: false,
  life: 0,
  unique: false,
  timed: true,
  ordered: 0,
  paired: false,
  asked: false,
} as const;
const resultsOf = (ttl: number | null) =>
  ({ ...EVENTS, changes: true, life: ttl ?? Infinity, unique: ttl === null, timed: false }) as const;

function traits(node: Node, first: Traits | undefined, second: Traits | undefined): Omit<Traits, "streams"> {
  if (node.op === "source" || first === undefined || second === undefined) return { ...EVENTS, ordered: 2 };
  const timed = first.timed && second.timed;
  switch (node.op) {
    case "filter":
    case "map":
      return first;
    case "lookup":
      return { ...first, asked: first.changes };
    case "rekey":
      return { ...first, unique: false, ordered: first.ordered === 2 ? 2 : 0 };
    case "code":
      return { ...first, unique: false };
    case "union": {
      const ordered = Math.min(first.ordered, second.ordered) as Traits["ordered"];
      return {
        changes: first.changes || second.changes,
        life: Math.max(first.life, second.life),
        unique: false,
        timed,
        ordered,
        paired: first.paired || second.paired,
        asked: first.asked || second.asked,
      };
    }
    case "last":
    case "running":
    case "peak":
      return resultsOf(node.ttl);
    case "window":
    case "session":
      return node.lateness === 0 ? EVENTS : { ...EVENTS, changes: true, life: node.lateness + 1 };
    case "clock":
      return { ...EVENTS, timed: false };
    case "first":
      return { ...EVENTS, unique: node.ttl === null, ordered: 1 };
    case "process":
      return { ...EVENTS, ordered: 1, paired: first.paired };
    case "pairs":
    case "within":
    case "meet":
      return { ...EVENTS, timed, paired: true };
    case "table":
      return { ...EVENTS, timed: first.timed, paired: first.paired };
  }
}

/** Whether a node may read what it reads, as the library and the evaluation have it. */
export function isSound(graph: Graph): boolean {
  const before = new Set<string>();
  for (const node of graph.nodes) {
    if (!inputsOf(node).every((id) => before.has(id))) return false;
    before.add(node.id);
  }
  const known = traitsOf(graph);
  const reads = graph.nodes.every((node) =>
    mayRead(
      node,
      inputsOf(node).map((id) => known.get(id) as Traits),
    ),
  );
  return reads && graph.views.every(({ of }) => isShown(graph, known, of));
}

function mayRead(node: Node, inputs: readonly Traits[]): boolean {
  const areEvents = inputs.every(({ changes }) => !changes);
  const areTimed = areEvents && inputs.every(({ timed }) => timed);
  switch (node.op) {
    case "running":
      return inputs.every(({ asked, life }) => !asked && life <= (node.ttl ?? Infinity));
    case "window":
    case "session":
    case "peak":
      return areTimed;
    case "last":
    case "first":
    case "process":
      return areTimed && inputs.every(({ ordered }) => ordered > 0);
    case "clock":
      return areEvents;
    case "pairs":
      return (node.keep === null ? areEvents : areTimed) && inputs.every(({ paired }) => !paired);
    case "within":
    case "meet":
      return areTimed && inputs.every(({ paired }) => !paired);
    case "table": {
      const [left, right] = inputs as [Traits, Traits];
      const isTable = right.timed && right.ordered > 0;
      // No batch has rows of both: which come first nobody says.
      return areEvents && isTable && [...left.streams].every((each) => !right.streams.has(each));
    }
    default:
      return true;
  }
}

/** A view shows what an operator keeps, or rows by their key: one of a key, or the last that came. */
function isShown(graph: Graph, known: ReadonlyMap<string, Traits>, of: string): boolean {
  const { unique, ordered, changes } = known.get(of) as Traits;
  return KEEPING.has(nodeOf(graph, of).op) || unique || (ordered > 0 && !changes);
}

const WINDOWS: ReadonlySet<Op["op"]> = new Set(["window", "session", "clock"]);
const KEEPING: ReadonlySet<Op["op"]> = new Set([...WINDOWS, "running", "peak", "last"]);

export function nodeOf({ nodes }: Graph, id: string): Node {
  return nodes.find((node) => node.id === id) as Node;
}

/** Views that keep rows of their own. */
export function rowViewsOf(graph: Graph): readonly View[] {
  return graph.views.filter(({ of }) => !KEEPING.has(nodeOf(graph, of).op));
}

/** Views of windows as they are kept. */
export function windowViewsOf(graph: Graph): readonly View[] {
  return graph.views.filter(({ of }) => WINDOWS.has(nodeOf(graph, of).op));
}

/** Nodes that a view shows or that lead to one, in their order. */
export function shownNodes({ nodes, views }: Graph): readonly Node[] {
  const shown = new Set(views.map(({ of }) => of));
  for (const node of nodes.toReversed()) if (shown.has(node.id)) for (const id of inputsOf(node)) shown.add(id);
  return nodes.filter(({ id }) => shown.has(id));
}

/** What each node gives. */
type Rows = Events<{ k: ReturnType<typeof int64>; v: ReturnType<typeof int64> }>;
/** Called once at the most: a flow has what it reads of a stream in one place. */
export type Sources = Readonly<Record<StreamName, () => Rows>>;

/** The views of a graph, of what comes from some sources. */
export function viewsOf(graph: Graph, sources: Sources): FlowDefinition[] {
  const made = new Map<string, Built>();
  for (const node of shownNodes(graph)) made.set(node.id, built(node, sources, made));
  return graph.views.map(({ id, of }) => {
    const { rows, groups } = made.get(of) as Built;
    return groups === undefined ? rows.toView(id, { key: "k" }) : groups.toView(id);
  });
}

interface Built {
  readonly rows: Rows;
  /** What keeps groups is shown as it is. */
  readonly groups?: { toView(name: string): FlowDefinition };
}

const SHARDS = 2;

function built(node: Node, sources: Sources, made: ReadonlyMap<string, Built>): Built {
  if (node.op === "source") return { rows: sources[node.stream]() };
  const [of, and = of] = inputsOf(node).map((id) => (made.get(id) as Built).rows) as [Rows, Rows?];
  switch (node.op) {
    case "filter":
      return { rows: of.filter((e) => e.v.mod(node.mod).eq(node.rest)) };
    case "map":
      return { rows: of.map((e) => ({ k: e.k, v: e.v.mul(node.by).add(node.plus).mod(VALUES) })) };
    case "rekey":
      return { rows: of.map((e) => ({ k: e.k.mod(node.mod), v: e.v })) };
    case "union":
      return { rows: of.union(and as Rows) };
    case "running":
      return running(node, of);
    case "window":
    case "session":
    case "clock": {
      const windows = of.keyBy("k").shards(SHARDS).window(windowOf(node));
      const timely = node.op === "clock" ? windows : windows.allowedLateness(node.lateness);
      const groups = timely.aggregate(PLAIN).named(node.id);
      return { groups, rows: groups.map((e) => ({ k: e.k, v: e[OUTPUT[node.out]] })) };
    }
    case "peak": {
      const { ttl } = node;
      const groups = of.keyBy("k").shards(SHARDS).aggregate(PLAIN, ttlOf(ttl)).named(node.id);
      return { groups, rows: groups.map((e) => ({ k: e.k, v: e[OUTPUT[node.out]] })) };
    }
    case "last":
      return {
        rows: of
          .keyBy("k")
          .shards(SHARDS)
          .deduplicate({ keep: "last", ...ttlOf(node.ttl) })
          .named(node.id),
      };
    case "first": {
      const { ttl } = node;
      return {
        rows: of.keyBy("k").shards(SHARDS).deduplicate(ttlOf(ttl)).named(node.id),
      };
    }
    case "code":
      return { rows: of.flatMap(ROW, ({ k, v }) => copiesOf({ k: Number(k), v: Number(v) })) };
    case "lookup":
      return { rows: lookedUp(of) };
    case "process":
      return { rows: processed(of).named(node.id) };
    case "pairs":
    case "within":
    case "meet":
    case "table":
      return { rows: joined(node, of, and as Rows) };
  }
}

/** What aggregates come to that take nothing back. */
const PLAIN = { n: count(), s: sum("v"), m: max("v"), d: distinct("v") } as const;
const OUTPUT = { count: "n", sum: "s", max: "m" } as const satisfies Record<Output, keyof typeof PLAIN>;

function joined(node: Extract<Node, { readonly and: string }>, of: Rows, and: Rows): Rows {
  const join = of.keyBy("k").shards(SHARDS).join(and.keyBy("k"));
  const by = () => {
    switch (node.op) {
      case "pairs":
        return join.all(node.keep === null ? {} : { keep: node.keep });
      case "within":
        return join.within({ before: node.before, after: node.after }).where((a, b) => a.v.le(b.v));
      case "meet":
        return join.window(windowOf(node));
      default:
        return join.table();
    }
  };
  return by()
    .select((a, b) => ({ k: a.k, v: a.v.add(b.v).mod(VALUES) }))
    .named(node.id);
}

const ROW = { k: int64(), v: int64() };

/** What the user's function makes of a row. */
export function copiesOf<R extends { readonly k: number; readonly v: number }>(row: R): readonly R[] {
  return [row, { ...row, v: (row.v + 1) % VALUES }].slice(0, row.v % 3);
}

function lookedUp(of: Rows): Rows {
  return of.lookup(lookups, "offset", {
    key: (e) => e.k.toText(),
    input: ({ v }) => Number(v) % 2,
    fields: ROW,
    select: ({ k, v }, offset) => (offset === null ? null : { k, v: (Number(v) + offset) % VALUES }),
  });
}

/** When the user code sets a timer, ms behind an event. */
export const TIMER = 12;
/** What it gives for the so-manieth event of a key, and when a timer rings behind so many. */
export const counted = (n: number): number => n % VALUES;
export const rung = (n: number): number => (7 * n) % VALUES;

function processed(of: Rows): Rows {
  return of
    .keyBy("k")
    .shards(SHARDS)
    .process({
      fields: ROW,
      state: () => ({ n: 0 }),
      onEvent(ctx, { k }) {
        ctx.state.n += 1;
        ctx.emit({ k, v: counted(ctx.state.n) });
        ctx.timer(ctx.time + TIMER);
      },
      onTimer: (ctx) => ctx.emit({ k: Number(ctx.key), v: rung(ctx.state.n) }),
    });
}

const ttlOf = (ttl: number | null) => (ttl === null ? {} : { ttl });

function windowOf(node: Extract<Node, { readonly op: "window" | "session" | "clock" | "meet" }>) {
  if (node.op === "clock") return processing(tumbling(node.size));
  if (node.op === "session") return session(node.gap);
  return node.slide === node.size ? tumbling(node.size) : sliding(node.size, node.slide);
}

function running({ id, keys, out, ttl }: Extract<Node, { readonly op: "running" }>, of: Rows): Built {
  const outputs = { n: count(), s: sum("v") };
  const lived = ttlOf(ttl);
  const isCount = out === "count";
  switch (keys) {
    case "none": {
      const groups = of.keyBy().aggregate(outputs, lived).named(id);
      return { groups, rows: groups.map((e) => ({ k: e.n.mul(0), v: isCount ? e.n : e.s })) };
    }
    case "k": {
      const groups = of.keyBy("k").shards(SHARDS).aggregate(outputs, lived).named(id);
      return { groups, rows: groups.map((e) => ({ k: e.k, v: isCount ? e.n : e.s })) };
    }
    case "v": {
      const groups = of.keyBy("v").shards(SHARDS).aggregate(outputs, lived).named(id);
      return { groups, rows: groups.map((e) => ({ k: e.v, v: isCount ? e.n : e.s })) };
    }
    case "both": {
      const groups = of.keyBy("k", "v").shards(SHARDS).aggregate(outputs, lived).named(id);
      return { groups, rows: groups.map((e) => ({ k: e.k.mul(PAIRED).add(e.v), v: isCount ? e.n : e.s })) };
    }
  }
}
