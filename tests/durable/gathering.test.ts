/** When what is to leave waits for what could leave with it, and when it does not. */
import { expect, test, vi } from "vitest";
import { FlushSchedule } from "../../durable/flush-schedule.ts";
import { Gathering, isCrowd } from "../../durable/gathering.ts";
import { rung } from "../../durable/rung.ts";

/** Waits in a row before anybody is taken to be alone. */
const PATIENCE = 8;

function gatheringOf() {
  const state = { alone: true, settled: 0, crowded: false, rung: 0, ring: (): void => undefined };
  const settled = (): Promise<void> => {
    state.settled += 1;
    return new Promise((step) => setTimeout(step));
  };
  const rung = (): Promise<void> => {
    state.rung += 1;
    return new Promise((ring) => (state.ring = ring));
  };
  const crowd = { isThere: () => state.crowded, rung };
  return { state, gathering: new Gathering({ isAlone: () => state.alone, settled, crowd }) };
}

async function wait(gathering: Gathering, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await gathering.over();
}

/** Within microtasks: no step of the event loop comes first. */
async function isOverAtOnce(gathering: Gathering): Promise<boolean> {
  let step = false;
  setImmediate(() => (step = true));
  await gathering.over();
  return !step;
}

test("what comes alone again and again waits for no step of the event loop", async () => {
  const { state, gathering } = gatheringOf();
  await wait(gathering, PATIENCE);
  expect(state.settled).toBe(PATIENCE);
  expect(await isOverAtOnce(gathering)).toBe(true);
  expect(state.settled).toBe(PATIENCE);
});

test("with one other under way each waits for a step, until it has been alone for long again", async () => {
  const { state, gathering } = gatheringOf();
  await wait(gathering, PATIENCE + 1);
  state.alone = false;
  await wait(gathering, 1);
  state.alone = true;
  await wait(gathering, PATIENCE);
  expect(state.settled).toBe(2 * PATIENCE + 1);
  expect(await isOverAtOnce(gathering)).toBe(true);
});

test("what must come in another step does, however alone it is, and the next need not", async () => {
  const { state, gathering } = gatheringOf();
  await wait(gathering, PATIENCE);
  let step = false;
  setTimeout(() => (step = true));
  await gathering.over(true);
  expect([step, state.settled]).toEqual([true, PATIENCE + 1]);
  expect(await isOverAtOnce(gathering)).toBe(true);
});

test("a crowd waits for a timer, and for steps when it is gone", async () => {
  const { state, gathering } = gatheringOf();
  Object.assign(state, { alone: false, crowded: true });
  let over = false;
  const crowded = gathering.over().then(() => (over = true));
  await new Promise((steps) => setTimeout(steps, 20));
  expect([over, state.rung, state.settled]).toEqual([false, 1, 0]);
  state.ring();
  await crowded;
  state.crowded = false;
  await wait(gathering, 2);
  expect([state.rung, state.settled]).toEqual([1, 2]);
});

test("a crowd is many transactions that hold keys of their own: neither one with many keys, nor many that wait for one", () => {
  const loads = [
    { attempts: 8, locks: 4 },
    { attempts: 7, locks: 100 },
    { attempts: 100, locks: 3 },
  ];
  expect(loads.map(isCrowd)).toEqual([true, false, false]);
  expect(isCrowd(undefined)).toBe(false);
});

test("an object whose timer has not rung has something under way", async () => {
  let busy = 0;
  const ring = rung({ begin: () => void (busy += 1), end: () => void (busy -= 1) });
  expect(busy).toBe(1);
  await ring;
  expect(busy).toBe(0);
});

test("where nobody can tell what a crowd is, each waits for a step", async () => {
  let settled = 0;
  const gathering = new Gathering({ isAlone: () => false, settled: async () => void (settled += 1) });
  await wait(gathering, 3);
  expect(settled).toBe(3);
});

test("functions that wait for nothing else end before the wait is over", async () => {
  const { gathering } = gatheringOf();
  await wait(gathering, PATIENCE);
  let ended = false;
  const inner = async (): Promise<void> => {
    for (let n = 0; n < 3; n++) await undefined;
  };
  const user = async (): Promise<void> => {
    await inner();
    await inner();
    ended = true;
  };
  const over = gathering.over();
  void user();
  await over;
  expect(ended).toBe(true);
});

test("what becomes ready during a write is flushed once that is durable, however alone it is", async () => {
  const flush = vi.fn();
  let written = (): void => undefined;
  const durable = (): Promise<void> => new Promise((resolve) => (written = resolve));
  const schedule = new FlushSchedule(flush, () => Promise.resolve(), durable);
  schedule.want();
  await Promise.resolve();
  expect(flush).toHaveBeenCalledTimes(1);
  schedule.want();
  await new Promise((step) => setImmediate(step));
  expect(flush).toHaveBeenCalledTimes(1);
  written();
  await new Promise((step) => setImmediate(step));
  expect(flush).toHaveBeenCalledTimes(2);
});

test("nothing is flushed behind a write that failed, before it or by it", async () => {
  const flush = vi.fn();
  const written = new FlushSchedule(
    flush,
    () => Promise.resolve(),
    () => Promise.reject(new Error("the write failed")),
  );
  written.want();
  await new Promise((step) => setImmediate(step));
  written.want();
  await new Promise((step) => setImmediate(step));
  expect(flush).toHaveBeenCalledTimes(1);
  flush.mockClear();
  const schedule = new FlushSchedule(
    flush,
    () => Promise.reject(new Error("the write failed")),
    () => Promise.resolve(),
  );
  schedule.want();
  await new Promise((step) => setImmediate(step));
  expect(flush).not.toHaveBeenCalled();
});
