/** The windows that docs/protocol.md names: somebody crashes, is replaced, or hears late, just there. */
import { COORDINATOR } from "../../protocol/wire/messages.ts";
import type { Random } from "../random.ts";
import type { Aim, AimAction, Occasion, Who } from "./aims.ts";
import { drawManner } from "./manner.ts";

type NamedAim = (random: Random, partitions: number) => Aim;

export const NAMED_AIMS: readonly NamedAim[] = [
  (random) => aim("just after a record", "persisted record", 1 + random.int(20), crash(random, "self", 0)),
  (random) => aim("record durable, not yet said", "confirmed record", 1 + random.int(20), crash(random, "self", 0)),
  (random) => aim("just after an abort row", "persisted aborted", 1 + random.int(3), crash(random, "coordinator", 0)),
  (random) =>
    aim("abort row durable", "confirmed aborted", 1 + random.int(3), crash(random, "coordinator", random.next() * 12)),
  (random, partitions) =>
    aim(
      "abort news late at one, then the coordinator crashes",
      "persisted aborted",
      1 + random.int(5),
      ...lateEra(random, partitions, "coordinator"),
    ),
  (random, partitions) =>
    aim(
      "abort news late at one, which crashes",
      "persisted aborted",
      1 + random.int(5),
      ...lateEra(random, partitions, "self"),
    ),
  (random, partitions) =>
    aim(
      "abort told to some, then the coordinator crashes",
      "sent era",
      1 + random.int(16),
      ...lateEra(random, partitions, "coordinator"),
    ),
  (random, partitions) =>
    aim(
      "decision late at one, then the coordinator crashes",
      "sent decide",
      1 + random.int(20),
      { do: "delay", kind: "decide", to: random.int(partitions), ms: 300, maxMs: 300 },
      crash(random, "coordinator", random.next() * 30),
    ),
  (random) => aim("all prepared, none told", "handled prepared", 2 + random.int(10), crash(random, "all", 0)),
  (random) =>
    aim(
      "decided, then everything is reset",
      "sent decide",
      1 + random.int(10),
      crash(random, "all", random.next() * 8),
    ),
  (random) =>
    aim(
      "a participant is lost after its answer",
      "sent answer",
      1 + random.int(20),
      crash(random, "self", random.next() * 8),
    ),
  (random) =>
    aim(
      "the root is lost after its finishes",
      "sent finish",
      1 + random.int(20),
      crash(random, "self", random.next() * 8),
    ),
  (random, partitions) =>
    aim("finishes late", "sent finish", 1 + random.int(10), {
      do: "delay",
      kind: "finish",
      to: random.int(partitions),
      ms: 400,
      maxMs: 200,
    }),
  (random) =>
    aim("a replaced coordinator decides from memory", "handled prepared", 1 + random.int(10), {
      do: "crash",
      who: "coordinator",
      delayMs: 0,
      manner: { keep: "all", zombie: true, bootMs: 1, kind: "aimed crash" },
    }),
  (random) =>
    aim("a replaced partition answers from memory", "sent answer", 1 + random.int(20), {
      do: "crash",
      who: "self",
      delayMs: 0,
      manner: { keep: "all", zombie: true, bootMs: 1, kind: "aimed crash" },
    }),
  (random) => aim("crash in recovery", "handled recover", 1 + random.int(3), crash(random, "self", random.next() * 10)),
  (random) =>
    aim(
      "coordinator crashes in recovery",
      "handled report",
      1 + random.int(3),
      crash(random, "coordinator", random.next() * 10),
    ),
  (random) => aim("crash while folding", "persisted drop-records", 1 + random.int(6), crash(random, "self", 0)),
  (random) =>
    aim(
      "prepared, another is lost, the abort is heard late, then the coordinator crashes",
      "sent prepared",
      1 + random.int(20),
      ...heardLate(random, "coordinator"),
    ),
  (random) =>
    aim(
      "prepared, another is lost, the abort is heard after a restart",
      "sent prepared",
      1 + random.int(20),
      ...heardLate(random, "self"),
    ),
  (random) => aim("a sender is lost as its message leaves", "sent post", 1 + random.int(3), crash(random, "self", 0)),
  (random) => aim("a sender is lost as its message leaves", "sent post", 3 + random.int(6), crash(random, "self", 0)),
  (random) =>
    aim("everything is reset just after a fold", "confirmed drop-records", 1 + random.int(4), crash(random, "all", 0)),
  (random) =>
    aim(
      "lost some time after an abort",
      "persisted replace-record",
      1 + random.int(3),
      crash(random, "self", random.next() * 200),
    ),
  (random) =>
    aim(
      "the root is lost while its finishes are late",
      "sent finish",
      1 + random.int(20),
      { do: "delay", kind: "finish", to: "peer", ms: 500, maxMs: 3_000 },
      crash(random, "self", 20 + random.next() * 80),
    ),
  (random) =>
    aim(
      "decision late at one, and another restarts",
      "sent decide",
      1 + random.int(20),
      { do: "delay", kind: "decide", to: "peer", ms: 100, maxMs: 1_500 },
      {
        do: "crash",
        who: "other",
        delayMs: random.next() * 10,
        manner: { ...drawManner(random, "aimed crash"), bootMs: 1 },
      },
    ),
  (random) =>
    aim("a replaced partition lives on after a decision", "handled decide", 1 + random.int(20), {
      do: "crash",
      who: "self",
      delayMs: random.next() * 10,
      manner: { keep: "all", zombie: true, peersOnly: true, bootMs: 1, kind: "aimed crash" },
    }),
  // The window is small: it is aimed at more often.
  ...([3, 10] as const).map(
    (most): NamedAim =>
      (random) =>
        aim(
          "prepared, another is lost, the abort is heard late, then the coordinator crashes",
          "sent prepared",
          1 + random.int(most),
          ...heardLate(random, "coordinator"),
        ),
  ),
  // What runs in it when it is replaced still ends, and would answer.
  ...([6, 30] as const).map(
    (most): NamedAim =>
      (random) =>
        aim("a partition is replaced, and lives on", "persisted record", 1 + random.int(most), {
          do: "crash",
          who: "self",
          delayMs: random.next() * 8,
          manner: { keep: "all", zombie: true, bootMs: 1, kind: "aimed crash" },
        }),
  ),
  // It is a member of the next epoch by then, and the one before waits for others.
  ...([4, 20] as const).map(
    (most): NamedAim =>
      (random) =>
        aim(
          "a member of the open epoch is lost before the one behind is decided",
          "sent prepared",
          1 + random.int(most),
          {
            do: "crash",
            who: "self",
            delayMs: random.next() * 4,
            manner: { keep: "all", zombie: false, bootMs: 1, kind: "aimed crash" },
          },
        ),
  ),
  // The coordinator may count on what it has said.
  (random) =>
    aim("a target is lost when it has said that it has everything", "sent moved", 1 + random.int(8), {
      ...{ do: "crash", who: "self", delayMs: random.next() * random.pick([0.5, 8]) },
      manner: { keep: "none", zombie: false, bootMs: 1, kind: "aimed crash" },
    }),
  // Its source begins anew, and may not be taken for one that has given nothing.
  (random) =>
    aim("a source is lost when its target has said that it has everything", "sent moved", 1 + random.int(4), {
      ...{ do: "crash", who: "other", delayMs: random.next() * 6 },
      manner: { ...drawManner(random, "aimed crash"), bootMs: 1 },
    }),
  // It says that nothing is left of what was given away, and may not have written what deletes that.
  (random) =>
    aim("lost as it says that all is deleted", "confirmed garbage", 1 + random.int(4), {
      ...{ do: "crash", who: "self", delayMs: 0 },
      manner: { keep: "none", zombie: false, bootMs: 1, kind: "aimed crash" },
    }),
  (random) => lostAfterAbort(random, 2),
  // It counts its batches anew each time, and what becomes of those of before is told it later.
  (random) =>
    aim(
      "lost twice, and what it says then is lost",
      "sent answer",
      1 + random.int(12),
      again(random, random.next() * 3),
      again(random, 12 + random.next() * 40),
      { do: "cut", afterMs: 14 + random.next() * 40, ms: 60 },
    ),
  // Its order has left then, and who takes part is known to nobody but those that it has ordered.
  (random) =>
    aim(
      "a sole member is lost behind its order",
      "sent prepare",
      1 + random.int(12),
      crash(random, "self", random.next() * 4),
    ),
  // Then only its answer says so, and the records.
  (random) =>
    aim(
      "a sole member decides, and is lost before anybody hears of it",
      "handled prepared",
      1 + random.int(12),
      { do: "delay", kind: "decided", to: COORDINATOR, ms: 300, maxMs: 60 },
      { do: "delay", kind: "decide", to: "peer", ms: 300, maxMs: 60 },
      crash(random, "self", random.next() * random.pick([1, 12])),
    ),
  // Until then it may overwrite what a transaction of that epoch has read.
  (random) =>
    aim("finished, and asked late to prepare", "handled finish", 1 + random.int(20), {
      ...{ do: "delay", kind: "prepare", to: "self", ms: 300, maxMs: 250 },
    }),
  (random) =>
    aim(
      "one lags behind",
      "handled finish",
      1 + random.int(20),
      { do: "delay", kind: "close", to: "other", ms: 400, maxMs: 300 },
      { do: "delay", kind: "decide", to: "other", ms: 400, maxMs: 300 },
    ),
  (random) =>
    aim(
      "lost as it writes how an effect ended",
      "handled effect-end",
      1 + random.int(4),
      again(random, random.next() * 12),
    ),
];

