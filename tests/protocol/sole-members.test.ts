/** An epoch that one partition has to itself, as the coordinator sees it. */
import { expect, test } from "vitest";
import { epochOf } from "../../protocol/epochs/epoch.ts";
import { SOLE_FORMAT } from "../../protocol/wire/codec.ts";
import type { FinishCount, Peer } from "../../protocol/wire/messages.ts";
import { Domain } from "./support/coordinator-net.ts";

const FIRST = epochOf(1, 1);
const finishes = (peer: Peer): FinishCount => ({ peer, incarnation: 1, finishes: 1 });

/** Two partitions that are up, and know of sole members. */
function domain(): Domain {
  const d = new Domain(SOLE_FORMAT);
  for (const peer of [1, 2]) d.restart(peer);
  for (const peer of [1, 2]) d.orders(peer);
  return d;
}

/** What the sole member says when it has given the epoch to a transaction with 2, and ordered that to prepare. */
function closeOrdered(d: Domain): void {
  d.say(1, { kind: "closed", epoch: FIRST, tagged: 1, counts: [finishes(2)], rejoin: false, ordered: true });
}

test("the epoch of who joins when nothing is under way is its alone: others get the next, and then it is asked to close", () => {
  const d = domain();
  d.say(1, { kind: "join" });
  expect(d.orders(1)).toEqual([{ kind: "joined", epoch: FIRST, sole: true, previous: 0 }]);
  expect([d.machine.status.closing?.phase, d.machine.isIdle]).toEqual(["sole", true]);
  d.say(2, { kind: "join" });
  expect(d.orders(2)).toEqual([{ kind: "joined", epoch: FIRST + 1, sole: false, previous: 0 }]);
  expect(d.orders(1)).toEqual([{ kind: "close", epoch: FIRST }]);
  d.say(1, { kind: "closed", epoch: FIRST, tagged: 0, counts: [], rejoin: true, ordered: false });
  expect(d.machine.status).toMatchObject({ committed: FIRST, closing: null, members: [2, 1], aborts: 0 });
});

test("the epoch of a sole member is decided by its order: nobody is told to prepare, and who prepared before it closed counts", () => {
  const d = domain();
  d.say(1, { kind: "join" });
  d.orders(1);
  d.say(2, { kind: "prepared", epoch: FIRST });
  expect(d.machine.status.closing?.phase).toBe("closing");
  closeOrdered(d);
  expect([d.orders(1), d.orders(2), d.machine.status.committed]).toEqual([[], [], 0]);
  d.say(1, { kind: "prepared", epoch: FIRST });
  const decide = { kind: "decide", epoch: FIRST };
  expect([d.orders(1), d.orders(2), d.machine.status.committed]).toEqual([[decide], [decide], FIRST]);
});

test("a sole member that waits for its own epoch is asked to close it", () => {
  const d = domain();
  d.say(1, { kind: "join" });
  d.orders(1);
  d.say(1, { kind: "want", epoch: FIRST });
  expect(d.orders(1)).toEqual([{ kind: "close", epoch: FIRST }]);
});

test("the epoch of a sole member is aborted when one that prepared for it is lost before it has closed", () => {
  const d = domain();
  d.say(1, { kind: "join" });
  d.say(2, { kind: "prepared", epoch: FIRST });
  d.restart(2);
  expect(d.machine.status.aborts).toBe(0);
  closeOrdered(d);
  expect(d.machine.status).toMatchObject({ aborts: 1, committed: 0 });
});

test("the epoch of a sole member that is lost is aborted, also while nobody waits for it", () => {
  const d = domain();
  d.say(1, { kind: "join" });
  d.restart(1);
  expect(d.machine.status).toMatchObject({ aborts: 1, closing: null });
});
