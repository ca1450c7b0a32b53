/** What nodes make of the rows of a batch. */
import { copiesOf, counted, type Node, PAIRED, rung, TIMER, VALUES } from "./graph.ts";
import { meetings, pairs, pairsWithin, tablePairs } from "./joins.ts";
import { offsetOf } from "./lookups.ts";
import { type Change, resultOf, type State } from "./state.ts";
import { asWindow, sessions, windows } from "./windows.ts";

type Running = Extract<Node, { readonly op: "running" }>;

export function plain(node: Node, [of = [], and = []]: ReadonlyArray<readonly Change[]>): readonly Change[] {
  switch (node.op) {
    case "filter":
      return of.filter(({ v }) => v % node.mod === node.rest);
    case "map":
      return of.map((change) => ({ ...change, v: (change.v * node.by + node.plus) % VALUES }));
    case "rekey":
      return of.map((change) => ({ ...change, k: change.k % node.mod }));
    case "code":
      return of.flatMap(copiesOf);
    case "lookup":
      return of.flatMap((change) => {
        const offset = offsetOf(change.k, change.v % 2);
        return offset === null ? [] : [{ ...change, v: (change.v + offset) % VALUES }];
      });
    case "union":
      return [...of, ...and];
    default:
      throw new Error(`${node.op} keeps something`);
  }
}

export function keyed(
  node: Node,
  state: State,
  before: number,
  [of = [], and = []]: ReadonlyArray<readonly Change[]>,
): readonly Change[] {
  switch (node.op) {
    case "running":
    case "peak":
      return grouped(node, state, before, of);
    case "window":
      return windows(node, state, before, of);
    case "clock":
      return windows(
        asWindow(node),
        state,
        before,
        of.map((change) => ({ ...change, at: state.mark })),
      );
    case "session":
      return sessions(node, state, before, of);
    case "last":
      return last(node.ttl, state, before, of);
    case "first":
      return first(node.ttl, state, before, of);
    case "process":
      return processed(state, of);
    case "pairs":
      return pairs(node, state, before, of, and);
    case "within":
      return pairsWithin(node, state, before, of, and);
    case "meet":
      return meetings(node, state, before, of, and);
    case "table":
      return tablePairs(state, of, and);
    default:
      throw new Error(`${node.op} keeps nothing`);
  }
}

type Peak = Extract<Node, { readonly op: "peak" }>;

/** Of a key that has been silent for too long all is forgotten, and nothing taken back. */
function grouped(
  node: Running | Peak,
  { groups, times }: State,
  before: number,
  changes: readonly Change[],
): readonly Change[] {
  const touched = new Map<string, readonly Change[]>();
  for (const change of changes) {
    const group = groupOf(node, change);
    if (!touched.has(group)) {
      if (!lasts(node, times.get(group), before)) forget(group);
      touched.set(group, [...(groups.get(group) ?? [])]);
    }
    const rows = groups.get(group) ?? [];
    groups.set(group, rows);
    times.set(group, Math.max(times.get(group) ?? Number.NEGATIVE_INFINITY, change.at));
    if (change.sign > 0) rows.push(change);
    else takeBack(node.id, rows, change);
  }
  return [...touched].flatMap(([group, old]) => {
    const at = times.get(group) as number;
    const rows = groups.get(group) as readonly Change[];
    const result = (of: readonly Change[], sign: 1 | -1): Change[] =>
      of.length === 0 ? [] : [{ ...resultRow(node, of), at, sign }];
    if (rows.length === 0) forget(group);
    return [...result(old, -1), ...result(rows, 1)];
  });

  function forget(group: string): void {
    groups.delete(group);
    times.delete(group);
  }
}

export function lasts({ ttl }: { readonly ttl: number | null }, time: number | undefined, mark: number): boolean {
  return ttl === null || (time ?? Number.NEGATIVE_INFINITY) + ttl > mark;
}

/** Groups that are not forgotten. */
export function groupsOf(node: Running | Peak, { groups, times, mark }: State): ReadonlyArray<readonly Change[]> {
  return [...groups].flatMap(([group, rows]) => (lasts(node, times.get(group), mark) ? [rows] : []));
}

const groupOf = (node: Running | Peak, change: Change): string =>
  JSON.stringify(node.op === "peak" ? { k: change.k } : keyOf(node.keys, change));

/** @param rows of a group, at least one */
export function resultRow(node: Running | Peak, rows: readonly Change[]): Change {
  const [any] = rows as readonly [Change, ...Change[]];
  const k = node.op === "peak" ? any.k : numberOf(node.keys, any);
  return { k, v: resultOf(node, rows), at: 0, sign: 1 };
}

function takeBack(id: string, rows: Change[], { k, v }: Change): void {
  const at = rows.findIndex((row) => row.k === k && row.v === v);
  if (at < 0) throw new Error(`${id} takes back k ${k}, v ${v}, which it was not given`);
  rows.splice(at, 1);
}

function last(ttl: number | null, { newest }: State, before: number, changes: readonly Change[]): readonly Change[] {
  const replaced = new Map<number, Change | undefined>();
  for (const change of changes) {
    const { k, at } = change;
    const known = newest.get(k);
    const isKnown = known !== undefined && (replaced.has(k) || lasts({ ttl }, known.at, before));
    if (isKnown && at < known.at) continue;
    if (!replaced.has(k)) replaced.set(k, isKnown ? known : undefined);
    newest.set(k, change);
  }
  return [...replaced].flatMap(([k, old]) => {
    const now = newest.get(k) as Change;
    return old === undefined ? [now] : [{ ...old, at: now.at, sign: -1 as const }, now];
  });
}

function first(ttl: number | null, { newest }: State, before: number, changes: readonly Change[]): readonly Change[] {
  const seen = new Set<number>();
  return changes.filter((change) => {
    const known = newest.get(change.k);
    const isKnown = known !== undefined && (seen.has(change.k) || lasts({ ttl }, known.at, before));
    seen.add(change.k);
    if (!isKnown || change.at > known.at) newest.set(change.k, change);
    return !isKnown;
  });
}

/** Events come first, and then what timers ring for by now. */
function processed({ counts, timers, mark }: State, changes: readonly Change[]): readonly Change[] {
  const given = changes.map((change): Change => {
    const { k, at } = change;
    const n = (counts.get(k) ?? 0) + 1;
    counts.set(k, n);
    timers.set(`${at + TIMER} ${k}`, { k, v: 0, at: at + TIMER, sign: 1 });
    return { ...change, v: counted(n) };
  });
  const due = [...timers].filter(([, { at }]) => at <= mark);
  for (const [text] of due) timers.delete(text);
  const inTime = due.map(([, timer]) => timer).toSorted((a, b) => a.at - b.at);
  return [...given, ...inTime.map((timer) => ({ ...timer, v: rung(counts.get(timer.k) ?? 0) }))];
}

export function keyOf(keys: Running["keys"], { k, v }: Change): object {
  return { none: {}, k: { k }, v: { v }, both: { k, v } }[keys];
}

/** The key of a result. */
function numberOf(keys: Running["keys"], { k, v }: Change): number {
  return { none: 0, k, v, both: k * PAIRED + v }[keys];
}
