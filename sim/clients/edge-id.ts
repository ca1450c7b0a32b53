/** Request ids as the edge makes them where the client gives none. */
import { EPOCH_MS } from "../world/object.ts";

/** @param line of a batch, from 1; one alone is the first */
export function edgeId(now: number, number: number, line = 1): string {
  return `e${hex(EPOCH_MS + Math.floor(now), 11)}${hex(number + 1, 12)}${hex(line, 8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
