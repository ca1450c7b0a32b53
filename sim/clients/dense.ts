/**
 * Seeds in which all is done at once that others do in a third or a sixth of them: what one of these things does to another shows there. They cost
 * three times as much, and are for long runs.
 */
export function isDense(seed: number): boolean {
  return seed > 2_000 && seed % 10 === 6;
}
