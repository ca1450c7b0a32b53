/** The coordinator's machine, told by hand what partitions say. */
import { describe, expect, test } from "vitest";
import { epochOf } from "../../protocol/epochs/epoch.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { Epoch, FinishCount, OrderMessage, Peer } from "../../protocol/wire/messages.ts";
import { Domain } from "./support/coordinator-net.ts";

const FIRST = epochOf(1, 1);
const PREPARE = { kind: "prepare", epoch: FIRST, decides: false, previous: 0 } as const;
const kinds = (orders: readonly OrderMessage[]) => orders.map(({ kind }) => kind);

/** A domain of partitions that are up, in the first era. */
function domain(...peers: Peer[]): Domain {
  const made = new Domain();
  for (const peer of peers) made.restart(peer);
  for (const peer of peers) made.orders(peer);
  made.log = [];
  return made;
}
const finishes = (peer: Peer, count = 1, incarnation = 1): FinishCount => ({ peer, incarnation, finishes: count });

function close(d: Domain, peer: Peer, epoch: Epoch, tagged: number, counts: FinishCount[] = [], rejoin = false): void {
  d.say(peer, { kind: "closed", epoch, tagged, counts, rejoin, ordered: false });
}

/** 1 is the root of a transaction with 2: the epoch is preparing. */
function preparing(d: Domain, epoch: Epoch = FIRST): void {
  d.say(1, { kind: "join" });
  close(d, 1, epoch, 1, [finishes(2, 1, d.stub(2).incarnation)]);
}

describe("an epoch", () => {
  test("of one partition: joined, prepared, decided, and nothing written", () => {
    const d = domain(1);
    d.say(1, { kind: "join" });
    close(d, 1, FIRST, 3);
    const joined = { kind: "joined", epoch: FIRST, sole: false, previous: 0 };
    expect(d.orders(1)).toEqual([joined, { ...PREPARE, parts: new Map([[1, 1]]), expect: new Map() }]);
    expect(d.machine.status).toMatchObject({ open: FIRST + 1, closing: { epoch: FIRST, phase: "preparing" } });
    d.say(1, { kind: "prepared", epoch: FIRST });
    expect(d.orders(1)).toEqual([{ kind: "decide", epoch: FIRST }]);
    expect(d.machine.status).toMatchObject({ committed: FIRST, closing: null, unacknowledged: 0 });
    expect([d.log.includes("aborted"), d.machine.isIdle]).toEqual([false, true]);
  });

  test("of two: decided when both have prepared; the member that only read hears of it too", () => {
    const d = domain(1, 2, 3);
    d.say(3, { kind: "join" });
    d.say(1, { kind: "join" });
    d.say(1, { kind: "want", epoch: FIRST });
    expect(kinds(d.orders(1))).toEqual(["joined", "close"]);
    close(d, 3, FIRST, 0);
    close(d, 1, FIRST, 2, [finishes(2, 2)], true);
    const parts = new Map([
      [1, 1],
      [2, 1],
    ]);
    expect(d.orders(1)).toEqual([{ ...PREPARE, parts, expect: new Map() }]);
    expect(d.orders(2)).toEqual([{ ...PREPARE, parts, expect: new Map([[1, 2]]) }]);
    expect(d.machine.status.members).toEqual([1]);
    d.say(2, { kind: "prepared", epoch: FIRST });
    expect(d.orders(2)).toEqual([]);
    d.say(1, { kind: "prepared", epoch: FIRST });
    for (const peer of [1, 2, 3]) expect(d.orders(peer).at(-1)).toEqual({ kind: "decide", epoch: FIRST });
  });

  test("that nobody put anything into commits at once", () => {
    const d = domain(1);
    d.say(1, { kind: "join" });
    d.say(1, { kind: "want", epoch: FIRST });
    close(d, 1, FIRST, 0);
    expect(kinds(d.orders(1))).toEqual(["joined", "close", "decide"]);
    expect(d.machine.status.committed).toBe(FIRST);
  });

  test("that is wanted closes when the one before is decided, and names it as previous", () => {
    const d = domain(1, 2);
    d.say(2, { kind: "join" });
    d.say(1, { kind: "join" });
    close(d, 1, FIRST, 1);
    close(d, 2, FIRST, 0, [], true);
    d.say(2, { kind: "want", epoch: FIRST + 1 });
    expect(kinds(d.orders(2))).toEqual(["joined", "close"]);
    d.say(1, { kind: "prepared", epoch: FIRST });
    expect(d.orders(2)).toEqual([
      { kind: "decide", epoch: FIRST },
      { kind: "close", epoch: FIRST + 1 },
    ]);
    close(d, 2, FIRST + 1, 1);
    expect(d.orders(2)).toMatchObject([{ kind: "prepare", epoch: FIRST + 1, previous: FIRST }]);
  });

  /** The first epoch took 10 ms to decide; the second is wanted by one of two members, both of which still work. */
  function gathering(): Domain {
    const d = domain(1, 2);
    for (const peer of [1, 2]) d.say(peer, { kind: "join" });
    d.say(1, { kind: "want", epoch: FIRST });
    close(d, 1, FIRST, 1, [], true);
    close(d, 2, FIRST, 0, [], true);
    d.now += 10;
    d.say(1, { kind: "prepared", epoch: FIRST });
    d.say(1, { kind: "want", epoch: FIRST + 1 });
    for (const peer of [1, 2]) expect(kinds(d.orders(peer)).at(-1)).toBe("decide");
    return d;
  }

  test("gathers for a share of the time that the one before it took, while members have work for it", () => {
    const d = gathering();
    d.wake(10 * LIMITS.gatherShare - 1);
    for (const peer of [1, 2]) expect(d.orders(peer)).toEqual([]);
    d.wake(1);
    for (const peer of [1, 2]) expect(d.orders(peer)).toEqual([{ kind: "close", epoch: FIRST + 1 }]);
  });

  test("gathers no longer once no member has work for it", () => {
    const d = gathering();
    close(d, 1, FIRST + 1, 1);
    expect(d.orders(1)).toEqual([]);
    close(d, 2, FIRST + 1, 0);
    expect(kinds(d.orders(1))).toEqual(["prepare"]);
  });

  test("counts are cumulative: a member that left and came back replaces what it said", () => {
    const d = domain(1, 2, 3);
    d.say(3, { kind: "join" });
    d.say(1, { kind: "join" });
    close(d, 1, FIRST, 0);
    d.say(1, { kind: "join" });
    close(d, 1, FIRST, 2, [finishes(2, 2)]);
    expect(kinds(d.orders(3))).toEqual(["joined", "close"]);
    close(d, 3, FIRST, 1, [finishes(2, 1)]);
    expect(d.orders(2)).toMatchObject([
      {
        expect: new Map([
          [3, 1],
          [1, 2],
        ]),
      },
    ]);
  });
});

