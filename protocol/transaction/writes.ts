/** What a transaction changes at one partition, as it is to be recorded; its messages are changes too. */
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import { messageWrites } from "../outbox/message.ts";
import type { Posting } from "../outbox/posting.ts";
import { RECORD_ROW_BYTES } from "../record/record.ts";
import type { Write } from "../state/store.ts";
import { indexed, timerWrite } from "../timers/timer.ts";
import { fitsUtf8, UTF8_PER_UNIT, utf8Length } from "../utf8.ts";
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
  for (const { key, text } of writes) {
    const most = key.startsWith("#") ? LIMITS.maxMessageBytes + LIMITS.maxLetterHeadBytes : LIMITS.maxValueBytes;
    if (!fitsUtf8(text, most)) {
      throw new TidegateError(
        "transaction-too-large",
        `a stored value is at most ${LIMITS.maxValueBytes} bytes; use a collection for more`,
      );
    }
  }
  if (!fitRecord(writes)) {
    throw new TidegateError(
      "transaction-too-large",
      `a transaction writes at most ${LIMITS.maxTransactionBytes} bytes`,
    );
  }
  return writes;
}

/** Whether writes are as small together as a transaction's must be; their bytes are counted only when their lengths leave that open. */
function fitRecord(writes: readonly Write[]): boolean {
  let units = 0;
  for (const { key, text } of writes) units += key.length + text.length;
  const rows = writes.length * RECORD_ROW_BYTES;
  if (rows + units * UTF8_PER_UNIT <= LIMITS.maxTransactionBytes) return true;
  const bytes = writes.reduce((sum, { key, text }) => sum + utf8Length(key) + utf8Length(text), rows);
  return bytes <= LIMITS.maxTransactionBytes;
}
