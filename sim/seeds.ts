/** Seeds from a seed: each part of a run draws from its own, so that leaving one part out does not change the others. */

export function deriveSeed(seed: number, ...labels: readonly number[]): number {
  let mixed = seed >>> 0;
  for (const label of labels) {
    mixed = Math.imul(mixed ^ (label + 0x9e3779b9), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return mixed >>> 0;
}
