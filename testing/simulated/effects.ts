/** Effects of an app under test: their own handlers run, in real time, while simulated time stands still. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { OutsideEnd } from "../../protocol/outside/work.ts";
import type { RunOutside } from "../../sim/world/outside.ts";
import type { World } from "../../sim/world/world.ts";
import { runEffect } from "../../worker/effects/run.ts";

/** Until an attempt begins, and until its end is heard of. */
const WAY_MS = 1;
/** With faults, once in so many times a call is lost before it begins, or the word of its end. */
const LOST = 8;
const INTERRUPTED: OutsideEnd = { ok: false, final: false, type: "interrupted", message: "lost" };

/** @param hold keeps the world still until this has settled, but while it calls the app itself */
export function effectRunner(
  app: AppDefinition,
  env: object,
  world: () => World,
  hold: (work: () => Promise<void>) => void,
): RunOutside {
  return (call, random, ended) => {
    const { scheduler } = world();
    const isLost = (): boolean => !world().calm && random.oneIn(LOST);
    const end = (how: OutsideEnd): void => scheduler.in(WAY_MS, () => ended(how));
    if (isLost()) {
      world().count("effect lost before it began");
      return end(INTERRUPTED);
    }
    scheduler.in(WAY_MS, () => {
      const lost = isLost();
      if (lost) world().count("effect lost after it was done");
      hold(() => runEffect(app, call, env).then((how) => end(lost ? INTERRUPTED : how)));
    });
  };
}
