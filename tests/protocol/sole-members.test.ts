/** An epoch that one partition has to itself and decides, as the coordinator sees it. */
import { expect, test } from "vitest";
import { epochOf } from "../../protocol/epochs/epoch.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { type PeerFormat, SOLE_FORMAT } from "../../protocol/wire/codec.ts";
import type { FinishCount, Peer } from "../../protocol/wire/messages.ts";
import { Domain } from "./support/coordinator-net.ts";

const FIRST = epochOf(1, 1);
/** Code that knows of no sole members. */
const BEFORE = (SOLE_FORMAT - 1) as PeerFormat;
const finishes = (peer: Peer): FinishCount => ({ peer, incarnation: 1, finishes: 1 });
const CLOSED = { kind: "closed", epoch: FIRST, tagged: 1, counts: [finishes(2)], rejoin: false } as const;

/** Two partitions that are up, and know of sole members; the first is one. */
function domain(): Domain {
  const d = new Domain(SOLE_FORMAT);
  for (const peer of [1, 2]) d.restart(peer);
  for (const peer of [1, 2]) d.orders(peer);
  d.say(1, { kind: "join" });
  expect(d.orders(1)).toEqual([{ kind: "joined", epoch: FIRST, sole: true, previous: 0 }]);
  return d;
}

test("the epoch of who joins when nothing is under way is its alone: others get the next, and then it is asked to close", () => {
  const d = domain();
  expect([d.machine.status.closing?.phase, d.machine.isIdle]).toEqual(["sole", true]);
  d.say(2, { kind: "join" });
  expect(d.orders(2)).toEqual([{ kind: "joined", epoch: FIRST + 1, sole: false, previous: 0 }]);
  expect(d.orders(1)).toEqual([{ kind: "close", epoch: FIRST }]);
  d.say(1, { kind: "closed", epoch: FIRST, tagged: 0, counts: [], rejoin: true, ordered: false });
  expect(d.machine.status).toMatchObject({ committed: FIRST, closing: null, members: [2, 1], aborts: 0 });
});

test("the epoch of a sole member is decided when it says so: nobody is told anything", () => {
  const d = domain();
  d.say(1, { ...CLOSED, ordered: true });
  expect([d.orders(1), d.orders(2), d.machine.status.committed]).toEqual([[], [], 0]);
  d.say(1, { kind: "decided", epoch: FIRST });
  expect([d.orders(1), d.orders(2), d.machine.status.committed]).toEqual([[], [], FIRST]);
});

test("who asks after an epoch that its sole member has decided is told", () => {
  const d = domain();
  d.say(1, { ...CLOSED, ordered: true });
  d.say(1, { kind: "decided", epoch: FIRST });
  d.say(2, { kind: "want", epoch: FIRST });
  expect(d.orders(2)).toEqual([{ kind: "decide", epoch: FIRST }]);
});

test("a sole member that waits for its own epoch is asked to close it", () => {
  const d = domain();
  d.say(1, { kind: "want", epoch: FIRST });
  expect(d.orders(1)).toEqual([{ kind: "close", epoch: FIRST }]);
});

test("what a sole member leaves to the coordinator it orders, and decides when all have prepared", () => {
  const d = domain();
  d.say(1, { ...CLOSED, ordered: false });
  const parts = new Map([1, 2].map((peer) => [peer, 1]));
  const prepare = { kind: "prepare", epoch: FIRST, decides: false, parts, previous: 0 };
  expect(d.orders(1)).toEqual([{ ...prepare, expect: new Map() }]);
  expect(d.orders(2)).toEqual([{ ...prepare, expect: new Map([[1, 1]]) }]);
  for (const peer of [1, 2]) d.say(peer, { kind: "prepared", epoch: FIRST });
  expect(d.machine.status.committed).toBe(FIRST);
});

test("an epoch is aborted when its sole member says that it will not decide it, and not when a participant does", () => {
  const d = domain();
  d.say(2, { kind: "refuse", epoch: FIRST });
  expect(d.machine.status.aborts).toBe(0);
  d.say(1, { kind: "refuse", epoch: FIRST });
  expect(d.machine.status).toMatchObject({ aborts: 1, committed: 0, closing: null });
});

test("a participant that is lost is its sole member's concern", () => {
  const d = domain();
  d.say(1, { ...CLOSED, ordered: true });
  d.restart(2);
  expect(d.machine.status.aborts).toBe(0);
  d.say(1, { kind: "decided", epoch: FIRST });
  expect(d.machine.status).toMatchObject({ aborts: 0, committed: FIRST });
});

test("when a sole member comes back with a record of its epoch, what it decided is known from records alone: the coordinator starts over", () => {
  const d = domain();
  expect(d.startsOver).toBe(false);
  d.restart(1, FIRST);
  expect(d.startsOver).toBe(true);
  // It says nothing of what it does not know.
  d.orders(1);
  d.say(2, { kind: "join" });
  expect([d.orders(1), d.orders(2), d.machine.status.aborts]).toEqual([[], [], 0]);
});

test("so it does when that comes back with older code, which does not say what it has recorded", () => {
  const d = domain();
  d.restart(1, 0, BEFORE);
  expect(d.startsOver).toBe(true);
});

test("a sole member that comes back without a record of its epoch has decided nothing: the epoch is aborted", () => {
  const d = domain();
  d.restart(1, FIRST - 1);
  expect([d.startsOver, d.machine.status.aborts, d.machine.status.closing]).toEqual([false, 1, null]);
});

test("who has come back with older code is told by the coordinator what a sole member has decided", () => {
  const d = domain();
  d.say(1, { ...CLOSED, ordered: true });
  d.restart(2, FIRST, BEFORE);
  d.orders(2);
  d.say(1, { kind: "decided", epoch: FIRST });
  expect(d.orders(2)).toEqual([{ kind: "decide", epoch: FIRST }]);
});

test("the coordinator starts over when a sole member that is asked to close says nothing", () => {
  const d = domain();
  d.wake(2 * LIMITS.closeMs);
  expect(d.startsOver).toBe(false);
  d.say(2, { kind: "join" });
  d.wake(LIMITS.closeMs);
  expect(d.startsOver).toBe(false);
  d.wake(1);
  expect(d.startsOver).toBe(true);
});
