/** Joins of rows, and what is late for them. */
import { type Node, VALUES } from "./graph.ts";
import type { Change, State } from "./state.ts";
import { endsOf } from "./windows.ts";

type Of<Op extends Node["op"]> = Extract<Node, { readonly op: Op }>;
type Fits = (left: Change, right: Change) => boolean;

export function pairs(
  { keep }: Of<"pairs">,
  state: State,
  before: number,
  of: readonly Change[],
  and: readonly Change[],
): readonly Change[] {
  return keptPairs([keep ?? Infinity, keep ?? Infinity], () => true, state, before, [of, and]);
}

export function pairsWithin(
  node: Of<"within">,
  state: State,
  before: number,
  of: readonly Change[],
  and: readonly Change[],
): readonly Change[] {
  const fits: Fits = (left, right) =>
    right.at >= left.at - node.before && right.at <= left.at + node.after && left.v <= right.v;
  // Nothing pairs with a left row any more when the right ones of up to so much later are over.
  return keptPairs([node.after, node.before], fits, state, before, [of, and]);
}

/** @param keep by side, how long a row is of use behind its time, ms */
function keptPairs(
  keep: readonly [number, number],
  fits: Fits,
  state: State,
  before: number,
  [of, and]: readonly [readonly Change[], readonly Change[]],
): readonly Change[] {
  const isOver = (row: Change, side: 0 | 1): boolean => row.at + keep[side] < before;
  const timely = (rows: readonly Change[], side: 0 | 1): readonly Change[] => rows.filter((row) => !isOver(row, side));
  const [left, right] = [timely(of, 0), timely(and, 1)];
  state.late += of.length - left.length + and.length - right.length;
  [state.left, state.right] = [[...timely(state.left, 0)], [...timely(state.right, 1)]];
  const given = [...matched(left, [...state.right, ...right], fits), ...matched(state.left, right, fits)];
  state.left.push(...left);
  state.right.push(...right);
  return given;
}

/** Pairs of a window are given when it ends. */
export function meetings(
  node: Of<"meet">,
  state: State,
  before: number,
  of: readonly Change[],
  and: readonly Change[],
): readonly Change[] {
  for (const change of [...of, ...and]) if (Math.max(...endsOf(node, change)) <= before) state.late += 1;
  state.left.push(...of);
  state.right.push(...and);
  const ends = new Set([...state.left, ...state.right].flatMap((change) => endsOf(node, change)));
  const ended = [...ends].filter((end) => end > before && end <= state.mark);
  const given = ended.flatMap((end) => {
    const inside = (rows: readonly Change[]) => rows.filter((row) => endsOf(node, row).includes(end));
    return matched(inside(state.left), inside(state.right), () => true).map((pair) => ({ ...pair, at: end - 1 }));
  });
  return given;
}

/** What comes on the left with the newest of its key. */
export function tablePairs({ newest }: State, of: readonly Change[], and: readonly Change[]): readonly Change[] {
  for (const change of and) {
    const known = newest.get(change.k);
    if (known === undefined || known.at <= change.at) newest.set(change.k, change);
  }
  return of.flatMap((left) => {
    const right = newest.get(left.k);
    return right === undefined ? [] : [{ ...paired(left, right), at: left.at }];
  });
}

function matched(left: readonly Change[], right: readonly Change[], fits: Fits): Change[] {
  return left.flatMap((one) =>
    right.flatMap((other) => (one.k === other.k && fits(one, other) ? [paired(one, other)] : [])),
  );
}

function paired(left: Change, right: Change): Change {
  return { ...left, v: (left.v + right.v) % VALUES, at: Math.max(left.at, right.at) };
}
