/** How a world behaves: how long things take, and how often they go wrong by themselves. Drawn from the seed; see faults/profile.ts. */
import type { Random } from "../random.ts";
import type { Atomicity } from "./gate.ts";

export interface Profile {
  /** One way between two objects or a client and an object, in ms. */
  hopMs(random: Random): number;
  /** Until storage confirms what a turn persisted. */
  confirmMs(random: Random): number;
  /** Until a shell does what it was asked to do soon: flush, dispatch, fold. */
  soonMs(random: Random): number;
  readonly atomicity: Atomicity;
  /** Chances for one message. */
  readonly loseRequest: number;
  readonly loseReply: number;
  readonly duplicate: number;
  readonly slow: number;
  /** How late a slow message or its duplicate may be. */
  readonly slowMs: number;
  /** Chance that the sender hears of a loss; else it hears nothing. */
  readonly tellLoss: number;
  /** Chance that a message reaches a replaced instance of its receiver that still lives, and not its successor. */
  readonly zombieMail: number;
  /** How long a replaced instance lives on at most, if it does not touch storage; ms. */
  readonly zombieMs: number;
  /** Whether the code of objects lets answers carry batches (rule C15). */
  readonly carries: boolean;
  /** Chance for one wake: it comes again, or late. */
  readonly wakeTwice: number;
  readonly wakeLate: number;
  /** Chance that a message to an object that is down fails rather than start it. */
  readonly failWhenDown: number;
  /** How far an object's clock may be off, in ms. */
  readonly skewMs: number;
}

/** Nothing goes wrong, and everything takes as long as it always takes. */
export function steady(hop: number, confirm: number): Profile {
  return {
    hopMs: () => hop,
    confirmMs: () => confirm,
    soonMs: () => 0,
    atomicity: "turn",
    loseRequest: 0,
    loseReply: 0,
    duplicate: 0,
    slow: 0,
    slowMs: 0,
    tellLoss: 1,
    zombieMail: 0,
    zombieMs: Infinity,
    carries: true,
    wakeTwice: 0,
    wakeLate: 0,
    failWhenDown: 0,
    skewMs: 0,
  };
}
