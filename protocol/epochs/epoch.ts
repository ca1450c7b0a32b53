/** Epoch numbers: the generation of the coordinator that opened it, then a count. A new generation's epochs are above all earlier ones. */
import { invariant } from "../assert.ts";
import type { Epoch } from "../wire/messages.ts";

const COUNTS = 2 ** 32;
const GENERATIONS = 2 ** 21;

/** Whether a generation and a count can be those of an epoch. */
export function epochFits(generation: number, n: number): boolean {
  return Number.isInteger(generation) && generation < GENERATIONS && Number.isInteger(n) && n < COUNTS;
}

export function epochOf(generation: number, n: number): Epoch {
  invariant(epochFits(generation, n), "9: epoch numbers have run out");
  return generation * COUNTS + n;
}

export function generationOf(epoch: Epoch): number {
  return Math.floor(epoch / COUNTS);
}

/** The count within its generation: the low 32 bits. */
export function countOf(epoch: Epoch): number {
  return epoch % COUNTS;
}

/** `generation.count`, for people and for `Tidegate-Epoch`. */
export function showEpoch(epoch: Epoch): string {
  return `${generationOf(epoch)}.${countOf(epoch)}`;
}

/** Whether an epoch lies in one of some inclusive ranges. */
export function inRanges(ranges: ReadonlyArray<readonly [first: Epoch, last: Epoch]>, epoch: Epoch): boolean {
  return ranges.some(([first, last]) => first <= epoch && epoch <= last);
}
