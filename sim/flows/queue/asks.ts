/** What a consumer, clients and the end of a run ask for of a queue's stream. */
import { STREAM, VIEW } from "../../../protocol/flows/internal.ts";
import type { Place } from "../../clients/steps.ts";
import type { FlowEvent } from "../model/events.ts";
import { QUEUE, QUEUE_FLOW, Queued, QueuedLog } from "./app.ts";

/** Rows that one page has at most. */
const PAGE_ROWS = 5_000;

export interface Message {
  readonly id: string;
  readonly event: FlowEvent;
}

export type QueueAsk =
  /** Messages that are delivered together. */
  | { readonly kind: "queued"; readonly messages: readonly Message[] }
  | { readonly kind: "queue-view" }
  | { readonly kind: "queue-log" }
  | { readonly kind: "queue-tallies"; readonly at: string; readonly keys: readonly string[] };

export const QUEUE_KINDS = ["queued", "queue-view", "queue-log", "queue-tallies"] as const satisfies ReadonlyArray<
  QueueAsk["kind"]
>;

/** All but those of the user's own service. */
export const QUEUE_INTERNAL = QUEUE_KINDS.filter((kind) => kind !== "queue-tallies");

export function isQueueAsk(ask: { readonly kind: string }): ask is QueueAsk {
  return (QUEUE_KINDS as readonly string[]).includes(ask.kind);
}

export function encodeQueueAsk(ask: QueueAsk): { readonly at: Place; readonly name: string; readonly input: string } {
  switch (ask.kind) {
    case "queued": {
      // As the edge has it: worker/queue.ts.
      const messages = ask.messages.map(({ id, event }) => [`${QUEUE}/${id}`, JSON.stringify(event)]);
      return { at: [STREAM, Queued.name], name: "queued", input: JSON.stringify({ messages }) };
    }
    case "queue-view": {
      const input = { flow: QUEUE_FLOW, view: "queued", limit: PAGE_ROWS };
      return { at: [VIEW, Queued.name], name: "view", input: JSON.stringify(input) };
    }
    case "queue-log":
      return { at: [STREAM, QueuedLog.name], name: "read", input: JSON.stringify({ after: -1, limit: PAGE_ROWS }) };
    case "queue-tallies":
      return { at: ["fq", ask.at], name: "all", input: JSON.stringify(ask.keys) };
  }
}

/** Everything, at the end. */
export function finalQueueReads(keys: readonly string[]): QueueAsk[] {
  return [{ kind: "queue-log" }, { kind: "queue-view" }, { kind: "queue-tallies", at: keys[0] as string, keys }];
}
