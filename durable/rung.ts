/** The shortest timer that there is: some 1.2 ms with nothing else to do, and else behind everything that the process knows of by then. */
import { platformTimers } from "./sandbox.ts";
import type { Usage } from "./usage.ts";

/** Resolves when it rings; its object has something under way until then. */
export function rung(usage: Pick<Usage, "begin" | "end">): Promise<void> {
  usage.begin();
  return new Promise((resolve) => {
    platformTimers.setTimeout(() => {
      usage.end();
      resolve();
    }, 0);
  });
}
