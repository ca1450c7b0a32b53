/**
 * Messages that may have ended whoever ran them, and may do so again: a function that uses all memory, or never ends. They are tried one at a time, so
 * that a try that is lost is known to be theirs.
 */
import { LIMITS } from "../limits.ts";
import { DEAD } from "./dead-letter.ts";
import type { FailedTry } from "./ending.ts";
import { incarnationOf, type Message } from "./message.ts";
import { isOutside } from "../outside/work.ts";

/** Whether a stored message has outlived so many instances that it may be the reason. Effects are counted by themselves, and lists are the engine's own. */
export function isSuspicious(message: Message, partition: number, incarnation: number): boolean {
  if (isOutside(message) || message.service === DEAD) return false;
  if (message.begun) return true;
  const made = incarnationOf(message, partition);
  return made !== null && incarnation - made >= LIMITS.suspectRestarts;
}

/**
 * ms by which a try comes later behind one that was lost: other partitions suspect what they keep by the same losses, and tries at the same times would
 * be lost together. From try to try it is another part of a time that is longer each time, so that two messages which meet once part.
 */
export function spread({ requestId, tries = [] }: Message): number {
  const most = LIMITS.suspectSpreadMs * 2 ** Math.min(Math.max(tries.length - 1, 0), LIMITS.suspectSpreadDoublings);
  return Math.floor((most * mix(requestId, tries.length)) / 2 ** 32);
}

/** 32 bits, each of which depends on every bit of the text and the number (FNV-1a, then the finalizer of MurmurHash3). */
function mix(text: string, number: number): number {
  let mixed = 0x811c9dc5 ^ number;
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** What is remembered of a try that was lost with whoever ran it. */
export function lostTry(at: number): FailedTry {
  return { at, status: 500, type: "interrupted", error: "whoever ran it was lost before it ended" };
}

export class Suspects {
  readonly #ids = new Set<string>();
  /** The channel whose first message is being tried. */
  #current: string | null = null;
  readonly #waiting = new Set<string>();

  get size(): number {
    return this.#ids.size;
  }

  add(requestId: string): void {
    this.#ids.add(requestId);
  }

  has({ requestId }: Message): boolean {
    return this.#ids.size > 0 && this.#ids.has(requestId);
  }

  /** True when the channel's first message may be tried now; else it waits for its turn. */
  enter(channel: string): boolean {
    if (this.#current !== null && this.#current !== channel) {
      this.#waiting.add(channel);
      return false;
    }
    this.#waiting.delete(channel);
    this.#current = channel;
    return true;
  }

  /** It is not tried any more, or nobody should wait for it longer. Returns the channel whose turn it is. */
  leave(channel: string): string | undefined {
    this.#waiting.delete(channel);
    if (this.#current !== channel) return undefined;
    this.#current = null;
    const [next] = this.#waiting;
    return next;
  }

  /** The message is forgotten. */
  forget(requestId: string): void {
    this.#ids.delete(requestId);
  }
}
