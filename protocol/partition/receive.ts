/** Messages of other partitions within an era, and who of a partition's parts takes each. */
import type { Peer, TransactionalMessage } from "../wire/messages.ts";
import type { MachineParts } from "./status.ts";

export interface ReceivingMachine {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Messages that ran here will not be handed over again. */
  settle(requestIds: readonly string[]): void;
}

export function receiveMessage(
  parts: Pick<MachineParts, "epochs" | "admission" | "mail" | "transactions">,
  machine: ReceivingMachine,
  from: Peer,
  message: TransactionalMessage,
): void {
  switch (message.kind) {
    case "finish":
      return parts.epochs.finished(from, message);
    case "prepare":
      return parts.epochs.participation.prepare(from, message);
    case "prepared":
      return parts.epochs.participation.prepared(from, message.epoch);
    case "refuse":
      return parts.epochs.participation.refused(message.epoch);
    case "decide":
      return parts.epochs.participation.learn(message.epoch);
    case "post":
      return parts.admission.post(from, message, machine.now);
    case "posted":
      return parts.mail.posted(message);
    case "settled":
      return machine.settle(message.requestIds);
    case "ping":
      return;
    default:
      parts.transactions.remote.receive(from, message);
  }
}
