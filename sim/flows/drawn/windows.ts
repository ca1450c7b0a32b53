/** Windows and sessions of rows, and what is late for them. */
import type { Node } from "./graph.ts";
import { type Change, newestOf, resultOf, type Session, shownGroup, type State } from "./state.ts";

type Window = Omit<Extract<Node, { readonly op: "window" }>, "op">;
type Clock = Extract<Node, { readonly op: "clock" }>;
type Sessions = Extract<Node, { readonly op: "session" }>;

export function windowRows(node: Window, { groups, mark }: State): readonly object[] {
  return [...groups].map(([window, rows]) => {
    const [end, key] = JSON.parse(window) as [number, number];
    return { key, ...shownWindow(node, end - node.size, end, rows, mark) };
  });
}

export function sessionRows(node: Sessions, { sessions: all, mark }: State): readonly object[] {
  return all.map(({ rows }) => {
    const start = Math.min(...rows.map(({ at }) => at));
    return { key: rows[0]?.k, ...shownWindow(node, start, newestOf(rows) + node.gap, rows, mark) };
  });
}

function shownWindow(
  { lateness }: Pick<Window, "lateness">,
  start: number,
  end: number,
  rows: readonly Change[],
  mark: number,
): object {
  return { window: { start, end }, ...shownGroup(rows), final: end + lateness <= mark };
}

/** Where the windows end that an event is in. */
export function endsOf({ size, slide }: { readonly size: number; readonly slide: number }, { at }: Change): number[] {
  const newest = Math.floor(at / slide) * slide + size;
  return Array.from({ length: Math.ceil(size / slide) }, (_, n) => newest - n * slide).filter((end) => end > at);
}

export function windows(node: Window, state: State, before: number, changes: readonly Change[]): readonly Change[] {
  const { groups, mark } = state;
  const touched = new Map<string, readonly Change[]>();
  for (const change of changes) {
    if (Math.max(...endsOf(node, change)) + node.lateness <= before) state.late += 1;
    for (const end of endsOf(node, change)) {
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
    const result = (of: readonly Change[], sign: 1 | -1): Change => ({ k, v: resultOf(node, of), at: end - 1, sign });
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

/** As windows, by the time at which a batch is taken. */
export function asWindow(node: Clock): Window {
  return { ...node, slide: node.size, lateness: 0 };
}

/** The sessions that still take any, and the batch's events, as one where they are near; what had ended even so is late. */
export function sessions(node: Sessions, state: State, before: number, changes: readonly Change[]): readonly Change[] {
  const endOf = ({ rows }: Session): number => newestOf(rows) + node.gap;
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
    const [any] = one.rows as [Change, ...Change[]];
    const isOver = endOf(one) <= state.mark;
    const now: Change[] = isOver ? [{ k: any.k, v: resultOf(node, one.rows), at: endOf(one) - 1, sign: 1 }] : [];
    if (!state.sessions.includes(one)) given.push(...one.given.map((old) => ({ ...old, sign: -1 as const })), ...now);
    else if (one.given.length === 0) given.push(...now);
    return { ...one, given: now };
  });
  state.sessions = [...ended, ...open];
  return given;
}
