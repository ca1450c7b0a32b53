/** What a drawn flow must show: each node by lists of what it was given, batch by batch, without shares, entries or compiled expressions. */
import {
  type Graph,
  inputsOf,
  isKeyed,
  type Node,
  nodeOf,
  OUT_OF_ORDERNESS,
  PAIRED,
  rowViewsOf,
  shownNodes,
  type StreamName,
  VALUES,
} from "./graph.ts";
import { type Kept, keptBy, mustLose } from "./losses.ts";

export interface Event {
  readonly k: number;
  readonly v: number;
  readonly at: number;
}
/** A row that comes, or is taken back. */
interface Change {
  readonly k: number;
  readonly v: number;
  /** Event time, where it is that of an event. */
  readonly at: number;
  readonly sign: 1 | -1;
}

type Running = Extract<Node, { readonly op: "running" }>;
type Window = Extract<Node, { readonly op: "window" }>;
type Sessions = Extract<Node, { readonly op: "session" }>;

interface Session {
  readonly rows: readonly Change[];
  /** What was given of it, or of those that it has swallowed. */
  readonly given: readonly Change[];
}

/** Of a keyed node since it began. */
class State {
  /** By the texts of groups, or of windows: rows that it has, each as often as it came and was not taken back. */
  readonly groups = new Map<string, Change[]>();
  readonly left: Change[] = [];
  readonly right: Change[] = [];
  readonly newest = new Map<number, Change>();
  /** Those that have ended, too. */
  sessions: Session[] = [];
  /** Rows that came too late, of the last batch. */
  late = 0;
  /** How far its time has come. */
  mark = Number.NEGATIVE_INFINITY;
}

export class Oracle {
  #graph: Graph;
  #states = new Map<string, State>();
  /** By view that keeps rows: the row of each key. */
  #rows = new Map<string, Map<number, Change>>();
  /** How far time has come in each stream, while it was read. */
  readonly #reached = new Map<StreamName, number>();

