/** What the checker of flows' ends finds in histories that are wrong in one way. */
import { describe, expect, test } from "vitest";
import { checkEnds } from "../../../sim/checkers/flow-ends.ts";
import type { EndsHistory } from "../../../sim/flows/ends/history.ts";
import type { Delivered } from "../../../sim/flows/ends/world.ts";
import { EndsWorld } from "../../../sim/flows/ends/world.ts";
import type { FlowEvent } from "../../../sim/flows/model/events.ts";
import type { SentBatch } from "../../../sim/flows/history.ts";
import { encodeValue } from "../../../sdk/values.ts";

// The queue wants 0 and above, the webhook below 5; with a 6 a batch is refused.
const event = (n: number, v: number, k = "a"): FlowEvent => ({ n, k, v, at: n });
const [one, two, three, four] = [event(1, 0), event(2, 2), event(3, 8), event(4, -1, "b")] as const;

function batch(name: string, events: readonly FlowEvent[], undone = false): SentBatch {
  const taken = undone ? null : 100;
  return { name, stream: "flow-sold", events, producer: null, invoked: 0, taken, emitted: false, undone, answers: [] };
}
const deliver = (end: Delivered["end"], id: string, events: readonly FlowEvent[], ok = true): Delivered => ({
  end,
  id,
  events,
  ok,
  ms: 0,
});

/** Two batches that were taken and one that was refused; one delivery had to be tried twice. */
const GOOD: EndsHistory = {
  sent: [batch("batch 1", [one, two]), batch("batch 2", [three, four]), batch("batch 3", [event(5, 6)], true)],
  answers: [
    { batch: "batch 1", status: 200, body: '{"accepted":2,"late":{"ends":0}}' },
    { batch: "batch 3", status: 409, body: '{"type":"/problems/fg/barred"}' },
  ],
  log: [1, 2, 3, 4],
  pages: [{ name: "T1", first: 1, numbers: [2], end: 2 }],
  admitted: { a: [1, 2, 3], b: [4] },
  done: [
    deliver("queued", "q1", [one, two], false),
    deliver("hooked", "h1", [one, two]),
    deliver("queued", "q1", [one, two]),
    deliver("hooked", "h2", [four]),
    deliver("queued", "q2", [three]),
  ],
  letters: [],
  lettersAreAll: true,
  left: [],
  status: {
    queued: { waiting: 0, delivered: 3, failed: 0 },
    hooked: { waiting: 0, delivered: 3, failed: 0 },
  },
};
const found = (change: Partial<EndsHistory>) => checkEnds({ ...GOOD, ...change }).map(({ anomaly }) => anomaly);
const without = (id: string) => GOOD.done.filter((each) => each.id !== id);

