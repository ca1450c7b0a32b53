/** What a transaction changes at one partition, as it is to be recorded; its messages are changes too. */
import { TidegateError } from "../../sdk/errors.ts";
import { isOfFlow } from "../flows/internal.ts";
import { LIMITS } from "../limits.ts";
import { messageWrites } from "../outbox/message.ts";
import type { Posting } from "../outbox/posting.ts";
import { RECORD_ROW_BYTES } from "../record/record.ts";
import type { Write } from "../state/store.ts";
import { indexed, timerWrite } from "../timers/timer.ts";
import { fitsUtf8, UTF8_PER_UNIT, utf8Length } from "../../sdk/utf8.ts";
import type { Attempt } from "./attempt.ts";

type Delayed = Posting & { readonly id: string; readonly keptBy: string };

function isDelayed(posting: Posting): posting is Delayed {
  return posting.keptBy !== undefined;
}

/** What it would change if it finished now, whatever that comes to: for a finish, where nothing may fail. */
export function allWritesOf(attempt: Attempt, nextMessageId: () => string): Write[] {
  const { postings } = attempt;
  if (postings === null) return indexed(copiesOf(attempt));
  const writes: Write[] = [];
  // Before what copies say: the transaction may have cancelled them since.
  for (const posting of postings) if (isDelayed(posting)) writes.push(timerWrite(posting.keptBy, posting.id, posting));
  writes.push(...copiesOf(attempt));
  writes.push(
    ...messageWrites(
      postings.filter((posting) => !isDelayed(posting)),
      nextMessageId,
    ),
  );
  return indexed(writes);
}

/** What its own copies change: mostly of one key. */
function copiesOf({ uses }: Attempt): Write[] {
  let writes: Write[] | null = null;
  for (const { copy } of uses.values()) {
    if (copy === null) continue;
    if (writes === null) writes = copy.writes();
    else writes.push(...copy.writes());
  }
  return writes ?? [];
}

/** @throws TidegateError `transaction-too-large`, or TypeError for a value that cannot be stored */
export function writesOf(attempt: Attempt, nextMessageId: () => string): Write[] {
  const writes = allWritesOf(attempt, nextMessageId);
  assertFit(writes);
  return writes;
}

/** @throws TidegateError `transaction-too-large` */
export function assertFit(writes: readonly Write[]): void {
  for (const { key, text } of writes) {
    const most = key.startsWith("#") ? LIMITS.maxMessageBytes + LIMITS.maxLetterHeadBytes : LIMITS.maxValueBytes;
    if (!fitsUtf8(text, most)) {
      throw new TidegateError(
        "transaction-too-large",
        `a stored value is at most ${LIMITS.maxValueBytes} bytes; use a collection for more`,
      );
    }
  }
  if (!fit(writes, LIMITS.maxTransactionBytes)) checkFlows(writes);
}

/** A batch of events may write more than other transactions: what it comes to for flows. @throws TidegateError `transaction-too-large` */
function checkFlows(writes: readonly Write[]): void {
  const others = writes.filter(({ key }) => !isOfFlow(key));
  if (!fit(others, LIMITS.maxTransactionBytes)) {
    throw new TidegateError(
      "transaction-too-large",
      `a transaction writes at most ${LIMITS.maxTransactionBytes} bytes`,
    );
  }
  if (!fit(writes, LIMITS.maxFlowBytes)) {
    throw new TidegateError(
      "transaction-too-large",
      `what a batch of events comes to is at most ${LIMITS.maxFlowBytes} bytes on a partition; send it in parts; results that end at one time have to be less`,
    );
  }
}

/** Whether writes are as small together as they must be; their bytes are counted only when their lengths leave that open. */
function fit(writes: readonly Write[], most: number): boolean {
  let units = 0;
  for (const { key, text } of writes) units += key.length + text.length;
  const rows = writes.length * RECORD_ROW_BYTES;
  if (rows + units * UTF8_PER_UNIT <= most) return true;
  const bytes = writes.reduce((sum, { key, text }) => sum + utf8Length(key) + utf8Length(text), rows);
  return bytes <= most;
}
