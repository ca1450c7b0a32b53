/**
 * What functions that have ended write, counted while others of their transaction still run here. The last to end may fail within a tried call: then
 * nothing of what it answers is about the rest, so that whether that is too much is said by whoever ends well before it.
 */
import { isOfFlow } from "../flows/internal.ts";
import { LIMITS } from "../limits.ts";
import { messageWrites } from "../outbox/message.ts";
import type { Posting } from "../outbox/posting.ts";
import { RECORD_ROW_BYTES } from "../record/record.ts";
import type { Write } from "../state/store.ts";
import { fitsUtf8, utf8Length } from "../../sdk/utf8.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";
import type { Attempt, Use } from "./attempt.ts";
import { usersOf } from "./uses.ts";
import { assertFit } from "./writes.ts";

export class Written {
  #bytes = 0;
  readonly #bytesOf = new Map<string, number>();
  /** Keys under which a single value is too large. */
  readonly #large = new Set<string>();
  /** Where the root is: keys to be counted when the next tried call ends, and messages that have been. */
  readonly due = new Set<string>();
  messages = 0;

  count(entity: string, writes: readonly Write[]): void {
    let bytes = 0;
    let isLarge = false;
    for (const { key, text } of writes) {
      bytes += RECORD_ROW_BYTES + utf8Length(key) + utf8Length(text);
      isLarge ||= !fitsUtf8(text, LIMITS.maxValueBytes);
    }
    this.#bytes += bytes - (this.#bytesOf.get(entity) ?? 0);
    this.#bytesOf.set(entity, bytes);
    if (isLarge) this.#large.add(entity);
    else this.#large.delete(entity);
  }

  isLarge(beside: number): boolean {
    return this.#large.size > 0 || this.#bytes + beside > LIMITS.maxTransactionBytes;
  }
}

/**
 * No function runs under this key any more, or it has been set back. Of one that is alone here all is looked at when it answers, and where the root is
 * when a tried call ends, or all.
 */
export function countUse(attempt: Attempt, entity: string): void {
  if (attempt.root !== null) return void attempt.written?.due.add(entity);
  if (attempt.written === null && attempt.live.size <= 1) return;
  if (attempt.written === null) attempt.written = writtenSoFar(attempt);
  countOf(attempt.written, entity, attempt.uses.get(entity));
}

function writtenSoFar({ uses }: Attempt): Written {
  const written = new Written();
  for (const [entity, use] of uses) if (usersOf(use, entity).length === 0) countOf(written, entity, use);
  return written;
}

export function countOf(written: Written, entity: string, use: Use | undefined): void {
  // What flows write has limits of its own, and no tried call is around it.
  if (use?.copy && !isOfFlow(entity)) written.count(entity, use.copy.writes());
}

/** Looks at all that functions have written that have ended, if that is too much. @throws TidegateError `transaction-too-large` */
export function assertWrittenFits(attempt: Attempt): void {
  const { posted, postings, uses } = attempt;
  attempt.written ??= writtenSoFar(attempt);
  if (!attempt.written.isLarge(posted)) return;
  const writes: Write[] = messageWrites(postings ?? [], () => NO_ID);
  for (const [entity, use] of uses) {
    if (use.copy !== null && usersOf(use, entity).length === 0) writes.push(...use.copy.writes());
  }
  assertFit(writes);
}

/** As long as one. */
export const NO_ID = "m".padEnd(REQUEST_ID_LENGTH, "0");

/** What a message comes to, nearly. */
export function postedBytes({ key, input }: Pick<Posting, "key" | "input">): number {
  return RECORD_ROW_BYTES + utf8Length(key) + utf8Length(input);
}
