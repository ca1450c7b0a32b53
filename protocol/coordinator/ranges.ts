/** Aborted epochs as inclusive ranges, in order and apart from each other: what is stored, and what every `era` tells. */
import type { Epoch } from "../wire/messages.ts";
import { formatTuples, parsePairs } from "../wire/codec/structure.ts";

export type EpochRange = readonly [first: Epoch, last: Epoch];
export type EpochRanges = readonly EpochRange[];

/** With one more range; those that touch become one. */
export function addRange(ranges: EpochRanges, added: EpochRange): EpochRanges {
  let [first, last] = added;
  const apart: EpochRange[] = [];
  for (const range of ranges) {
    if (range[0] > last + 1 || range[1] + 1 < first) {
      apart.push(range);
      continue;
    }
    first = Math.min(first, range[0]);
    last = Math.max(last, range[1]);
  }
  return [...apart, [first, last] as const].sort((a, b) => a[0] - b[0]);
}

export const formatRanges = (ranges: EpochRanges): string => formatTuples(ranges);
/** @throws CorruptError */
export const parseRanges = (text: string): EpochRanges => parsePairs(text);
