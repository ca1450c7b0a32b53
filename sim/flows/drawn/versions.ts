/** Which seeds have a drawn flow, and what that is in each version. */
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { hasFlows } from "../draw.ts";
import { FLOW_VERSIONS } from "../versions.ts";
import type { Versions } from "./app.ts";
import { Draw } from "./draw.ts";
import type { Graph } from "./graph.ts";

/** Those before stay as they are: they are run again and again, as those in which mistakes are known to show. */
const FIRST_SEED = 501;

/** In every fifth of the seeds behind that which have flows. */
export function hasDrawn(seed: number): boolean {
  return seed >= FIRST_SEED && hasFlows(seed) && seed % 25 === 24;
}

/** Of simulated events. */
const UNIT_MS = 12;

export function drawVersions(seed: number): Versions {
  const draw = new Draw(createRandom(deriveSeed(seed, 100)), UNIT_MS);
  const versions = [draw.graph()];
  while (versions.length < FLOW_VERSIONS) versions.push(draw.changed(versions.at(-1) as Graph));
  return versions;
}
