/** What a drawn flow must show: each node by lists of what it was given, batch by batch, without shares, entries or compiled expressions. */
import { type Graph, inputsOf, isKeyed, nodeOf, rowViewsOf, shownNodes, type StreamName } from "./graph.ts";
import { type Kept, keptBy, mustLose, replaced } from "./losses.ts";
import { groupsOf, keyed, keyOf, lasts, plain, resultRow } from "./operators.ts";
import { type Change, shownGroup, State, sumOf } from "./state.ts";
import { asWindow, sessionRows, windowRows } from "./windows.ts";

export interface Event {
  readonly k: number;
  readonly v: number;
  readonly at: number;
}

export class Oracle {
  readonly #outOfOrderness: number;
  #graph: Graph;
  #states = new Map<string, State>();
  /** By view that keeps rows: the row of each key. */
  #rows = new Map<string, Map<number, Change>>();
  /** By view that keeps rows: how far its time has come. */
  readonly #marks = new Map<string, number>();
  /** How far time has come in each stream, while it was read. */
  readonly #reached = new Map<StreamName, number>();

  /** What the flow keeps, as the version had it that took the last batch. */
  #kept: Kept = new Map();

  /** @param outOfOrderness how far behind the latest event time is, ms */
  constructor(graph: Graph, outOfOrderness: number) {
    this.#graph = graph;
    this.#outOfOrderness = outOfOrderness;
  }

  /** What another version must lose. */
  losses(graph: Graph): ReadonlySet<string> {
    return mustLose(this.#kept, graph);
  }

  /** What it does not show any more before it has taken anything. */
  replaced(graph: Graph): ReadonlySet<string> {
    return replaced(this.#kept, graph);
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
      if (dropped.includes(`view-${name}`)) this.#forget(name);
      else if (!views.has(name)) throw new Error(`view ${name} is gone, and nobody was asked`);
    }
  }

  #forget(view: string): void {
    this.#rows.delete(view);
    this.#marks.delete(view);
  }

  get streams(): readonly StreamName[] {
    return shownNodes(this.#graph).flatMap((node) => (node.op === "source" ? [node.stream] : []));
  }

  /**
   * Takes a batch. Returns how many rows came too late.
   * @param stream null where the flow goes on by itself, since time has come further
   * @param clock the server's time, ms
   * @throws Error where an operator takes back what it was never given
   */
  take(stream: StreamName | null, events: readonly Event[], clock = Number.NEGATIVE_INFINITY): number {
    this.#kept = keptBy(this.#graph);
    let late = 0;
    const changes = new Map<string, readonly Change[]>();
    const sources = new Map<string, readonly StreamName[]>();
    const latest = Math.max(...events.map(({ at }) => at)) - this.#outOfOrderness;
    if (stream !== null)
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
        const state = this.#stateOf(node.id);
        this.#states.set(node.id, state);
        const before = state.mark;
        state.mark = Math.max(before, node.op === "clock" ? clock : this.#least(sources.get(node.id)));
        state.late = 0;
        changes.set(node.id, keyed(node, state, before, inputs));
        late += state.late;
      } else changes.set(node.id, plain(node, inputs));
    }
    for (const { id, of } of rowViewsOf(this.#graph)) {
      const rows = this.#rows.get(id) ?? new Map<number, Change>();
      this.#rows.set(id, rows);
      this.#marks.set(id, Math.max(this.#marks.get(id) ?? Number.NEGATIVE_INFINITY, this.#least(sources.get(of))));
      for (const change of changes.get(of) as readonly Change[]) {
        if (change.sign > 0) rows.set(change.k, change);
        else if (rows.get(change.k)?.v === change.v) rows.delete(change.k);
      }
    }
    return late;
  }

  #least(streams: readonly StreamName[] = []): number {
    return Math.min(...streams.map((each) => this.#reached.get(each) ?? Number.NEGATIVE_INFINITY));
  }

  /** How far time has come for all that has state, by name; null where it has not begun. */
  get watermarks(): Readonly<Record<string, number | null>> {
    const operators = shownNodes(this.#graph).filter(isKeyed);
    return Object.fromEntries([
      ...operators.map(({ id }) => [id, markOf(this.#stateOf(id).mark)]),
      ...rowViewsOf(this.#graph).map(({ id }) => [`view-${id}`, markOf(this.#marks.get(id))]),
    ]);
  }

  /** Of a view. */
  watermark(id: string): number | null {
    const keepsRows = rowViewsOf(this.#graph).some((view) => view.id === id);
    return this.watermarks[keepsRows ? `view-${id}` : this.#shownBy(id)] ?? null;
  }

  #shownBy(view: string): string {
    return this.#graph.views.find(({ id }) => id === view)?.of as string;
  }

  /** Empty before its first batch. */
  #stateOf(id: string): State {
    return this.#states.get(id) ?? new State();
  }

  /** What a node's results are by now; null where it gives events, which stay. */
  #current(id: string): readonly Change[] | null {
    const node = nodeOf(this.#graph, id);
    const state = this.#stateOf(id);
    switch (node.op) {
      case "running":
      case "peak":
        // What was given of a key that is forgotten stays.
        return node.ttl === null ? groupsOf(node, state).map((rows) => resultRow(node, rows)) : null;
      case "last":
        return node.ttl === null ? [...state.newest.values()] : null;
      case "filter":
      case "map":
      case "code":
      case "lookup":
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
    const current = this.#current(this.#shownBy(id));
    const shown = [...(this.#rows.get(id)?.values() ?? [])];
    if (current === null) return [];
    return shown.filter((row) => !current.some(({ k, v }) => k === row.k && v === row.v));
  }

  view(id: string): readonly object[] {
    const of = this.#shownBy(id);
    const node = nodeOf(this.#graph, of);
    const shown = ({ k, v }: Change): object => ({ k, v });
    // Of what an operator keeps anyway.
    if (node.op === "last") {
      const { newest, mark } = this.#stateOf(of);
      return [...newest.values()].filter(({ at }) => lasts(node, at, mark)).map(shown);
    }
    if (node.op === "clock") return windowRows(asWindow(node), this.#stateOf(of));
    if (node.op === "window") return windowRows(node, this.#stateOf(of));
    if (node.op === "session") return sessionRows(node, this.#stateOf(of));
    if (node.op === "peak")
      return groupsOf(node, this.#stateOf(of)).map((rows) => ({ k: rows[0]?.k, ...shownGroup(rows) }));
    if (node.op !== "running") return [...(this.#rows.get(id)?.values() ?? [])].map(shown);
    const keys = (rows: readonly Change[]): object => keyOf(node.keys, rows[0] as Change);
    return groupsOf(node, this.#stateOf(of)).map((rows) => ({ ...keys(rows), n: rows.length, s: sumOf(rows) }));
  }
}

const markOf = (mark = Number.NEGATIVE_INFINITY): number | null => (Number.isFinite(mark) ? mark : null);
