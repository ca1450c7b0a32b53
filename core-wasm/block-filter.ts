/**
 * Filters of sorted blocks (Bloom): bits that say which keys a block does not have. From one 32-bit hash of a key come all of its bits, so
 * that a look-up hashes once; the Wasm side (assembly/blocks.ts) sets the same bits.
 */

import { FILTER_BITS_PER_KEY, FILTER_PROBES } from "./limits.ts";

/** The golden ratio; stored with filters: never to change. */
const STEP_FACTOR = 0x9e3779b1;

/** Bytes of a filter for so many entries; a multiple of 8, at least 8. */
export function filterBytes(entries: number): number {
  return Math.max(8, Math.ceil((entries * FILTER_BITS_PER_KEY) / 64) * 8);
}

export function addToFilter(filter: Uint8Array, hash: number): void {
  const bits = filter.length * 8;
  const step = stepOf(hash);
  for (let probe = 0, at = hash >>> 0; probe < FILTER_PROBES; probe++, at = (at + step) >>> 0) {
    const bit = at % bits;
    filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
  }
}

export function filterMayHold(filter: Uint8Array, hash: number): boolean {
  const bits = filter.length * 8;
  if (bits === 0) return true;
  const step = stepOf(hash);
  for (let probe = 0, at = hash >>> 0; probe < FILTER_PROBES; probe++, at = (at + step) >>> 0) {
    const bit = at % bits;
    if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

function stepOf(hash: number): number {
  const mixed = Math.imul(hash, STEP_FACTOR) >>> 0;
  return ((mixed << 15) | (mixed >>> 17) | 1) >>> 0;
}