describe("a partition restarts", () => {
  /** Whether the first epoch is lost by it. */
  function expectAborted(d: Domain, first: Epoch, last: Epoch): void {
    expect(d.machine.status).toMatchObject({ base: last + 1, open: last + 1, closing: null, aborts: 1 });
    expect(d.stored.aborted).toBe(`${first}:${last}`);
    const orders = d.orders(1).filter(({ kind }) => kind === "era");
    expect(orders[0]).toMatchObject({ base: last + 1, open: last + 1, generation: 1 });
    expect(d.log.indexOf("aborted")).toBeLessThan(d.log.indexOf("to 1", d.log.indexOf("aborted")));
  }

  test("while a member of the open epoch: that epoch is aborted", () => {
    const d = domain(1, 2, 3);
    d.say(2, { kind: "join" });
    d.restart(2);
    expectAborted(d, FIRST, FIRST);
  });

  test("without a part in anything: nothing is aborted, and it is told the era", () => {
    const d = domain(1, 2);
    d.say(1, { kind: "join" });
    d.restart(2);
    expect(kinds(d.orders(2))).toEqual(["era"]);
    expect(d.machine.status.aborts).toBe(0);
  });

  test("while a member of the closing epoch: it and the open one are aborted", () => {
    const d = domain(1, 2, 3);
    for (const peer of [1, 2]) d.say(peer, { kind: "join" });
    close(d, 1, FIRST, 1);
    expect(d.machine.status.closing?.phase).toBe("closing");
    d.restart(2);
    expectAborted(d, FIRST, FIRST + 1);
  });

  test.each([
    ["a participant that has not prepared", 2, [1], true],
    ["a participant that has prepared", 2, [2], false],
    ["a root that has prepared, while another has not", 1, [1], true],
    ["a root that has not prepared", 1, [2], true],
  ] as const)("while an epoch is prepared: %s", (_what, peer, prepared, aborted) => {
    const d = domain(1, 2, 3);
    preparing(d);
    for (const who of prepared) d.say(who, { kind: "prepared", epoch: FIRST });
    d.restart(peer);
    if (aborted) return expectAborted(d, FIRST, FIRST + 1);
    expect(d.machine.status).toMatchObject({ aborts: 0, closing: { epoch: FIRST } });
    d.say(1, { kind: "prepared", epoch: FIRST });
    expect(d.machine.status.committed).toBe(FIRST);
  });

  test("while a member of the open epoch, and the closing one is safe: aborted when that is decided", () => {
    const d = domain(1, 2, 3);
    preparing(d);
    d.say(3, { kind: "join" });
    d.restart(3);
    expect(d.machine.status.aborts).toBe(0);
    d.say(2, { kind: "prepared", epoch: FIRST });
    d.say(1, { kind: "prepared", epoch: FIRST });
    expect(d.machine.status).toMatchObject({ committed: FIRST, base: FIRST + 2, aborts: 1 });
    expect(kinds(d.orders(1)).slice(-2)).toEqual(["decide", "era"]);
  });
});

