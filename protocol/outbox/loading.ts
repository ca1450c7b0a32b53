/**
 * Reads the messages that are stored, in their order and some in a turn, when an instance begins and when key groups have come or gone: there may be as
 * many as a partition keeps. What is committed meanwhile is found in its place, so that the messages of a channel stay in order.
 */
import type { TidegateError } from "../../sdk/errors.ts";
import { compareKeys } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import type { Message } from "./message.ts";
import { messagesBehind } from "./message.ts";

export class Loading {
  readonly #committed: Pick<StateStore, "range">;
  /** The newest row that was read; null when all are. */
  #through: string | null = "";
  /** What lies behind that cannot be read. */
  #damage: TidegateError | null = null;

  constructor(committed: Pick<StateStore, "range">) {
    this.#committed = committed;
  }

  get isDone(): boolean {
    return this.#through === null;
  }

  /** There are more, and they can be read. */
  get isUnderWay(): boolean {
    return this.#through !== null && this.#damage === null;
  }

  /** No more are read: those behind wait, and so does what is committed, since it may be of the same channels. */
  stop(damage: TidegateError): void {
    this.#damage = damage;
  }

  /** @throws TidegateError `damaged-data` where it was stopped: what lies behind cannot be known */
  check(): void {
    if (this.#damage !== null) throw this.#damage;
  }

  /** The next of them, at most `limit`. @throws TidegateError `damaged-data` */
  next(limit: number): Message[] {
    if (this.#through === null || !this.isUnderWay) return [];
    const found = messagesBehind(this.#committed, this.#through, limit);
    this.#through = found.length < limit ? null : (found.at(-1) as Message).row;
    return found;
  }

  /** It is found later, where it stands. */
  isAhead({ row }: Pick<Message, "row">): boolean {
    return this.#through !== null && compareKeys(row, this.#through) > 0;
  }
}
