/** Histories that are right by construction, the changes that make them wrong, and an oracle that tries every order. */
import fc from "fast-check";
import type { History, Key, MicroOp, Operation, Outcome, Value } from "../../../../sim/checkers/history.ts";

interface Plan {
  readonly outcome: Outcome;
  /** Whether an unknown one committed. */
  readonly committed: boolean;
  /** How long before and after its moment it began and was answered, in moments of others. */
  readonly before: number;
  readonly after: number;
  readonly steps: readonly { readonly append: boolean; readonly key: Key }[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  outcome: fc.constantFrom<Outcome>("ok", "ok", "ok", "ok", "ok", "ok", "fail", "info"),
  committed: fc.boolean(),
  before: fc.double({ min: 0.1, max: 6, noNaN: true }),
  after: fc.double({ min: 0.1, max: 6, noNaN: true }),
  steps: fc.array(fc.record({ append: fc.boolean(), key: fc.constantFrom("x", "y", "z") }), {
    minLength: 1,
    maxLength: 5,
  }),
});

/** Runs random transactions one after the other on maps; what clients see of it overlaps in time, around the moment of each. */
export function serialHistories(size: { minLength: number; maxLength: number }): fc.Arbitrary<History> {
  return fc.array(plan, size).map(execute);
}

function execute(plans: readonly Plan[]): History {
  const lists = new Map<Key, readonly Value[]>();
  let values = 0;
  const rough = plans.map(({ outcome, committed, before, after, steps }, n): Operation => {
    const own = new Map(lists);
    const micro = steps.map(({ append, key }): MicroOp => {
      const list = own.get(key) ?? [];
      if (!append) return ["read", key, outcome === "info" ? null : list];
      own.set(key, [...list, ++values]);
      return ["append", key, values];
    });
    if (outcome === "ok" || (outcome === "info" && committed)) for (const [key, list] of own) lists.set(key, list);
    const [invoked, completed] = [n - before, n + after].map((time) => ({ index: 0, time }));
    return { name: `T${n + 1}`, process: `p${n}`, invoked: invoked!, completed: completed!, outcome, micro };
  });
  return withIndexes(rough);
}

function withIndexes(rough: History): History {
  const moments = rough.flatMap(({ invoked, completed }) => [invoked, completed!]).sort((a, b) => a.time - b.time);
  const index = new Map(moments.map((moment, at) => [moment, { index: at, time: moment.time }]));
  return rough.map((each) => ({ ...each, invoked: index.get(each.invoked)!, completed: index.get(each.completed!)! }));
}

/** One read of an operation that was answered. */
export interface Seen {
  readonly operation: Operation;
  readonly at: number;
  readonly key: Key;
  readonly values: readonly Value[];
}

export function readsOf(history: History): Seen[] {
  return history.flatMap((operation) =>
    operation.micro.flatMap((step, at) =>
      step[0] === "read" && step[2] !== null && operation.outcome === "ok"
        ? [{ operation, at, key: step[1], values: step[2] }]
        : [],
    ),
  );
}

/** The same history, but that one read saw something else. */
export function withRead(history: History, { operation, at, key }: Seen, values: readonly Value[]): History {
  const changed = { ...operation, micro: operation.micro.with(at, ["read", key, values]) };
  return history.map((each) => (each === operation ? changed : each));
}

export function writerOf(history: History, key: Key, value: Value): Operation | undefined {
  return history.find(({ micro }) =>
    micro.some(([kind, at, what]) => kind === "append" && at === key && what === value),
  );
}

/** Tries every order of every choice of the unknown transactions. For histories of a handful. */
export function hasSerialOrder(history: History, realtime: boolean): boolean {
  const sure = history.filter(({ outcome }) => outcome === "ok");
  const unknown = history.filter(({ outcome }) => outcome === "info");
  return Array.from({ length: 2 ** unknown.length }, (_, bits) => unknown.filter((__, n) => (bits >> n) & 1)).some(
    (chosen) => extend(new Map(), [...sure, ...chosen], realtime),
  );
}

function extend(lists: ReadonlyMap<Key, readonly Value[]>, rest: History, realtime: boolean): boolean {
  if (rest.length === 0) return true;
  return rest.some((next) => {
    const others = rest.filter((each) => each !== next);
    if (realtime && others.some((each) => precedes(each, next))) return false;
    const after = run(lists, next);
    return after !== null && extend(after, others, realtime);
  });
}

function precedes(a: Operation, b: Operation): boolean {
  return a.outcome === "ok" && a.completed!.index < b.invoked.index;
}

function run(lists: ReadonlyMap<Key, readonly Value[]>, { micro, outcome }: Operation) {
  const after = new Map(lists);
  for (const [kind, key, what] of micro) {
    const list = after.get(key) ?? [];
    if (kind === "append") after.set(key, [...list, what]);
    else if (outcome === "ok" && JSON.stringify(list) !== JSON.stringify(what)) return null;
  }
  return after;
}