/** One partition hears of an abort so late that the others have long committed later epochs; somebody crashes meanwhile. */
function lateEra(random: Random, partitions: number, who: "coordinator" | "self"): AimAction[] {
  const to = random.int(partitions);
  const manner = { ...drawManner(random, "aimed crash"), bootMs: 1 };
  return [
    { do: "delay", kind: "era", to, ms: 400, maxMs: 4_000 },
    { do: "crash", who: who === "self" ? to : who, delayMs: 60 + random.next() * 400, manner },
  ];
}

/** Who holds a record of an epoch that is aborted then: it hears of that when later epochs are committed. */
function heardLate(random: Random, who: "coordinator" | "self"): AimAction[] {
  const lost = { keep: "none", zombie: false, bootMs: 1, kind: "aimed crash" } as const;
  return [
    { do: "delay", kind: "era", to: "self", ms: 250, maxMs: 4_000 },
    { do: "crash", who: "other", delayMs: 0, manner: lost },
    {
      do: "crash",
      who,
      delayMs: 50 + random.next() * 250,
      manner: { ...drawManner(random, "aimed crash"), bootMs: 1 },
    },
  ];
}

/** Where key groups move: whoever gives or takes them is lost, near a piece of it, or while nothing runs since what is left is moved. */
export function drawMoveAims(random: Random): Aim[] {
  return Array.from({ length: 2 + random.int(4) }, () => {
    const isFrozen = random.oneIn(2);
    const piece = random.pick(["handled move-chunk", "sent moved", "sent move-taken"] as const);
    const who = random.pick(isFrozen ? (["peer", "other"] as const) : (["self", "peer"] as const));
    const nth = 1 + random.int(isFrozen ? 4 : 12);
    return aim("lost in a move", isFrozen ? "handled moved" : piece, nth, crash(random, who, random.next() * 12));
  });
}

