/** All that can be fuzzed, by name. */
import { random, type Random } from "../core-wasm/support/random.ts";
import { batch } from "./batch.ts";
import { blocks } from "./blocks.ts";
import { events } from "./events.ts";
import { framesFuzz } from "./frames.ts";
import { hashes } from "./hashes.ts";
import { inputs } from "./inputs.ts";
import { jsonFuzz } from "./json.ts";
import { programs } from "./programs.ts";
import { tables } from "./tables.ts";
import { type Target, targetFuzz } from "./target.ts";
import { texts } from "./texts.ts";
import { windows } from "./windows.ts";

/** A round of it; returns how many cases it tried, and throws what is wrong with one. */
export type Round = (random: Random, seed: number) => number;
export interface Fuzzed {
  /** What is tried, and what must hold; a line for people. */
  readonly what: string;
  /** Begins anew, on an instance of the core of its own. */
  readonly begin: (firstSeed: number) => Round;
}

/** Rounds between two looks at what would take memory, stack or time. */
const EXTREMES_EVERY = 10_000;

function json(firstSeed: number): Round {
  const subject = jsonFuzz();
  return (source, seed) =>
    subject.round(source) + ((seed - firstSeed) % EXTREMES_EVERY === 0 ? subject.extremes(random(seed)) : 0);
}

function cases<Case>(what: string, target: Target<Case>): Fuzzed {
  return { what, begin: () => targetFuzz(target) };
}

export const TARGETS: Readonly<Record<string, Fuzzed>> = {
  json: {
    what: "event bodies of every format, mutated: taken as JSON.parse takes them, with its values, wherever they are cut",
    begin: json,
  },
  frames: {
    what: "columns frames, damaged and sealed again: split as the twin splits them, or refused",
    begin: framesFuzz,
  },
  events: cases("frames of some columns, and with repeated texts: the twin's, cut anywhere, and split", events),
  inputs: cases("one JSON text: sound as JSON.parse has it, at fault where the twin says", inputs),
  batch: cases("lines of invocations: frames and faults as the twin makes them, cut anywhere", batch),
  programs: cases("programs over columns: row by row what the twin comes to, cut before any row", programs),
  texts: cases("texts in bytes: split and counted as the twin and strings do it, at every place", texts),
  windows: cases(
    "batches, time, deltas, crafted bytes: the twin's state after each, and again from its deltas",
    windows,
  ),
  tables: cases("packed tables: the twin's bytes; read or refused alike, whole, cut and crafted", tables),
  blocks: cases("sorted blocks: sealed, searched, merged as by the twin, however cut; damaged ones refused", blocks),
  hashes: cases("keys and bytes: the twin's hashes", hashes),
};