describe("other reasons to abort", () => {
  test("a refusal", () => {
    const d = domain(1, 2);
    preparing(d);
    d.say(2, { kind: "refuse", epoch: FIRST });
    expect(d.machine.status).toMatchObject({ base: FIRST + 2, committed: 0, aborts: 1 });
    d.say(1, { kind: "prepared", epoch: FIRST });
    d.say(2, { kind: "prepared", epoch: FIRST }, FIRST);
    expect(d.machine.status.committed).toBe(0);
  });

  test("a participant that took part under two incarnations, or one that is replaced", () => {
    const two = domain(1, 2, 3);
    for (const peer of [1, 3]) two.say(peer, { kind: "join" });
    close(two, 1, FIRST, 1, [finishes(2, 1, 1)]);
    close(two, 3, FIRST, 1, [finishes(2, 1, 2)]);
    expect(two.machine.status.aborts).toBe(1);

    const replaced = domain(1, 2);
    replaced.restart(2);
    replaced.say(1, { kind: "join" });
    close(replaced, 1, FIRST, 1, [finishes(2, 1, 1)]);
    expect(replaced.machine.status.aborts).toBe(1);
  });

  test("a member that does not close, a participant that does not prepare", () => {
    const d = domain(1, 2);
    for (const peer of [1, 2]) d.say(peer, { kind: "join" });
    close(d, 1, FIRST, 1);
    d.wake(LIMITS.closeMs);
    expect(d.machine.status.aborts).toBe(0);
    d.wake(1);
    expect(d.machine.status).toMatchObject({ aborts: 1, base: FIRST + 2 });
    preparing(d, FIRST + 2);
    d.wake(LIMITS.prepareMs + 1);
    expect(d.machine.status).toMatchObject({ aborts: 2, base: FIRST + 4 });
    const before = d.wakes;
    d.wake(200);
    expect([d.wakes - before, d.machine.isIdle]).toEqual([0, true]);
  });
});

test("messages of another era are ignored", () => {
  const d = domain(1);
  for (const era of [0, FIRST - 1, FIRST + 1]) {
    d.say(1, { kind: "join" }, era);
    d.say(1, { kind: "want", epoch: FIRST }, era);
  }
  expect([d.orders(1), d.machine.status.members]).toEqual([[], []]);
});

test("what breaks the protocol is an invariant", () => {
  const d = domain(1, 2);
  expect(() => close(d, 1, FIRST, 0)).toThrow("no member");
  d.say(1, { kind: "join" });
  expect(() => close(d, 1, FIRST + 1, 0)).toThrow("not open");
});

test("a partition is registered durably before it is told the era, once", () => {
  const d = new Domain();
  d.restart(7);
  expect(d.log.filter((entry) => entry !== "aborted")).toEqual(["registered", "to 7"]);
  d.restart(4);
  d.restart(7);
  expect(d.stored.registered).toBe("7,4");
  expect(d.log.filter((entry) => entry === "registered")).toHaveLength(2);
});

test("once all have entered an era, the ranges before it are dropped; touching ranges are one", () => {
  const d = domain(1, 2);
  const abort = () => {
    const { open } = d.machine.status;
    d.say(1, { kind: "join" });
    close(d, 1, open, 1);
    d.say(1, { kind: "refuse", epoch: open });
  };
  abort();
  expect(d.machine.status.abortedRanges.at(-1)).toEqual([FIRST, FIRST + 1]);
  abort();
  expect(d.machine.status.abortedRanges.at(-1)).toEqual([FIRST, FIRST + 3]);
  d.say(2, { kind: "join" });
  abort();
  expect(d.machine.status.abortedRanges).toEqual([[FIRST + 4, FIRST + 5]]);
});

