/** Clients that send events to the flow with ends, and one that reads its log meanwhile. */
import type { ClientPlan } from "../../clients/transaction.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { hasFlows, Sender } from "../draw.ts";
import { Sold } from "./app.ts";

/** Above those of clients of other flows. */
const FIRST = 250_000;
const FIRST_BATCH = 5_000;
const READS = 5;
const GROUPS = 4;

/** In every other seed that has flows. */
export function hasEnds(seed: number): boolean {
  return hasFlows(seed) && seed % 10 === 9;
}

/** @param keys of services, which are the keys of events too */
export function drawEnds(seed: number, keys: readonly string[]): ClientPlan[] {
  const numbers = { transaction: FIRST, batch: FIRST_BATCH };
  // No producers: a batch that is refused for good would hold up all that they have numbered behind it.
  const how = { stream: Sold.name, groups: GROUPS, numbered: false };
  const senders = [0, 1].map(
    (client) => new Sender(createRandom(deriveSeed(seed, 46, client)), keys, numbers, `seller-${client}`, how),
  );
  const random = createRandom(deriveSeed(seed, 47));
  const reads = Array.from({ length: READS }, () => [
    {
      number: numbers.transaction++,
      ask: { kind: "ends-page", after: random.oneIn(2) ? -1 : random.int(6), limit: 1 + random.int(20) } as const,
      snapshot: random.oneIn(2),
      clientId: false,
      after: random.int(250),
    },
  ]);
  return [...senders.map((sender) => sender.plan()), reads];
}
