/** Random histories: right ones pass, changed ones are found, and the checker agrees with one that tries every order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { History, MicroOp, Operation, Value } from "../../../sim/checkers/history.ts";
import { checkListAppend } from "../../../sim/checkers/list-append.ts";
import { hasSerialOrder, readsOf, type Seen, serialHistories, withRead, writerOf } from "./support/serial-history.ts";

const RUNS = { numRuns: 300, seed: 20200831 };

function anomalies(history: History, realtime = true): string[] {
  return checkListAppend(history, { realtime }).map(({ anomaly }) => anomaly);
}

describe("transactions that really ran one after the other", () => {
  it("pass, however their clients' views overlap", () => {
    fc.assert(
      fc.property(serialHistories({ minLength: 1, maxLength: 60 }), (history) => {
        expect(checkListAppend(history)).toEqual([]);
      }),
      RUNS,
    );
  });
});

/** Changes one read for which the change is possible; null where there is none. */
type Mutation = (history: History, read: Seen, reads: readonly Seen[]) => History | null;

/** Somebody else saw at least as much, so that the order is known without this read. */
function seenByOthers({ operation, key, values }: Seen, reads: readonly Seen[]): boolean {
  return reads.some(
    (other) => other.operation !== operation && other.key === key && other.values.length >= values.length,
  );
}

const swap: Mutation = (history, read, reads) => {
  const { values } = read;
  if (values.length < 2 || !seenByOthers(read, reads)) return null;
  return withRead(history, read, [values[1]!, values[0]!, ...values.slice(2)]);
};

const drop: Mutation = (history, read, reads) =>
  read.values.length < 2 || !seenByOthers(read, reads) ? null : withRead(history, read, read.values.slice(1));

const repeat: Mutation = (history, read) =>
  read.values.length === 0 ? null : withRead(history, read, [...read.values, read.values[0]!]);

const invent: Mutation = (history, read) => withRead(history, read, [...read.values, -1]);

/** As if the reader had not seen the last append of one that was answered before it began. */
const stale: Mutation = (history, read) => {
  const { values, operation, key } = read;
  const writer = values.length === 0 ? undefined : writerOf(history, key, values.at(-1)!);
  if (!writer || writer.outcome !== "ok" || writer.completed!.index > operation.invoked.index) return null;
  return withRead(history, read, values.slice(0, -1));
};

/** As if a transaction whose append was read had aborted. */
const abort: Mutation = (history, { operation, key, values }) => {
  const writer = values.map((value) => writerOf(history, key, value)).find((each) => each && each !== operation);
  return writer ? history.map((each) => (each === writer ? { ...each, outcome: "fail" as const } : each)) : null;
};

/** All changes of this kind that a history admits. */
function mutants(history: History, mutate: Mutation): History[] {
  const reads = readsOf(history);
  return reads.map((read) => mutate(history, read, reads)).filter((mutant) => mutant !== null);
}

describe("one change to a right history is found:", () => {
  it.each<[string, Mutation, (found: string[]) => boolean]>([
    ["two values change places", swap, (found) => found.includes("incompatible-order")],
    ["the first value is dropped", drop, (found) => found.includes("incompatible-order")],
    ["a value is there twice", repeat, (found) => found.includes("duplicate-elements")],
    ["a value is invented", invent, (found) => found.includes("unwritten")],
    ["the last value that was committed before is missing", stale, (found) => found.length > 0],
    ["a transaction that was seen aborts", abort, (found) => found.includes("G1a")],
  ])("%s", (_, mutate, found) => {
    let tried = 0;
    fc.assert(
      fc.property(serialHistories({ minLength: 6, maxLength: 14 }), (history) => {
        for (const mutant of mutants(history, mutate)) {
          tried += 1;
          expect(anomalies(mutant)).toSatisfy(found);
        }
      }),
      RUNS,
    );
    expect(tried).toBeGreaterThan(RUNS.numRuns);
  });

  it("nearly always when any value is dropped from any read", () => {
    const count = { tried: 0, found: 0 };
    fc.assert(
      fc.property(serialHistories({ minLength: 20, maxLength: 40 }), fc.nat(), (history, chance) => {
        const reads = readsOf(history).filter(({ values }) => values.length > 0);
        if (reads.length === 0) return;
        const read = reads[chance % reads.length]!;
        count.tried += 1;
        count.found += Math.sign(
          anomalies(withRead(history, read, read.values.toSpliced(chance % read.values.length, 1))).length,
        );
      }),
      RUNS,
    );
    expect(count.tried).toBeGreaterThan(200);
    // The rest are reads of what was being appended while they ran: these may miss it.
    expect(count.found / count.tried).toBeGreaterThan(0.9);
  });
});

/** Tiny histories of anything: each read shows a list of values that are mostly appended somewhere. */
const anyHistory: fc.Arbitrary<History> = fc
  .record({
    operations: fc.array(
      fc.record({
        outcome: fc.constantFrom("ok" as const, "ok" as const, "ok" as const, "info" as const, "fail" as const),
        steps: fc.array(
          fc.record({
            append: fc.boolean(),
            key: fc.constantFrom("x", "y"),
            read: fc.subarray([1, 2, 3, 4], { maxLength: 3 }),
            turned: fc.constantFrom(false, false, true),
          }),
          { minLength: 1, maxLength: 3 },
        ),
      }),
      { minLength: 2, maxLength: 4 },
    ),
    moments: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
  })
  .map(({ operations, moments }) => {
    const values = new Map<string, number>();
    const order = [...moments.keys()].sort((a, b) => moments[a]! - moments[b]!);
    return operations.map(({ outcome, steps }, n): Operation => {
      const micro = steps.map(({ append, key, read, turned }): MicroOp => {
        if (!append) return ["read", key, outcome === "ok" ? (turned ? read.toReversed() : read) : null];
        values.set(key, (values.get(key) ?? 0) + 1);
        return ["append", key, values.get(key) as Value];
      });
      const [invoked, completed] = [order.indexOf(2 * n), order.indexOf(2 * n + 1)].sort((a, b) => a - b);
      const moment = (index: number) => ({ index, time: index });
      return {
        name: `T${n}`,
        process: `p${n}`,
        invoked: moment(invoked!),
        completed: moment(completed!),
        outcome,
        micro,
      };
    });
  });

describe("agreement with trying every order", () => {
  it.each([true, false])("finds something exactly when there is no serial order, with real time: %s", (realtime) => {
    const count = { right: 0, wrong: 0 };
    const agree = (history: History) => {
      const right = hasSerialOrder(history, realtime);
      count[right ? "right" : "wrong"] += 1;
      expect(anomalies(history, realtime).length === 0).toBe(right);
    };
    fc.assert(fc.property(anyHistory, agree), { ...RUNS, numRuns: 4000 });
    const nearlyRight = serialHistories({ minLength: 2, maxLength: 5 }).chain((history) => {
      const reads = readsOf(history);
      const shorter = reads.flatMap((read) =>
        read.values.map((_, index) => withRead(history, read, read.values.slice(0, index))),
      );
      return fc.constantFrom(history, ...shorter);
    });
    fc.assert(fc.property(nearlyRight, agree), { ...RUNS, numRuns: 2000 });
    expect(Math.min(count.right, count.wrong)).toBeGreaterThan(300);
  });
});
