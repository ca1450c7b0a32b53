/**
 * What depends on time: schedules, messages that are cancelled from outside, messages that end who runs them, state that lives while it is used.
 * These clients take the places of some of those that are always there.
 */
import { hasFlows } from "../flows/draw.ts";
import { drawCancels, drawDeadly } from "./cancels.ts";
import { drawAdding } from "./deploys.ts";
import { drawTicks } from "./ticks.ts";
import type { ClientPlan } from "./transaction.ts";
import { drawUses } from "./uses.ts";

/** In every seventh seed behind the first hundred, unless flows are in it: those are quick. */
export function hasTimes(seed: number): boolean {
  return seed > 100 && seed % 7 === 3 && !hasFlows(seed);
}

export function drawTimes(seed: number, keys: readonly string[]): ClientPlan[] {
  return [
    ...drawTicks(seed, keys),
    ...drawUses(seed, keys),
    ...drawCancels(seed, keys),
    ...drawDeadly(seed, keys),
    drawAdding(seed, keys),
  ];
}
