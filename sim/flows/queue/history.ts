/** From what a consumer and clients were told of a queue's messages to what their checker judges. */
import type { Ledger } from "../../clients/ledger.ts";
import type { FlowRead, SentBatch } from "../history.ts";
import { Queued } from "./app.ts";

export interface QueueHistory {
  /** Each message is a batch of its own. */
  readonly sent: readonly SentBatch[];
  /** Numbers of events, as the flow has taken them. */
  readonly log: readonly number[];
  /** By key, what the service was called with. */
  readonly tallies: Readonly<Record<string, readonly number[]>>;
  readonly reads: ReadonlyArray<Pick<FlowRead, "name" | "fresh" | "invoked" | "completed" | "body">>;
}

export function queueHistoryOf(ledger: Ledger, final: ReadonlyMap<string, string>): QueueHistory {
  const sent = new Map<string, SentBatch>();
  const reads: Array<QueueHistory["reads"][number]> = [];
  for (const { request, answer, invoked, completed } of ledger.entries.values()) {
    const { ask, number, snapshot } = request.transaction;
    const isTold = answer?.status === 200 && completed !== null;
    if (ask.kind === "queue-view" && isTold)
      reads.push({ name: `T${number}`, fresh: !snapshot, invoked, completed, body: answer.body });
    if (ask.kind !== "queued") continue;
    for (const { id, event } of ask.messages) {
      const known = sent.get(id);
      const taken = [known?.taken ?? null, isTold ? completed : null].filter((each) => each !== null);
      sent.set(id, {
        name: `message ${id}`,
        stream: Queued.name,
        events: [event],
        producer: null,
        invoked: Math.min(known?.invoked ?? invoked, invoked),
        taken: taken.length === 0 ? null : Math.min(...taken),
        emitted: false,
        undone: false,
        answers: [],
      });
    }
  }
  const { events } = JSON.parse(final.get("queue-log") ?? "null") as { readonly events: readonly string[] };
  return {
    sent: [...sent.values()],
    log: events.map((event) => (JSON.parse(event) as { readonly n: number }).n),
    tallies: JSON.parse(final.get("queue-tallies") ?? "null") as QueueHistory["tallies"],
    reads,
  };
}
