/** How the limits of a partition must stand to each other (protocol/limits.ts). */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { TRANSACTION_DEADLINE_MAX_MS } from "../../sdk/limits.ts";
import { UTF8_PER_UNIT } from "../../sdk/utf8.ts";

const KiB = 1024;
/** What the result of a message takes in a record, about. */
const CARRIED_BYTES = 256;

test.each<readonly [string, boolean]>([
  ["a value must fit a row", LIMITS.maxValueBytes + 2 * LIMITS.maxEntryKeyBytes + 64 * KiB < 2_000_000],
  ["a result must fit a row", LIMITS.maxResultBytes + 64 * KiB < 2_000_000],
  ["a message must fit a row", LIMITS.maxMessageBytes + 64 * KiB < 2_000_000],
  ["a message must fit a transaction", LIMITS.maxMessageBytes + 64 * KiB < LIMITS.maxTransactionBytes],
  [
    "whoever asked for a transaction must still wait when it is given up",
    TRANSACTION_DEADLINE_MAX_MS + LIMITS.tickMs < LIMITS.requestDeadlineMs,
  ],
  [
    "a transaction that waited must not be taken for a shorter time to live",
    TRANSACTION_DEADLINE_MAX_MS + LIMITS.maxClockSkewMs <= LIMITS.maxRenewalLagMs,
  ],
  ["what is not declared must be what could be", LIMITS.transactionMs <= TRANSACTION_DEADLINE_MAX_MS],
  [
    "what is pending and one more transaction must fit a record",
    LIMITS.maxRecordBytes + LIMITS.maxTransactionBytes + LIMITS.maxResultBytes < LIMITS.maxTableBytes,
  ],
  ["the answers to a frame must fit a message", LIMITS.maxAnswersBytes + LIMITS.maxResultBytes < LIMITS.maxTableBytes],
  [
    "a pair must fit behind what a table of a backup has",
    LIMITS.backupTableBytes + LIMITS.maxValueBytes * 3 + 64 * KiB < LIMITS.maxTableBytes,
  ],
  [
    "a block and one more dead letter must fit a row",
    UTF8_PER_UNIT * LIMITS.blockBytes +
      LIMITS.maxMessageBytes +
      LIMITS.maxLetterHeadBytes +
      2 * LIMITS.maxEntryKeyBytes <
      1_900_000,
  ],
  ["a part must fit a row", LIMITS.maxPartBytes + 64 * KiB < 2_000_000],
  [
    "a block and one more value must fit a row",
    UTF8_PER_UNIT * LIMITS.blockBytes + LIMITS.maxValueBytes + 2 * LIMITS.maxEntryKeyBytes + 64 * KiB < 2_000_000,
  ],
  [
    "a block and one more result must fit a row",
    UTF8_PER_UNIT * LIMITS.blockBytes + LIMITS.maxResultBytes + 64 * KiB < 2_000_000,
  ],
  ["a step of a merge must have room for a block", LIMITS.blockBytes <= LIMITS.mergeBytes],
  ["a fold must be able to take up what makes it due", LIMITS.foldBytes <= LIMITS.maxFoldBytes],
  ["a transaction must fit a record", LIMITS.maxTransactionBytes < LIMITS.maxRecordBytes],
  ["a record of an epoch must fit a record", LIMITS.epochRecordBytes <= LIMITS.maxRecordBytes],
  [
    "a piece of what is more than a record must fit one, with a result",
    LIMITS.epochRecordBytes +
      UTF8_PER_UNIT * (LIMITS.maxValueBytes + LIMITS.maxResultBytes) +
      LIMITS.recordMarginBytes <
      LIMITS.maxTableBytes,
  ],
  ["a batch of events must fit what may be undecided", LIMITS.maxFlowBytes <= LIMITS.maxUndecidedUnits],
  [
    "a batch and one more message must fit a message",
    LIMITS.maxBatchBytes + LIMITS.maxTransactionBytes + LIMITS.recordMarginBytes < LIMITS.maxTableBytes,
  ],
  [
    "a batch and one more call must fit a message",
    LIMITS.maxBatchBytes + LIMITS.maxCallBytes + LIMITS.recordMarginBytes < LIMITS.maxTableBytes,
  ],
  [
    "a chunk must fit an entry",
    UTF8_PER_UNIT * 2 * (LIMITS.chunkUnits + LIMITS.chunkTextUnits + LIMITS.maxEntryKeyBytes) < LIMITS.maxValueBytes,
  ],
  ["a batch must fit what may be held", LIMITS.maxBatchMessages <= LIMITS.maxHeldMessages],
  ["a record must fit what may be unfolded", LIMITS.maxRecordBytes < LIMITS.maxUnfoldedBytes],
  [
    "a database that is full must have room for what is unfolded, and for its folding",
    LIMITS.maxDatabaseBytes + 4 * LIMITS.maxUnfoldedBytes < 10_000_000_000,
  ],
  [
    "what is forgotten by age must be older than what still comes",
    LIMITS.maxClockSkewMs + LIMITS.requestDeadlineMs < LIMITS.edgeResultMs,
  ],
  [
    "a sole member must give its epoch up before the coordinator takes it for lost",
    LIMITS.decideMs + 2 * LIMITS.probeMs < LIMITS.closeMs,
  ],
  [
    "a batch whose receipt waits must not be taken for lost",
    2 * LIMITS.receiptMs < LIMITS.overtakenMs && LIMITS.overtakenMs < LIMITS.replyMs,
  ],
  ["results must outlive the retries they answer", LIMITS.requestDeadlineMs * 2 <= LIMITS.edgeResultMs],
  ["what a fold leaves must not make the next one due", LIMITS.carriedResults * CARRIED_BYTES < LIMITS.foldBytes / 2],
  [
    "what is settled must fit a record beside all else",
    LIMITS.maxSettledPerRecord * CARRIED_BYTES < LIMITS.maxTransactionBytes,
  ],
  ["messages must be known for longer than they are handed over again", LIMITS.messageResultMs > LIMITS.repostMaxMs],
])("%s", (_, holds) => {
  expect(holds).toBe(true);
});
