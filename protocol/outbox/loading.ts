/**
 * Reads the messages that are stored, in their order and some in a turn, when an instance begins and when key groups have come or gone: there may be as
 * many as a partition keeps. What is committed meanwhile is found in its place, so that the messages of a channel stay in order.
 */
import { compareKeys } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import type { Message } from "./message.ts";
import { messagesBehind } from "./message.ts";

export class Loading {
  readonly #committed: Pick<StateStore, "range">;
  /** The newest row that was read; null when all are. */
  #through: string | null = "";

  constructor(committed: Pick<StateStore, "range">) {
    this.#committed = committed;
  }

  get isDone(): boolean {
    return this.#through === null;
  }

  /** The next of them, at most `limit`. */
  next(limit: number): Message[] {
    if (this.#through === null) return [];
    const found = messagesBehind(this.#committed, this.#through, limit);
    this.#through = found.length < limit ? null : (found.at(-1) as Message).row;
    return found;
  }

  /** It is found later, where it stands. */
  isAhead({ row }: Pick<Message, "row">): boolean {
    return this.#through !== null && compareKeys(row, this.#through) > 0;
  }
}
