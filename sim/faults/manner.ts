/** Drawing how an instance ends. */
import type { Random } from "../random.ts";
import type { CrashManner } from "../world/object.ts";

/** An instance that finds its clock set back far starts over. */
export const CLOCK_SET_BACK: CrashManner = { keep: "all", zombie: false, bootMs: null, kind: "clock set back" };

export function drawManner(random: Random, kind: string): CrashManner {
  const zombie = random.oneIn(3);
  const boot = random.int(10);
  return {
    keep: zombie ? "all" : random.pick(["some", "some", "all", "none"] as const),
    zombie,
    bootMs: boot < 4 ? 1 : boot < 8 ? random.int(150) : null,
    kind,
  };
}