  /** What the flow keeps, as the version had it that took the last batch. */
  #kept: Kept = new Map();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** What another version must lose. */
  losses(graph: Graph): ReadonlySet<string> {
    return mustLose(this.#kept, graph);
  }

  /** The flow is changed, and operators lose what they have. */
  change(graph: Graph, dropped: readonly string[]): void {
    this.#graph = graph;
    const names = new Set(shownNodes(graph).map(({ id }) => id));
    for (const name of dropped) this.#states.delete(name);
    for (const name of this.#states.keys())
      if (!names.has(name)) throw new Error(`${name} is gone, and nobody was asked whether its state may be lost`);
    const views = new Set(rowViewsOf(this.#graph).map(({ id }) => id));
    for (const name of this.#rows.keys()) {
      if (dropped.includes(`view-${name}`)) this.#rows.delete(name);
      else if (!views.has(name)) throw new Error(`view ${name} is gone, and nobody was asked`);
    }
  }

  get streams(): readonly StreamName[] {
    return shownNodes(this.#graph).flatMap((node) => (node.op === "source" ? [node.stream] : []));
  }

  /** Takes a batch. Returns how many rows came too late. @throws Error where an operator takes back what it was never given */
  take(stream: StreamName, events: readonly Event[]): number {
    this.#kept = keptBy(this.#graph);
    let late = 0;
    const changes = new Map<string, readonly Change[]>();
    const sources = new Map<string, readonly StreamName[]>();
    const latest = Math.max(...events.map(({ at }) => at)) - OUT_OF_ORDERNESS;
    this.#reached.set(stream, Math.max(this.#reached.get(stream) ?? Number.NEGATIVE_INFINITY, latest));
    for (const node of shownNodes(this.#graph)) {
      const inputs = inputsOf(node).map((id) => changes.get(id) as readonly Change[]);
      sources.set(
        node.id,
        node.op === "source" ? [node.stream] : inputsOf(node).flatMap((id) => sources.get(id) ?? []),
      );
      if (node.op === "source") {
        changes.set(node.id, node.stream === stream ? events.map((event) => ({ ...event, sign: 1 as const })) : []);
      } else if (isKeyed(node)) {
        const state = this.#states.get(node.id) ?? new State();
        this.#states.set(node.id, state);
        const reached = (sources.get(node.id) ?? []).map((each) => this.#reached.get(each) ?? Number.NEGATIVE_INFINITY);
        const before = state.mark;
        state.mark = Math.max(before, Math.min(...reached));
        state.late = 0;
        changes.set(node.id, keyed(node, state, before, inputs));
        late += state.late;
      } else changes.set(node.id, plain(node, inputs));
    }
    for (const { id, of } of rowViewsOf(this.#graph)) {
      const rows = this.#rows.get(id) ?? new Map<number, Change>();
      this.#rows.set(id, rows);
      for (const change of changes.get(of) as readonly Change[]) {
        if (change.sign > 0) rows.set(change.k, change);
        else if (rows.get(change.k)?.v === change.v) rows.delete(change.k);
      }
    }
    return late;
  }

  /** What a node's results are by now; null where it gives events, which stay. */
  #current(id: string): readonly Change[] | null {
    const node = nodeOf(this.#graph, id);
    const state = this.#states.get(id);
    switch (node.op) {
      case "running": {
        const groups = [...(state as State).groups.values()].filter(({ length }) => length > 0);
        return groups.map((rows) => resultRow(node, rows, 1));
      }
      case "last":
        return [...(state as State).newest.values()];
      case "filter":
      case "map":
      case "rekey": {
        const of = this.#current(node.of);
        return of === null ? null : plain(node, [of]);
      }
      default:
        return null;
    }
  }

  /** Rows that a view shows though they are no results any more. */
  stale(id: string): readonly object[] {
    const of = this.#graph.views.find((view) => view.id === id)?.of as string;
    const current = this.#current(of);
    const shown = [...(this.#rows.get(id)?.values() ?? [])];
    if (current === null) return [];
    return shown.filter((row) => !current.some(({ k, v }) => k === row.k && v === row.v));
  }

  view(id: string): readonly object[] {
    const of = this.#graph.views.find((view) => view.id === id)?.of as string;
    const node = nodeOf(this.#graph, of);
    const shown = ({ k, v }: Change): object => ({ k, v });
    // Of what an operator keeps anyway.
    if (node.op === "last") return [...(this.#states.get(of) as State).newest.values()].map(shown);
    if (node.op === "window") return windowRows(node, this.#states.get(of) as State);
    if (node.op === "session") return sessionRows(node, this.#states.get(of) as State);
    if (node.op !== "running") return [...(this.#rows.get(id) as Map<number, Change>).values()].map(shown);
    const groups = [...(this.#states.get(of) as State).groups.values()].filter(({ length }) => length > 0);
    return groups.map((rows) => ({ ...keyOf(node.keys, rows[0] as Change), n: rows.length, s: sumOf(rows) }));
  }
}

function plain(node: Node, [of = [], and = []]: ReadonlyArray<readonly Change[]>): readonly Change[] {
  switch (node.op) {
    case "filter":
      return of.filter(({ v }) => v % node.mod === node.rest);
    case "map":
      return of.map((change) => ({ ...change, v: (change.v * node.by + node.plus) % VALUES }));
    case "rekey":
      return of.map((change) => ({ ...change, k: change.k % node.mod }));
    case "union":
      return [...of, ...and];
    default:
      throw new Error(`${node.op} keeps something`);
  }
}

function keyed(
  node: Node,
  state: State,
  before: number,
  [of = [], and = []]: ReadonlyArray<readonly Change[]>,
): readonly Change[] {
  switch (node.op) {
    case "running":
      return running(node, state, of);
    case "window":
      return windows(node, state, before, of);
    case "session":
      return sessions(node, state, before, of);
    case "last":
      return last(state, of);
    case "first":
      return first(state, of);
    case "pairs": {
      const given = [...pairs(of, [...state.right, ...and]), ...pairs(state.left, and)];
      state.left.push(...of);
      state.right.push(...and);
      return given;
    }
    case "table": {
      for (const change of and) {
        const known = state.newest.get(change.k);
        if (known === undefined || known.at <= change.at) state.newest.set(change.k, change);
      }
      return pairs(of, [...state.newest.values()]);
    }
    default:
      throw new Error(`${node.op} keeps nothing`);
  }
}

function running(node: Running, { groups }: State, changes: readonly Change[]): readonly Change[] {
  const touched = new Map<string, readonly Change[]>();
  for (const change of changes) {
    const group = JSON.stringify(keyOf(node.keys, change));
    const rows = groups.get(group) ?? [];
    if (!touched.has(group)) touched.set(group, [...rows]);
    groups.set(group, rows);
    if (change.sign > 0) rows.push(change);
    else takeBack(node.id, rows, change);
  }
  return [...touched].flatMap(([group, old]) => {
    const result = (rows: readonly Change[], sign: 1 | -1): Change[] =>
      rows.length === 0 ? [] : [resultRow(node, rows, sign)];
    return [...result(old, -1), ...result(groups.get(group) ?? [], 1)];
  });
}

/** @param rows of a group, at least one */
function resultRow(node: Running, rows: readonly Change[], sign: 1 | -1): Change {
  return { k: numberOf(node.keys, rows[0] as Change), v: resultOf(node, rows), at: 0, sign };
}

function takeBack(id: string, rows: Change[], { k, v }: Change): void {
  const at = rows.findIndex((row) => row.k === k && row.v === v);
  if (at < 0) throw new Error(`${id} takes back k ${k}, v ${v}, which it was not given`);
  rows.splice(at, 1);
}

function windowRows(node: Window, { groups, mark }: State): readonly object[] {
  return [...groups].map(([window, rows]) => {
    const [end, key] = JSON.parse(window) as [number, number];
    return { key, ...shownWindow(node, end - node.size, end, rows, mark) };
  });
}

function sessionRows(node: Sessions, { sessions: all, mark }: State): readonly object[] {
  return all.map(({ rows }) => {
    const times = rows.map(({ at }) => at);
    const end = Math.max(...times) + node.gap;
    return { key: rows[0]?.k, ...shownWindow(node, Math.min(...times), end, rows, mark) };
  });
}

function shownWindow(
  { lateness }: Window | Sessions,
  start: number,
  end: number,
  rows: readonly Change[],
  mark: number,
): object {
  return { window: { start, end }, n: rows.length, s: sumOf(rows), final: end + lateness <= mark };
}

function windows(node: Window, state: State, before: number, changes: readonly Change[]): readonly Change[] {
  const { groups, mark } = state;
  const touched = new Map<string, readonly Change[]>();
  for (const change of changes) {
    const last = Math.floor(change.at / node.slide) * node.slide;
    if (last + node.size + node.lateness <= before) state.late += 1;
    for (let start = last; start > change.at - node.size; start -= node.slide) {
      const end = start + node.size;
      if (end + node.lateness <= before) continue;
      const window = JSON.stringify([end, change.k]);
      const rows = groups.get(window) ?? [];
      if (!touched.has(window)) touched.set(window, [...rows]);
      groups.set(window, rows);
      rows.push(change);
    }
  }
  const given: Change[] = [];
  for (const [window, rows] of groups) {
    const [end, k] = JSON.parse(window) as [number, number];
    const result = (of: readonly Change[], sign: 1 | -1): Change => ({ k, v: resultOf(node, of), at: 0, sign });
    if (end > mark) continue;
    if (end > before) given.push(result(rows, 1));
    else if (touched.has(window)) {
      const old = touched.get(window) as readonly Change[];
      if (old.length > 0) given.push(result(old, -1));
      given.push(result(rows, 1));
    }
  }
  return given;
}

/** The sessions that still take any, and the batch's events, as one where they are near; what had ended even so is late. */
function sessions(node: Sessions, state: State, before: number, changes: readonly Change[]): readonly Change[] {
  const endOf = ({ rows }: Session): number => Math.max(...rows.map(({ at }) => at)) + node.gap;
  const isOpen = (one: Session): boolean => endOf(one) + node.lateness > before;
  const areNear = (one: Session, other: Session): boolean =>
    one.rows.some((a) => other.rows.some((b) => a.k === b.k && Math.abs(a.at - b.at) < node.gap));
  let joined: Session[] = state.sessions.filter(isOpen);
  for (const change of changes) {
    const one = { rows: [change], given: [] };
    const near = joined.filter((other) => areNear(one, other));
    const all = [...near, one];
    const swallowed = { rows: all.flatMap(({ rows }) => rows), given: all.flatMap(({ given }) => given) };
    joined = [...joined.filter((other) => !near.includes(other)), swallowed];
  }
  const given: Change[] = [];
  for (const one of joined) if (!isOpen(one)) state.late += one.rows.length;
  const ended = state.sessions.filter((one) => !isOpen(one));
  const open = joined.filter(isOpen).map((one) => {
    const [first] = one.rows as [Change, ...Change[]];
    const isOver = endOf(one) <= state.mark;
    const now: Change[] = isOver ? [{ k: first.k, v: resultOf(node, one.rows), at: 0, sign: 1 }] : [];
    if (!state.sessions.includes(one)) given.push(...one.given.map((old) => ({ ...old, sign: -1 as const })), ...now);
    else if (one.given.length === 0) given.push(...now);
    return { ...one, given: now };
  });
  state.sessions = [...ended, ...open];
  return given;
}

function last({ newest }: State, changes: readonly Change[]): readonly Change[] {
  const replaced = new Map<number, Change | undefined>();
  for (const change of changes) {
    const known = newest.get(change.k);
    if (known !== undefined && change.at < known.at) continue;
    if (!replaced.has(change.k)) replaced.set(change.k, known);
    newest.set(change.k, change);
  }
  return [...replaced].flatMap(([k, old]) => [
    ...(old === undefined ? [] : [{ ...old, sign: -1 as const }]),
    newest.get(k) as Change,
  ]);
}

function first({ newest }: State, changes: readonly Change[]): readonly Change[] {
  return changes.filter((change) => {
    if (newest.has(change.k)) return false;
    newest.set(change.k, change);
    return true;
  });
}

function pairs(left: readonly Change[], right: readonly Change[]): Change[] {
  return left.flatMap((one) =>
    right.flatMap((other) => (one.k === other.k ? [{ ...one, v: (one.v + other.v) % VALUES }] : [])),
  );
}

const sumOf = (rows: readonly Change[]): number => rows.reduce((sum, { v }) => sum + v, 0);
const resultOf = ({ out }: { readonly out: "count" | "sum" }, rows: readonly Change[]): number =>
  out === "count" ? rows.length : sumOf(rows);

function keyOf(keys: Running["keys"], { k, v }: Change): object {
  return { none: {}, k: { k }, v: { v }, both: { k, v } }[keys];
}

/** The key of a result. */
function numberOf(keys: Running["keys"], { k, v }: Change): number {
  return { none: 0, k, v, both: k * PAIRED + v }[keys];
}
