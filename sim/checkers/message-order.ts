/** One-way messages: from one sender to one target they arrive in the order of their numbers, each once (invariants 4 and 5). */
import type { Finding } from "./finding.ts";

export type MessageAnomaly =
  | "message-gap"
  | "message-repeated"
  | "message-reordered"
  | "message-missing"
  | "message-unsent";

/** Numbers count from 1 for each sender and target. */
export interface Received {
  readonly sender: string;
  readonly n: number;
}

export interface MessageName extends Received {
  readonly target: string;
}

export interface MessageHistory {
  /** How many messages committed transactions sent; without it, nobody knows whether the last ones are missing. */
  readonly sent?: readonly { readonly sender: string; readonly target: string; readonly count: number }[];
  /** What an operator has sent again, since it had failed for good: behind those that were sent after it. */
  readonly sentAgain?: readonly MessageName[];
  /** What each target has in its list, in its order. */
  readonly received: Readonly<Record<string, readonly Received[]>>;
}

export function checkMessageOrder({ sent, sentAgain, received }: MessageHistory): Finding<MessageAnomaly>[] {
  const findings: Finding<MessageAnomaly>[] = [];
  const channels = new Map<string, Channel>();
  const channel = (sender: string, target: string): Channel => {
    const name = JSON.stringify([sender, target]);
    const known = channels.get(name) ?? new Channel(sender, target, sent ? 0 : null);
    channels.set(name, known);
    return known;
  };
  for (const { sender, target, count } of sent ?? []) channel(sender, target).sent = count;
  for (const { sender, target, n } of sentAgain ?? []) channel(sender, target).sentAgain.add(n);
  for (const [target, list] of Object.entries(received))
    for (const { sender, n } of list) channel(sender, target).arrive(n);
  for (const each of channels.values()) findings.push(...each.findings());
  return findings;
}

class Channel {
  readonly #sender: string;
  readonly #target: string;
  readonly sentAgain = new Set<number>();
  readonly #arrived = new Set<number>();
  readonly #repeated: number[] = [];
  readonly #late: number[] = [];
  #highest = 0;
  /** Null when it is not known. */
  sent: number | null;

  constructor(sender: string, target: string, sent: number | null) {
    this.#sender = sender;
    this.#target = target;
    this.sent = sent;
  }

  arrive(n: number): void {
    if (this.#arrived.has(n)) this.#repeated.push(n);
    else if (n < this.#highest && !this.sentAgain.has(n)) this.#late.push(n);
    this.#arrived.add(n);
    this.#highest = Math.max(this.#highest, n);
  }

  findings(): Finding<MessageAnomaly>[] {
    const sent = this.sent ?? this.#highest;
    const unsent = [...this.#arrived].filter((n) => n > sent || n < 1);
    const gap = this.#missing(1, Math.min(this.#highest, sent));
    return [
      ...this.#finding("message-repeated", this.#repeated, "arrived more than once"),
      ...this.#finding("message-reordered", this.#late, "arrived after later ones"),
      ...this.#finding("message-gap", gap, "never arrived, and later ones did"),
      ...this.#finding("message-missing", this.#missing(this.#highest + 1, sent), "never arrived"),
      ...this.#finding("message-unsent", unsent, "arrived and was never sent"),
    ];
  }

  #missing(from: number, to: number): number[] {
    const length = Math.max(0, to - from + 1);
    return Array.from({ length }, (_, index) => from + index).filter((n) => !this.#arrived.has(n));
  }

  #finding(anomaly: MessageAnomaly, numbers: readonly number[], what: string): Finding<MessageAnomaly>[] {
    if (numbers.length === 0) return [];
    const explanation = `of the messages from ${this.#sender} to ${this.#target}, ${numbers.join(", ")} ${what}`;
    return [{ anomaly, explanation, operations: [this.#sender, this.#target] }];
  }
}
