/** When the flows are deployed in other versions, and who starts with which. */
import type { PlannedFault } from "../faults/planned.ts";
import { MILD_MS } from "../faults/mild.ts";
import { drawManner } from "../faults/manner.ts";
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { hasFlows } from "./draw.ts";
import { hasDrawn } from "./drawn/versions.ts";

/** For so long some instances begin with the version before; ms. */
export const CHANGE_LASTS_MS = 450;
/** By then every partition has begun anew since. */
const OVER_MS = 60;

/** And by then the last answers of the version before have come. */
const ANSWERED_MS = 3_000;

/** In every third seed that has flows, and so with and without ends of them; and in all that have a drawn one. */
export function hasChanges(seed: number): boolean {
  return hasDrawn(seed) || (hasFlows(seed) && seed % 15 === 14);
}

/** When each of the next two versions is deployed, while events come; ms. */
export function drawChanges(seed: number): readonly [number, number] {
  const random = createRandom(deriveSeed(seed, 70));
  if (hasDrawn(seed)) return [MILD_MS + 2_500 + random.int(2_500), MILD_MS + 8_000 + random.int(3_000)];
  return [MILD_MS + 600 + random.int(1_400), MILD_MS + 3_000 + random.int(2_000)];
}

/** Whether somebody may be told by then that a flow is refused, by the version between the two times. */
export function mayRefuse([first = Infinity, second = Infinity]: readonly number[], now: number): boolean {
  return now >= first && now < second + CHANGE_LASTS_MS + ANSWERED_MS;
}

/** Each partition begins anew while a version is deployed, some twice, so that it is taken back in between; and once more when none has another any more. */
export function drawChanging(seed: number, partitions: number, times: readonly number[]): PlannedFault[] {
  const random = createRandom(deriveSeed(seed, 71));
  const everybody = Array.from({ length: partitions }, (_, number) => number);
  return times.flatMap((time) =>
    [...everybody, ...everybody, ...everybody.filter(() => random.oneIn(3))].map((object, index): PlannedFault => {
      const isLast = index < partitions;
      const at = time + (isLast ? CHANGE_LASTS_MS + random.next() * OVER_MS : random.next() * CHANGE_LASTS_MS);
      return { at, kind: "crash", object, manner: drawManner(random, "deploy of changed flows") };
    }),
  );
}
