/** The checker of messages of queues: what it takes, and what it finds. */
import { describe, expect, test } from "vitest";
import { checkQueue } from "../../../sim/checkers/flow-queue.ts";
import type { SentBatch } from "../../../sim/flows/history.ts";
import type { QueueHistory } from "../../../sim/flows/queue/history.ts";

const message = (n: number, k: string, v: number, invoked: number, taken: number | null): SentBatch => ({
  name: `message m${n}`,
  stream: "flow-queued",
  events: [{ n, k, v, at: 0 }],
  producer: null,
  invoked,
  taken,
  emitted: false,
  undone: false,
  answers: [],
});
const sent = [message(1, "a", 5, 0, 10), message(2, "b", 6, 1, 10), message(3, "a", 7, 20, null)];
const body = (events: number, rows: readonly object[]): string => JSON.stringify({ rows, events, batches: 1 });
const [a1, a2, b] = [
  { k: "a", count: 1, total: 5 },
  { k: "a", count: 2, total: 12 },
  { k: "b", count: 1, total: 6 },
];
const read = (text: string, invoked = 30) => ({ name: "T9", fresh: true, invoked, completed: 40, body: text });
const good: QueueHistory = {
  sent,
  log: [2, 1, 3],
  tallies: { a: [1, 3], b: [2] },
  reads: [read(body(2, [a1, b])), read(body(3, [b, a2]))],
};
const found = (change: Partial<QueueHistory>) => checkQueue({ ...good, ...change }).map(({ anomaly }) => anomaly);

describe("messages of a queue", () => {
  test("in any order, each once, are right", () => {
    expect(checkQueue(good)).toEqual([]);
  });
  test("may be there or not when nobody was told that they were taken", () => {
    expect(found({ log: [2, 1], tallies: { a: [1], b: [2] }, reads: [read(body(2, [a1, b]))] })).toEqual([]);
  });

  test.each<[string, string, Partial<QueueHistory>]>([
    ["one that is taken twice", "batch-repeated", { log: [2, 1, 3, 2] }],
    ["one that is lost", "batch-missing", { log: [2, 3] }],
    ["one that nobody sent", "batch-unsent", { log: [2, 1, 3, 4] }],
    ["one of which a service is not told", "wrong-calls", { tallies: { a: [1], b: [2] } }],
    ["a view of something else", "wrong-view", { reads: [read(body(2, [a2, b]))] }],
    ["a view without what was taken before", "view-of-the-past", { reads: [read(body(1, [b]))] }],
    ["a view of more than there is", "view-of-the-future", { reads: [read(body(4, [a2, b]))] }],
  ])("%s is found", (_, anomaly, change) => {
    expect(found(change)).toContain(anomaly);
  });
});
