/** Whether a partition has room for what would begin. */
import { LIMITS } from "../limits.ts";
import type { MachineParts } from "./status.ts";

/** What a request would add to. */
export interface Load {
  readonly writes: boolean;
  /** It is kept as a message. */
  readonly oneWay: boolean;
  /** Its result is kept for as long as the app says. */
  readonly clientId: boolean;
}

export class Room {
  readonly #parts: Pick<MachineParts, "log" | "layers" | "links" | "mail" | "results">;

  constructor(parts: Pick<MachineParts, "log" | "layers" | "links" | "mail" | "results">) {
    this.#parts = parts;
  }

  /** What is written here is so far from being stored or sent that no more may begin. */
  get isCongested(): boolean {
    const { log, layers, links } = this.#parts;
    const isBehind = log.unfoldedBytes > LIMITS.maxUnfoldedBytes || layers.units > LIMITS.maxUndecidedUnits;
    return isBehind || links.congested;
  }

  /** So much is stored that nothing that writes may begin. */
  get isFull(): boolean {
    return this.#parts.log.isFull;
  }

  /** Of what there is too much here for a request; null for nothing. */
  excess({ writes, oneWay, clientId }: Load): string | null {
    if (oneWay && this.#parts.mail.isFull) return "messages that are not delivered";
    if (clientId && this.#parts.results.isFull) return "results of Idempotency-Keys";
    if (this.isCongested) return "requests";
    return writes && this.isFull ? "data" : null;
  }
}