describe("a new generation", () => {
  type Records = Array<readonly [Epoch, ...Peer[]]>;
  const report = (d: Domain, peer: Peer, decided: Epoch, ...records: Records) => tell(d, peer, false, decided, records);
  const damaged = (d: Domain, peer: Peer, ...records: Records) => tell(d, peer, true, 0, records);
  const tell = (d: Domain, peer: Peer, isDamaged: boolean, decided: Epoch, records: Records) =>
    d.say(peer, {
      kind: "report",
      generation: d.generation,
      decided,
      reads: 1,
      damaged: isDamaged,
      records: records.map(([epoch, ...parts]) => ({ epoch, parts: new Map(parts.map((part) => [part, 1])) })),
    });
  const SECOND = epochOf(2, 1);

  test("asks all registered partitions and decides nothing before all have reported", () => {
    const d = domain(1, 2);
    d.restartCoordinator();
    for (const peer of [1, 2]) expect(d.orders(peer)).toEqual([{ kind: "recover", generation: 2 }]);
    report(d, 1, 0);
    d.say(1, { kind: "join" }, SECOND);
    expect([d.machine.status.phase, d.orders(1)]).toEqual(["recovering", []]);
    report(d, 2, 0);
    expect(d.machine.status).toMatchObject({ phase: "running", base: SECOND, committed: 0 });
    const era = {
      kind: "era",
      ...{ map: "", next: "", frozen: false, format: 1 },
      generation: 2,
      base: SECOND,
      open: SECOND,
      committed: 0,
      aborted: [[1, SECOND - 1]],
    };
    for (const peer of [1, 2]) expect(d.orders(peer)).toEqual([era]);
  });

  describe("with a damaged partition", () => {
    const recovering = (): Domain => {
      const d = domain(1, 2);
      d.restartCoordinator();
      return d;
    };

    test("goes on without it when no record hangs on it", () => {
      const d = recovering();
      damaged(d, 1);
      report(d, 2, FIRST, [FIRST + 1, 2]);
      expect(d.machine.status).toMatchObject({ phase: "running", recovery: null, committed: FIRST + 1 });
    });

    test("commits an epoch whose record it still claims to hold, though nobody else takes part in it", () => {
      const d = recovering();
      damaged(d, 1, [FIRST, 1]);
      report(d, 2, 0);
      expect(d.machine.status).toMatchObject({ phase: "running", committed: FIRST });
    });

    test("waits while a record of another hangs on it, says so, and ends when it is mended", () => {
      const d = recovering();
      report(d, 2, 0, [FIRST, 1, 2]);
      expect(d.machine.status.recovery).toEqual({ missing: [1], damaged: [], undecidable: null });
      damaged(d, 1);
      const undecidable = { epoch: FIRST, partitions: [1] };
      expect(d.machine.status).toMatchObject({
        phase: "recovering",
        recovery: { missing: [], damaged: [1], undecidable },
      });
      d.restart(1);
      report(d, 1, 0, [FIRST, 1, 2]);
      expect(d.machine.status).toMatchObject({ phase: "running", committed: FIRST });
    });

    test("aborts an epoch that a sound participant does not hold, whatever the damaged one held", () => {
      const d = domain(1, 2, 3);
      d.restartCoordinator();
      damaged(d, 1);
      report(d, 2, 0, [FIRST, 1, 2, 3]);
      report(d, 3, 0);
      expect(d.machine.status).toMatchObject({ phase: "running", committed: 0 });
    });

    test("keeps the ranges of aborted epochs, in which records may be that it cannot read", () => {
      const d = domain(1, 2);
      d.say(2, { kind: "join" });
      d.say(2, { kind: "closed", epoch: FIRST, tagged: 1, counts: [], rejoin: false, ordered: false });
      d.say(2, { kind: "refuse", epoch: FIRST });
      expect(d.machine.status.abortedRanges).toContainEqual([FIRST, FIRST + 1]);
      d.restartCoordinator();
      damaged(d, 1);
      report(d, 2, SECOND - 5);
      expect(d.machine.status.abortedRanges[0]).toEqual([FIRST, FIRST + 1]);
    });
  });

  test.each([
    ["held by all its participants", [[FIRST, 1, 2]], [[FIRST, 1, 2]], FIRST],
    ["not held by all", [[FIRST, 1, 2]], [], 0],
    [
      "behind one that is not held by all",
      [
        [FIRST, 1, 2],
        [FIRST + 1, 1],
      ],
      [],
      0,
    ],
    [
      "behind one that is",
      [
        [FIRST, 1, 2],
        [FIRST + 1, 1],
      ],
      [[FIRST, 1, 2]],
      FIRST + 1,
    ],
  ] as const)("an epoch %s", (_what, one, two, committed) => {
    const d = domain(1, 2);
    d.restartCoordinator();
    report(d, 1, 0, ...(one as unknown as Array<readonly [Epoch, ...Peer[]]>));
    report(d, 2, 0, ...(two as unknown as Array<readonly [Epoch, ...Peer[]]>));
    expect(d.machine.status.committed).toBe(committed);
    expect(d.machine.status.abortedRanges.at(-1)).toEqual([committed + 1, SECOND - 1]);
  });

  test("what one partition knows to be committed is committed", () => {
    const d = domain(1, 2);
    d.restartCoordinator();
    report(d, 1, FIRST + 1);
    report(d, 2, 0, [FIRST, 1, 2], [FIRST + 2, 2]);
    expect(d.machine.status.committed).toBe(FIRST + 2);
  });

  test("an aborted epoch stays aborted though all hold its record", () => {
    const d = domain(1, 2);
    preparing(d);
    d.say(2, { kind: "refuse", epoch: FIRST });
    d.restartCoordinator();
    report(d, 1, 0, [FIRST, 1, 2]);
    report(d, 2, 0, [FIRST, 1, 2]);
    expect(d.machine.status).toMatchObject({ committed: 0, abortedRanges: [[1, SECOND - 1]] });
  });

  test("keeps the aborted ranges that a record is left in, and drops the others", () => {
    const d = domain(1, 2);
    // Two aborts with a commit behind each; 2 never says that it entered an era.
    for (const epoch of [FIRST, FIRST + 3]) {
      preparing(d, epoch);
      d.say(1, { kind: "refuse", epoch });
      d.say(1, { kind: "join" });
      close(d, 1, epoch + 2, 1);
      d.say(1, { kind: "prepared", epoch: epoch + 2 });
    }
    expect(d.machine.status.abortedRanges).toEqual([
      [FIRST, FIRST + 1],
      [FIRST + 3, FIRST + 4],
    ]);
    d.restartCoordinator();
    report(d, 1, FIRST + 5);
    report(d, 2, 0, [FIRST + 3, 1, 2]);
    expect(d.machine.status).toMatchObject({
      committed: FIRST + 5,
      abortedRanges: [
        [FIRST + 3, FIRST + 4],
        [FIRST + 6, SECOND - 1],
      ],
    });
  });

  test("asks again a partition that restarts meanwhile, and does not count its earlier report", () => {
    const d = domain(1, 2);
    d.restartCoordinator();
    report(d, 1, 0);
    d.restart(1);
    expect(kinds(d.orders(1))).toContain("recover");
    report(d, 2, 0);
    expect(d.machine.status.phase).toBe("recovering");
    report(d, 1, 0);
    expect(d.machine.status.phase).toBe("running");
  });

  test("waits for a partition that speaks for the first time, and ignores reports to others", () => {
    const d = domain(1);
    d.restartCoordinator();
    d.restart(2);
    report(d, 1, 0);
    d.say(2, { kind: "report", generation: 1, decided: 0, records: [], reads: 1, damaged: false });
    expect(d.machine.status.phase).toBe("recovering");
    report(d, 2, 0);
    expect(d.machine.status.phase).toBe("running");
  });

  test("is not disturbed by the generation before, which learns that it is replaced", () => {
    const d = domain(1);
    const replaced = d.restartCoordinator();
    report(d, 1, 0);
    d.orders(1);
    const live = d.machine;
    d.machine = replaced;
    d.say(1, { kind: "join" });
    expect([replaced.isReplaced, replaced.status.members, d.orders(1)]).toEqual([true, [], []]);
    d.machine = live;
  });

  test("records that contradict each other are an invariant", () => {
    const d = domain(1, 2);
    d.restartCoordinator();
    report(d, 1, 0, [FIRST, 1, 2]);
    expect(() => report(d, 2, 0, [FIRST, 2])).toThrow("1:");
  });
});
