/** From what clients sent and were told to what the checkers of flows judge. */
import type { Entry, Ledger } from "../clients/ledger.ts";
import { eventsSentAgain } from "../clients/letters.ts";
import { isDuplicate } from "../clients/ledger.ts";
import { Emitted, Kernel } from "./app.ts";
import { type FlowAsk, isFlowAsk } from "./asks.ts";
import { type DrawnAsk, isDrawnAsk } from "./drawn/asks.ts";
import { isBarred, Sold } from "./ends/app.ts";
import { type EndsAsk, isEndsAsk } from "./ends/asks.ts";
import type { FlowEvent } from "./model/events.ts";
import { isQueueAsk, type QueueAsk } from "./queue/asks.ts";

/** A batch of events, under however many ids it was sent. */
export interface SentBatch {
  readonly name: string;
  readonly stream: string;
  readonly events: readonly FlowEvent[];
  readonly producer: { readonly name: string; readonly sequence: number } | null;
  /** Positions among all that clients did and heard; null while nobody was told that it was taken. */
  readonly invoked: number;
  readonly taken: number | null;
  /** What functions emit is taken some time after they were answered. */
  readonly emitted: boolean;
  /** It must not be there: the transaction that emitted it was undone, or a service refuses it. */
  readonly undone: boolean;
  /** Bodies of answers that took it. */
  readonly answers: readonly string[];
}

/** What somebody was shown while everything went on. */
export interface FlowRead {
  readonly name: string;
  readonly ask: Exclude<FlowAsk, DrawnAsk | EndsAsk | QueueAsk | { readonly kind: "events" | "emit" }>;
  readonly fresh: boolean;
  readonly invoked: number;
  readonly completed: number;
  readonly body: string;
}

export interface FlowHistory {
  readonly sent: readonly SentBatch[];
  readonly reads: readonly FlowRead[];
  /** Bodies of the final reads, by name. */
  readonly final: ReadonlyMap<string, string>;
  /** Numbers of emitted events that had failed for good, and were sent again behind those that came after them. */
  readonly sentAgain: ReadonlySet<number>;
  /** Names of batches of the kernel's stream, in the order in which their results became durable. */
  readonly kernelOrder: readonly string[];
}

const nameOfBatch = (batch: number): string => `batch ${batch}`;

/** @param recorded ids of requests in the order in which their results became durable */
export function flowHistoryOf(
  ledger: Ledger,
  final: ReadonlyMap<string, string>,
  recorded: readonly string[],
  isFinal: (number: number) => boolean,
): FlowHistory {
  const sent = new Map<string, SentBatch>();
  const reads: FlowRead[] = [];
  const kernel = new Map<string, string>();
  for (const entry of ledger.entries.values()) {
    const { ask, snapshot, number } = entry.request.transaction;
    if (!isFlowAsk(ask) || isDrawnAsk(ask) || isEndsAsk(ask) || isQueueAsk(ask)) continue;
    if (ask.kind === "events") {
      const name = nameOfBatch(ask.batch);
      sent.set(name, joined(sent.get(name), entry, ask));
      if (ask.stream === Kernel.name) kernel.set(entry.request.row.id, name);
    } else if (ask.kind === "emit") {
      for (const one of emittedBy(entry, ask)) sent.set(one.name, one);
    } else if (entry.answer?.status === 200 && entry.completed !== null && !isFinal(number)) {
      const { invoked, completed, answer } = entry;
      reads.push({ name: `T${number}`, ask, fresh: !snapshot, invoked, completed, body: answer.body });
    }
  }
  // Results that are moved with their stream are recorded once more by who takes it over.
  const kernelOrder = [...new Set(recorded)].flatMap((id) => kernel.get(id) ?? []);
  return { sent: [...sent.values()], reads, final, sentAgain: eventsSentAgain(ledger), kernelOrder };
}

function joined(
  known: SentBatch | undefined,
  { invoked, completed, answer }: Entry,
  { batch, stream, events, producer }: Extract<FlowAsk, { readonly kind: "events" }>,
): SentBatch {
  const taken = answer?.status === 200 ? completed : null;
  const answers = answer?.status === 200 && !isDuplicate(answer) ? [answer.body] : [];
  const name = nameOfBatch(batch);
  const sent = { emitted: false, undone: stream === Sold.name && events.some(isBarred) };
  if (known === undefined) return { name, stream, events, producer, invoked, taken, ...sent, answers };
  return {
    ...known,
    invoked: Math.min(known.invoked, invoked),
    taken: known.taken === null || (taken !== null && taken < known.taken) ? taken : known.taken,
    answers: [...known.answers, ...answers],
  };
}

/** Each event is a batch of its own, taken some time after its transaction. */
function emittedBy(
  { invoked, completed, answer }: Entry,
  { events, how }: Extract<FlowAsk, { readonly kind: "emit" }>,
): SentBatch[] {
  return events.map((event) => ({
    name: `event ${event.n}`,
    stream: Emitted.name,
    events: [event],
    producer: null,
    invoked,
    taken: answer?.status === 200 && how === "return" ? completed : null,
    emitted: true,
    undone: how !== "return",
    answers: [],
  }));
}
