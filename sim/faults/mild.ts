/**
 * The second half of runs with flows. A batch goes through all partitions, in some fifty messages: while everything goes wrong by itself, and replaced
 * instances take what is for their successors, next to none ends. So later on little does, and faults come one by one.
 */
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { drawManner } from "./manner.ts";
import { drawPeer, type PlannedFault } from "./planned.ts";

/** When it begins, ms; what is planned for all runs has happened by then. */
export const MILD_MS = 1_600;
/** It ends with all faults, at the latest. */
export const MILD_LASTS_MS = 7_000;
/** Where each version of flows is to take many batches while there are faults. */
export const LONG_MILD_LASTS_MS = 18_000;
const FAULTS = 10;

/** @param lastsMs how long it takes */
export function drawMild(seed: number, partitions: number, lastsMs: number): PlannedFault[] {
  const random = createRandom(deriveSeed(seed, 72));
  return Array.from({ length: FAULTS }, (): PlannedFault => {
    const at = MILD_MS + random.next() * lastsMs;
    const object = drawPeer(random, partitions);
    if (random.oneIn(6)) return { at, kind: "evict", object };
    if (random.oneIn(2)) return { at, kind: "crash", object, manner: drawManner(random, "crash among few") };
    const manner = drawManner(random, "crash at an effect among few");
    return { at, kind: "crash at an effect", object, after: random.int(30), manner };
  });
}
