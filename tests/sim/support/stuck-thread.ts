/** A thread like the simulator's, for which seed 3 has a turn without an end, and seed 5 ends the thread. */
import { parentPort } from "node:worker_threads";
import type { Order } from "../../../sim/pool/messages.ts";

const say = (said: unknown): void => parentPort?.postMessage(said);

parentPort?.on("message", (order: Order) => {
  if (order.kind !== "seeds") return;
  for (const seed of order.seeds) {
    say({ kind: "began", seed });
    if (seed === 5) return endThread();
    while (seed === 3);
  }
  say({ kind: "seeds", results: order.seeds.map((seed) => ({ seed, hash: "a", failures: [], notes: [] })) });
});

/** When what was said has been heard. */
function endThread(): void {
  setTimeout(() => {
    throw new Error("out of memory");
  }, 50);
}
