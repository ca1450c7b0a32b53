/** A timer of no time: everything that the process knew of by then comes first. */
import { platformTimers } from "./sandbox.ts";
import type { Usage } from "./usage.ts";

/** Resolves when it rings; its object has something under way until then. */
export function rung(usage: Usage): Promise<void> {
  usage.begin();
  return new Promise((resolve) => {
    platformTimers.setTimeout(() => {
      usage.end();
      resolve();
    }, 0);
  });
}