describe("ends of a flow", () => {
  test("are right when each event came to each that wants it", () => {
    expect(found({})).toEqual([]);
    // The word of the first attempt was lost.
    expect(found({ done: [deliver("queued", "q1", [one, two]), ...GOOD.done] })).toEqual([]);
    // Those of an end without an order.
    const [first, second] = [deliver("hooked", "h1", [one, two]), deliver("hooked", "h2", [four])];
    expect(found({ done: [second, first, ...GOOD.done.filter(({ end }) => end === "queued")] })).toEqual([]);
  });

  test("what failed for good may come under another key, once for each time; what found no room under one", () => {
    const letters = [
      { letter: 0, end: "queued", n: 3, type: "effect-failed" },
      { letter: 1, end: "hooked", n: 4, type: "full" },
    ] as const;
    const status = { ...GOOD.status, queued: { waiting: 0, delivered: 3, failed: 1 } };
    const again = deliver("queued", "q3", [three]);
    const done = [...without("q2"), deliver("queued", "q2", [three], false), again];
    expect(found({ letters, status, done })).toEqual([]);
    // None of its attempts did anything, for all that is known.
    expect(found({ letters, status, done: [...without("q2"), again] })).toEqual([]);
    expect(found({ letters, status, done: [...done, deliver("queued", "q4", [three])] })).toEqual(["end-key-changed"]);
    // Of another run, where nobody was told of all of them.
    const fewer = { ...status, queued: { ...status.queued, failed: 0 } };
    expect(found({ letters, status: fewer, done })).toEqual(["wrong-count"]);
    expect(found({ letters, status: fewer, done, lettersAreAll: false })).toEqual([]);
    expect(found({ letters, status, done: [...done, deliver("hooked", "h3", [four])] })).toEqual(["end-key-changed"]);
    expect(found({ letters, status, done, left: letters.slice(0, 1) })).toEqual(["letter-left"]);
    expect(found({ letters, done })).toEqual(["wrong-count"]);
  });

  test.each<[string, Partial<EndsHistory>, readonly string[]]>([
    ["an event never came", { done: without("h2") }, ["end-missing"]],
    ["it was refused each time", { done: [...without("h2"), deliver("hooked", "h2", [four], false)] }, ["end-missing"]],
    [
      "an event of no batch came",
      { done: [...GOOD.done, deliver("hooked", "h3", [event(9, 1)])] },
      ["end-uncommitted"],
    ],
    [
      "an event came changed",
      { done: [...GOOD.done, deliver("hooked", "h2", [{ ...four, v: 0 }])] },
      ["end-body-changed"],
    ],
    [
      "an event came that the end does not want",
      { done: [...GOOD.done, deliver("queued", "q3", [four])] },
      ["end-uncommitted"],
    ],
    ["an event came under two keys", { done: [...GOOD.done, deliver("queued", "q3", [three])] }, ["end-key-changed"]],
    ["events came out of order", { done: [deliver("queued", "q2", [three]), ...without("q2")] }, ["end-reordered"]],
    [
      "a delivery is larger than its end takes",
      { done: [...without("h1").filter(({ id }) => id !== "h2"), deliver("hooked", "h1", [one, two, four])] },
      ["end-too-much"],
    ],
    [
      "one waits for ever",
      { status: { ...GOOD.status, queued: { waiting: 1, delivered: 2, failed: 0 } } },
      ["wrong-count"],
    ],
    ["a batch that was refused is there", { log: [1, 2, 3, 4, 5] }, ["batch-undone"]],
    ["a batch is there twice", { log: [1, 2, 3, 4, 1, 2] }, ["batch-repeated"]],
    ["half a batch is there", { log: [1, 3, 4] }, ["batch-torn", "batch-missing"]],
    ["a service was called twice", { admitted: { a: [1, 2, 2, 3], b: [4] } }, ["wrong-calls"]],
    ["a service was called out of order", { admitted: { a: [2, 1, 3], b: [4] } }, ["wrong-calls"]],
    ["a service was called for what was refused", { admitted: { a: [1, 2, 3, 5], b: [4] } }, ["wrong-calls"]],
    ["a reader saw another event", { pages: [{ name: "T1", first: 1, numbers: [3], end: 2 }] }, ["page-changed"]],
    ["a reader saw half a batch", { pages: [{ name: "T1", first: 0, numbers: [1], end: 1 }] }, ["page-changed"]],
    ["a batch was refused for nothing", { answers: [{ batch: "batch 2", status: 409, body: "{}" }] }, ["wrong-answer"]],
    [
      "a batch was taken that is refused",
      { answers: [{ batch: "batch 3", status: 200, body: "{}" }] },
      ["wrong-answer"],
    ],
  ])("%s", (_, change, expected) => expect(found(change)).toEqual(expected));
});

test("the simulated world refuses what is unwelcome under its first key, and wants some to be repeated", () => {
  const world = new EndsWorld();
  const give = (id: string, v: number) =>
    world.deliver("queued", id, encodeValue({ lines: JSON.stringify(event(v, v)) }) ?? "", 0);
  expect([give("a", 3), give("a", 3), give("b", 3)].map(({ ok }) => ok)).toEqual([false, false, true]);
  expect([give("c", 1), give("c", 1)].map(({ ok }) => ok)).toEqual([false, true]);
  expect(give("d", 2).ok).toBe(true);
});
