/** Faults for as long as they are wanted: the simulator's own, drawn anew for every stretch of time. */
import { Boundaries, drawPlanned, schedulePlanned } from "../../sim/faults/planned.ts";
import { drawRates, profileOf } from "../../sim/faults/rates.ts";
import { createRandom } from "../../sim/random.ts";
import { deriveSeed } from "../../sim/seeds.ts";
import { type Profile, steady } from "../../sim/world/profile.ts";
import type { World } from "../../sim/world/world.ts";

/** {@link drawPlanned} spreads faults over 1.5 s. So few of them, and some time to recover, or requests would starve. */
const STRETCH_MS = 2_500;
const FAULTS_A_STRETCH = 3;
/** One way, and until storage confirms, where nothing goes wrong. */
const HOP_MS = 1;
const CONFIRM_MS = 5;

/** How long things take, and how often messages are lost, late or doubled. */
export function profileFor(seed: number, faults: boolean): Profile {
  if (!faults) return steady(HOP_MS, CONFIRM_MS);
  // Clocks stay right, or a test that looks at times would fail by chance. And no wake comes twice: each of the two asks for the next,
  // and in a run as long as a test may be they would become ever more.
  return profileOf({ ...drawRates(createRandom(deriveSeed(seed, 5))), skewMs: 0, alarms: 0 });
}

/** Crashes, cuts and slow disks from now on, whenever the world is not calm. */
export function keepFailing(world: World, partitions: number): Boundaries {
  const random = createRandom(deriveSeed(world.seed, 6));
  const boundaries = new Boundaries();
  const stretch = (): void => {
    const drawn = drawPlanned(random, partitions).filter(({ kind }) => kind !== "clock jumps");
    if (!world.calm) schedulePlanned(world, drawn.slice(0, FAULTS_A_STRETCH), boundaries);
    world.scheduler.in(STRETCH_MS, stretch);
  };
  stretch();
  return boundaries;
}
