/** The checker is fast enough for every seed of the simulator, and its time grows with the history. Limits are far above what it takes. */
import { describe, expect, it } from "vitest";
import type { History, MicroOp, Operation, Value } from "../../../sim/checkers/history.ts";
import { checkListAppend } from "../../../sim/checkers/list-append.ts";
import { createRandom } from "../../../sim/random.ts";

const CLIENTS = 20;
const KEYS = 30;
/** A key gets a new name after so many appends: lists that only grew would make the history itself quadratic. */
const MAX_APPENDS = 20;

/** Serial transactions, each as if it had overlapped with those of the other clients. */
function history(length: number): History {
  const random = createRandom(length);
  const lists = Array.from({ length: KEYS }, (_, n) => ({ name: `k${n}`, values: [] as Value[] }));
  let values = 0;
  return Array.from({ length }, (_, n): Operation => {
    const micro = Array.from({ length: 4 }, (): MicroOp => {
      const list = random.pick(lists);
      if (random.oneIn(2)) return ["read", list.name, [...list.values]];
      if (list.values.length >= MAX_APPENDS) Object.assign(list, { name: `k${++values}`, values: [] });
      list.values.push(++values);
      return ["append", list.name, values];
    });
    const moment = (index: number) => ({ index, time: index });
    const [invoked, completed] = [moment(2 * n), moment(2 * (n + CLIENTS) + 1)];
    return { name: `T${n}`, process: `p${n % CLIENTS}`, invoked, completed, outcome: "ok", micro };
  });
}

function milliseconds(task: () => void): number {
  const start = performance.now();
  task();
  return performance.now() - start;
}

/** One read, late in the history, no longer sees what was committed long before. */
function withStaleRead(right: History, after: number): History {
  const at = right.findIndex(
    ({ micro }, n) => n > after && micro.some((step) => step[0] === "read" && step[2]!.length > 15),
  );
  const operation = right[at]!;
  const micro = operation.micro.map((step): MicroOp =>
    step[0] === "read" ? ["read", step[1], step[2]!.slice(0, 1)] : step,
  );
  return right.with(at, { ...operation, micro });
}

describe("the time of a check", () => {
  it("is a few milliseconds for 300 transactions", () => {
    const right = history(300);
    checkListAppend(right);
    const times = Array.from({ length: 5 }, () => milliseconds(() => expect(checkListAppend(right)).toEqual([])));
    expect(Math.min(...times)).toBeLessThan(50);
  });

  it("is a few seconds for 50,000 transactions, right or wrong", () => {
    const right = history(50_000);
    const taken = milliseconds(() => expect(checkListAppend(right)).toEqual([]));
    const wrong = withStaleRead(right, 40_000);
    const searched = milliseconds(() => expect(checkListAppend(wrong)).not.toEqual([]));
    console.log(`50,000 transactions: ${taken.toFixed()} ms, with a stale read ${searched.toFixed()} ms`);
    expect(Math.max(taken, searched)).toBeLessThan(15_000);
  });

  it("does not grow with the product of readers and unread appends", () => {
    const moment = (index: number) => ({ index, time: index });
    const blind = Array.from({ length: 40_000 }, (_, n): Operation => {
      const micro: MicroOp[] = [n % 2 === 0 ? ["read", "x", []] : ["append", "x", n]];
      return {
        name: `T${n}`,
        process: `p${n}`,
        invoked: moment(n),
        completed: moment(100_000 + n),
        outcome: "ok",
        micro,
      };
    });
    expect(milliseconds(() => expect(checkListAppend(blind)).toEqual([]))).toBeLessThan(5_000);
  });
});
