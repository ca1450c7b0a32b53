/** How often things go wrong by themselves in one run, as numbers that can be told and changed. */
import type { Random } from "../random.ts";
import type { Profile } from "../world/profile.ts";

export interface Rates {
  /** 0 mild, 1 usual, 2 wild. */
  readonly level: number;
  /** One way, ms: at least and at most. */
  readonly hop: readonly [number, number];
  readonly confirm: readonly [number, number];
  /** Chance that a shell takes its time. */
  readonly lazy: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly slow: number;
  readonly slowMs: number;
  readonly zombieMail: number;
  /** How long a replaced instance lives on at most: in most runs less than the faults last, so that what comes after it is tried too. */
  readonly zombieMs: number;
  /** Whether answers carry batches: else each is lost and late by itself. */
  readonly carries: boolean;
  readonly alarms: number;
  readonly skewMs: number;
  /** Whether what one turn persists may survive in part. */
  readonly tornTurns: boolean;
  /** Chance that an instance runs the code before, which reads one version of messages less. */
  readonly olderCode: number;
  /** From then on little goes wrong by itself, ms; never when absent. */
  readonly mildFromMs?: number;
  /** And for so long, ms. */
  readonly mildLastsMs?: number;
}

export function drawRates(random: Random): Rates {
  const level = random.pick([0, 1, 1, 2]);
  const strength = [0.25, 1, 2][level] as number;
  return {
    level,
    hop: random.pick([
      [1, 1.5],
      [1, 8],
      [0.2, 20],
    ] as const),
    confirm: random.pick([
      [1, 9],
      [1, 9],
      [8, 12],
      [1, 60],
    ] as const),
    lazy: random.pick([0, 0.1, 0.5]),
    loss: strength * random.pick([0.005, 0.02, 0.04]),
    duplicate: strength * random.pick([0.01, 0.03, 0.05]),
    slow: strength * random.pick([0.01, 0.03, 0.06]),
    slowMs: random.pick([60, 250, 250, 800]),
    zombieMail: random.pick([0.3, 0.6, 0.9]),
    alarms: strength * 0.05,
    skewMs: random.pick([0, 20, 3000]),
    tornTurns: false,
    olderCode: random.pick([0, 0, 0.1, 0.4]),
    zombieMs: random.pick([100, 400, 400, Infinity]),
    carries: random.next() < 0.6,
  };
}

export function profileOf(rates: Rates): Profile {
  const between =
    ([from, to]: readonly [number, number]) =>
    (random: Random) =>
      from + random.next() * (to - from);
  return {
    hopMs: between(rates.hop),
    confirmMs: between(rates.confirm),
    soonMs: (random) => (rates.lazy > 0 && random.next() < rates.lazy ? random.next() * 4 : 0),
    atomicity: rates.tornTurns ? "persist" : "turn",
    loseRequest: rates.loss,
    loseReply: rates.loss,
    duplicate: rates.duplicate,
    slow: rates.slow,
    slowMs: rates.slowMs,
    tellLoss: 0.9,
    zombieMail: rates.zombieMail,
    zombieMs: rates.zombieMs,
    carries: rates.carries,
    wakeTwice: rates.alarms,
    wakeLate: rates.alarms,
    failWhenDown: 0.2,
    skewMs: rates.skewMs,
  };
}

/** So little that what takes many messages comes to an end between one fault and the next. */
export function mildProfileOf(rates: Rates): Profile {
  return {
    ...profileOf(rates),
    ...{
      loseRequest: 0.002,
      loseReply: 0.002,
      duplicate: 0.01,
      slow: 0.005,
      slowMs: 80,
      wakeTwice: 0.02,
      wakeLate: 0.02,
    },
    hopMs: (random) => 1 + random.next() * 4,
    confirmMs: (random) => 1 + random.next() * 8,
    zombieMail: 0.5,
    zombieMs: 100,
  };
}
