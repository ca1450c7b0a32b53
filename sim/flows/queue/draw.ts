/** The messages of a queue, and a client that looks at what has come of them. */
import type { ClientPlan } from "../../clients/transaction.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { hasFlows } from "../draw.ts";
import type { Message } from "./asks.ts";

/** A message and when it is sent, ms. */
export interface SentMessage extends Message {
  readonly at: number;
}

const MESSAGES = 18;
const SPAN_MS = 5_500;
/** Above the numbers of all other events. */
const FIRST_EVENT = 600_000;
const VALUES = 10;
/** Above the numbers of clients of other flows; those of deliveries follow. */
const FIRST_READ = 280_000;
const READS = 4;
export const FIRST_DELIVERY = 281_000;

/** In the seeds with flows that have no ends. */
export function hasQueue(seed: number): boolean {
  return hasFlows(seed) && seed % 10 === 4;
}

/** Whether all messages come once more, as late as the queue still has them. */
export function comesLate(seed: number): boolean {
  return createRandom(deriveSeed(seed, 76)).oneIn(3);
}

/** In the order in which they are sent. */
export function drawMessages(seed: number, keys: readonly string[]): SentMessage[] {
  const random = createRandom(deriveSeed(seed, 73));
  return Array.from({ length: MESSAGES }, (_, index): SentMessage => {
    const event = { n: FIRST_EVENT + index, k: random.pick(keys), v: random.int(VALUES), at: random.int(200) };
    return { id: `m${index}`, event, at: random.int(SPAN_MS) };
  }).toSorted((a, b) => a.at - b.at);
}

export function drawQueueReads(seed: number): ClientPlan {
  const random = createRandom(deriveSeed(seed, 74));
  return Array.from({ length: READS }, (_, at) => [
    {
      number: FIRST_READ + at,
      ask: { kind: "queue-view" } as const,
      snapshot: random.oneIn(2),
      clientId: false,
      after: random.int(1_200),
    },
  ]);
}