/** Where few clients make epochs with a sole member, and key groups move: they are to be frozen while it has decided and is not heard of. */
export function drawFrozenAims(random: Random): Aim[] {
  return Array.from({ length: FROZEN_AIMS }, () =>
    aim(
      "a sole member is heard late while groups move",
      "sent move-chunk",
      1 + random.int(MOVE_CHUNKS),
      { do: "delay", kind: "decided", to: COORDINATOR, ms: 400, maxMs: 300 },
      { do: "delay", kind: "decide", to: "self", ms: 400, maxMs: 300 },
      { do: "delay", kind: "decide", to: "peer", ms: 400, maxMs: 300 },
    ),
  );
}
const FROZEN_AIMS = 10;
const MOVE_CHUNKS = 40;

function aim(name: string, on: Occasion, nth: number, ...actions: readonly AimAction[]): Aim {
  return { name, on, nth, actions };
}

/** Where a record was aborted, once more in half of the runs: a local commit must come between that and the restart, and hardly ever does. */
export function drawVoidAims(random: Random): Aim[] {
  return random.oneIn(2) ? [lostAfterAbort(random, 4)] : [];
}

/** What stands for the aborted record alone says what was decided before, and keys of that are written to by what commits at once. */
function lostAfterAbort(random: Random, most: number): Aim {
  return aim(
    "lost some time after an abort, when nothing was decided meanwhile",
    "persisted replace-record",
    1 + random.int(most),
    { do: "delay", kind: "decide", to: "self", ms: 300, maxMs: 400 },
    { do: "delay", kind: "prepare", to: "self", ms: 300, maxMs: 400 },
    again(random, 20 + random.next() * 200),
  );
}

/** It starts again at once. */
function again(random: Random, delayMs: number): AimAction {
  const keep = random.pick(["all", "all", "some"] as const);
  return { do: "crash", who: "self", delayMs, manner: { keep, zombie: false, bootMs: 1, kind: "aimed crash" } };
}

function crash(random: Random, who: Who, delayMs: number): AimAction {
  return { do: "crash", who, delayMs, manner: drawManner(random, "aimed crash") };
}
