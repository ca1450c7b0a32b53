/** Pauses of functions, in which other transactions get ahead. */
import { atGate, note } from "./gates.ts";

/** Taken before the engine guards it, so that tests can hold a transaction open for a while. */
const timer = globalThis.setTimeout.bind(globalThis);

/** So many milliseconds, or some steps of promises; below 0, until the test opens the gate of that number. */
export async function pause(ms: number): Promise<void> {
  if (ms < 0) {
    note(pausedAt(ms));
    await atGate(pausedAt(ms));
  } else if (ms > 0) await new Promise((resolve) => timer(resolve, ms));
  else for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

/** The gate of such a pause, and what is noted when a function has come to it. */
export const pausedAt = (gate: number): string => `pause ${gate}`;

/** A pause of any length, up to two milliseconds: without it functions of one partition would hardly ever meet. */
export function dawdle(ctx: { random(): number }): Promise<void> {
  return pause(Math.max(0, Math.floor(ctx.random() * 6) - 3));
}
