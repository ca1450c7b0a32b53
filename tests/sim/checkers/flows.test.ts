/** What the checkers of flows find in histories that are wrong in one way. */
import { describe, expect, test } from "vitest";
import { checkOrder, orderOfEvents } from "../../../sim/checkers/flow-order.ts";
import { checkPairs, sameStream } from "../../../sim/checkers/flow-results.ts";
import type { SentBatch } from "../../../sim/flows/history.ts";
import { JoinsModel } from "../../../sim/flows/model/joins.ts";
import { WindowsModel } from "../../../sim/flows/model/windows.ts";

interface Given {
  readonly invoked?: number;
  readonly taken?: number | null;
  readonly producer?: SentBatch["producer"];
  readonly undone?: boolean;
}

function batch(name: string, numbers: readonly number[], given: Given = {}): SentBatch {
  const { invoked = 0, taken = 100, producer = null, undone = false } = given;
  const events = numbers.map((n) => ({ n, k: "a", v: 1, at: 0 }));
  return { name, stream: "s", events, producer, invoked, taken, emitted: false, undone, answers: [] };
}
const anomalies = (sent: readonly SentBatch[], numbers: readonly number[]) =>
  orderOfEvents("f", sent, numbers).findings.map(({ anomaly }) => anomaly);

describe("the order in which a flow has taken its batches", () => {
  const sent = [batch("one", [1, 2]), batch("two", [3]), batch("three", [4], { taken: null })];

  test("is right when each acknowledged batch is there, whole and once", () => {
    expect(anomalies(sent, [3, 1, 2])).toEqual([]);
    // Nobody knows whether the third was taken.
    expect(anomalies(sent, [1, 2, 4, 3])).toEqual([]);
  });

  test.each([
    ["an event is lost", [2, 3], ["batch-torn", "batch-missing"]],
    ["another is in between", [1, 3, 2], ["batch-torn", "batch-torn", "batch-missing"]],
    ["a batch is there twice", [1, 2, 3, 3], ["batch-repeated"]],
    ["a batch is missing", [1, 2], ["batch-missing"]],
    ["there is what nobody sent", [1, 2, 9, 3], ["batch-unsent"]],
  ] as const)("%s", (_, numbers, expected) => expect(anomalies(sent, numbers)).toEqual(expected));

  test("what a transaction emitted that was undone must not be there", () => {
    expect(anomalies([batch("event", [1], { taken: null, undone: true })], [1])).toEqual(["batch-undone"]);
  });

  test("a batch that was acknowledged before another was sent comes before it", () => {
    const [early, late] = [batch("early", [1], { taken: 5 }), batch("late", [2], { invoked: 6 })];
    expect(checkOrder("f", [early, late], [early, late])).toEqual([]);
    expect(checkOrder("f", [early, late], [late, early])).toMatchObject([
      { anomaly: "batch-reordered", operations: ["late"] },
    ]);
  });

  test("batches of a producer come in the order of their numbers, and none is left out", () => {
    const numbered = (sequence: number) => batch(`no ${sequence}`, [sequence], { producer: { name: "p", sequence } });
    const [one, two, three] = [numbered(1), numbered(2), numbered(3)];
    const found = (...batches: readonly SentBatch[]) => checkOrder("f", batches, batches).map(({ anomaly }) => anomaly);
    expect(found(one, two, three)).toEqual([]);
    expect(found(one, three)).toEqual(["producer-reordered"]);
    expect(found(two)).toEqual(["producer-reordered"]);
  });
});

describe("a stream that a flow writes to", () => {
  const page = (events: ReadonlyArray<Record<string, unknown>>, first = 0) => ({ first, events, end: events.length });
  const expected = [[{ n: 1 }, { n: 2 }], [], [{ n: 3 }]];
  const found = (body: ReturnType<typeof page>) => sameStream("s", body, expected).map(({ anomaly }) => anomaly);

  test("has what each batch gives, in the order of batches", () => {
    expect(found(page([{ n: 2 }, { n: 1 }, { n: 3 }]))).toEqual([]);
    expect(found(page([{ n: 1 }, { n: 3 }, { n: 2 }]))).toEqual(["wrong-output"]);
    expect(found(page([{ n: 1 }, { n: 2 }]))).toEqual(["wrong-output"]);
    expect(found(page([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 3 }]))).toEqual(["wrong-output"]);
    expect(found(page([{ n: 1 }, { n: 2 }, { n: 3 }], 1))).toEqual(["wrong-output"]);
  });

  test("pairs that may be given, or not, are no fault; others are", () => {
    const pairs = [
      { l: 1, r: 2, batch: 0, must: true },
      { l: 3, r: 2, batch: 1, must: false },
    ];
    const given = (...events: ReadonlyArray<Record<string, unknown>>) =>
      checkPairs(pairs, page(events)).map(({ anomaly }) => anomaly);
    expect(given({ l: 1, r: 2 })).toEqual([]);
    expect(given({ l: 1, r: 2 }, { l: 3, r: 2 })).toEqual([]);
    expect(given({ l: 3, r: 2 })).toEqual(["wrong-pairs"]);
    expect(given({ l: 3, r: 2 }, { l: 1, r: 2 })).toEqual(["wrong-pairs"]);
    expect(given({ l: 1, r: 2 }, { l: 1, r: 2 })).toEqual(["wrong-pairs"]);
    expect(given({ l: 1, r: 2 }, { l: 1, r: 3 })).toEqual(["wrong-pairs"]);
  });
});

