/** How much an outbox holds: messages and effects apart, and of effects each name, so that what cannot leave keeps out only its like. */
import { isOutside } from "../outside/work.ts";
import { LIMITS } from "../limits.ts";
import { UTF8_PER_UNIT } from "../../sdk/utf8.ts";
import type { Message } from "./message.ts";

class Tally {
  count = 0;
  /** Characters of inputs. */
  units = 0;

  isFull(most: number, mostBytes: number): boolean {
    return this.count >= most || this.units * UTF8_PER_UNIT >= mostBytes;
  }
}

export class OutboxLoad {
  readonly #messages = new Tally();
  readonly #effects = new Tally();
  /** By name. */
  readonly #named = new Map<string, Tally>();

  add(message: Message): void {
    this.#change(message, 1, message.input.length);
  }

  remove(message: Message): void {
    this.#change(message, -1, -message.input.length);
  }

  #change(message: Message, count: number, units: number): void {
    if (!isOutside(message)) return change(this.#messages, count, units);
    change(this.#effects, count, units);
    const named = this.#named.get(message.name) ?? new Tally();
    this.#named.set(message.name, named);
    change(named, count, units);
    if (named.count === 0) this.#named.delete(message.name);
  }

  /** Effects that are not over. */
  get effects(): number {
    return this.#effects.count;
  }

  /** There is no room for new messages. */
  get isFull(): boolean {
    return this.#messages.isFull(LIMITS.maxUndelivered, LIMITS.maxUndeliveredBytes);
  }

  /** There is no room for new effects of this name. */
  isFullOf(effect: string): boolean {
    if (this.#effects.isFull(LIMITS.maxEffects, LIMITS.maxEffectsBytes)) return true;
    return this.#named.get(effect)?.isFull(LIMITS.maxEffectsWaiting, LIMITS.maxEffectsWaitingBytes) ?? false;
  }
}

function change(tally: Tally, count: number, units: number): void {
  tally.count += count;
  tally.units += units;
}
