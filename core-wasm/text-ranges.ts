/** What functions over texts in bytes are given. */

/** @throws RangeError for an empty needle, which is everywhere */
export function checkNeedle(needle: Uint8Array): void {
  if (needle.length === 0) throw new RangeError("bad-needle: it is empty");
}