describe("the plain evaluation, by tables worked out by hand", () => {
  const event = (n: number, v: number, at: number, k = "a") => ({ n, k, v, at });
  const left = (...events: ReadonlyArray<ReturnType<typeof event>>) => ({ stream: "flow-left", events });
  const right = (...events: ReadonlyArray<ReturnType<typeof event>>) => ({ stream: "flow-right", events });

  test("of windows, sessions and duplicates", () => {
    const model = new WindowsModel();
    expect(model.take(left(event(1, 1, 10), event(2, 2, 30)))).toMatchObject({ late: [], given: { tumbled: [] } });
    expect(model.watermark).toBe(0);
    // Time comes to 60: the window that ends at 50 gives its result, and so has the session from 10 to 55.
    expect(model.take(left(event(3, 1, 90))).given["tumbled"]).toEqual([
      { k: "a", windowStart: 0, windowEnd: 50, count: 2, total: 6 },
    ]);
    expect(model.view("totals")).toEqual([{ k: "a", sessions: 1, total: 3 }]);
    // The value 1 had been seen, at 90 last: only the first of it was added.
    expect(model.added.get("a")).toEqual([
      { n: 1, batch: 0 },
      { n: 2, batch: 0 },
    ]);
    // It is within the lateness of both: the window gives its result again, and the session goes on to 75.
    expect(model.take(left(event(4, 4, 50), event(5, 5, 49))).given["tumbled"]).toEqual([
      { k: "a", windowStart: 0, windowEnd: 50, count: 3, total: 16 },
    ]);
    expect(model.view("totals")).toEqual([]);
    expect(model.dead).toEqual([{ n: 4, k: "a" }]);
    model.take(left(event(6, 9, 150)));
    expect(model.watermark).toBe(120);
    expect(model.take(left(event(7, 7, 20))).late).toEqual([
      ["tumbled", 7],
      ["sessions", 7],
    ]);
  });

  test("of joins: the slower source says what time it is", () => {
    const model = new JoinsModel();
    expect(model.take(left(event(1, 1, 10))).given["slid"]).toEqual([]);
    expect(model.watermark).toBe(-Infinity);
    expect(model.take(right(event(2, 2, 35), event(3, 1, 20))).late).toEqual([]);
    expect(model.watermark).toBe(-20);
    // Of the right ones 2 is within bounds of 1, and 3 has its value.
    expect(model.near).toEqual([{ l: 1, r: 2, batch: 1, must: true }]);
    model.take(left(event(4, 3, 100)));
    expect(model.view()).toEqual([{ n: 4, r: 2 }]);
    // Time comes to 70: windows of the join end at 40, sliding ones at 20, 40 and 60.
    const { given } = model.take(right(event(5, 5, 130)));
    expect(model.met.get("a")).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(given["slid"]?.map(({ windowEnd, count }) => `${windowEnd}: ${count}`).sort()).toEqual([
      "20: 1",
      "40: 3",
      "60: 3",
    ]);
    expect(model.take(left(event(6, 1, 5))).late).toEqual([
      ["slid", 6],
      ["near", 6],
      ["met", 6],
    ]);
  });

  test("of flows in several versions: what is defined anew and what is new begin empty, all else goes on", () => {
    const model = new WindowsModel();
    model.take(left(event(1, 1, 10)), 0);
    // The second version does not know that it had seen the value, and begins to count.
    expect(model.take(left(event(2, 1, 20)), 1).given["windowsLog"]).toEqual([{ n: 10_000_002 }]);
    model.take(left(event(3, 1, 30)), 2);
    expect(model.added.get("a")).toEqual([
      { n: 1, batch: 0 },
      { n: 2, batch: 1 },
    ]);
    expect(model.view("counted")).toEqual([{ k: "a", count: 2, total: 2 }]);
    expect(model.view("tumbled")).toMatchObject([{ count: 3, total: 6 }]);
    // Taken back, and deployed once more.
    model.take(left(event(4, 1, 40)), 0);
    model.take(left(event(5, 1, 45)), 2);
    expect(model.view("counted")).toEqual([{ k: "a", count: 1, total: 1 }]);
    expect(model.added.get("a")?.map(({ n }) => n)).toEqual([1, 2, 4, 5]);

    const joins = new JoinsModel();
    joins.take(right(event(6, 1, 10)), 0);
    joins.take(left(event(7, 1, 11)), 0);
    joins.take(left(event(8, 1, 12)), 1);
    expect(joins.view()).toEqual([{ n: 7, r: 6 }]);
  });
});
