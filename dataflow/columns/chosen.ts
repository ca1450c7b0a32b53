/** From conditions to rows. */

/** Numbers of the rows for which a condition holds. */
export function chosen(test: Uint8Array | Uint32Array): Uint32Array {
  let count = 0;
  for (let row = 0; row < test.length; row++) count += test[row] as number;
  const index = new Uint32Array(count);
  if (count === 0) return index;
  for (let row = 0, at = 0; at < count; row++) if (test[row] === 1) index[at++] = row;
  return index;
}
