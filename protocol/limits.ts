/** Every limit of a partition, in one place; their relations are asserted below. */
import { invariant } from "./assert.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** Invocations admitted and not yet answered, per partition; beyond it 503. */
  maxInvocations: 20_000,
  /** Transactions whose functions may run at the same time; the others wait in order of arrival. */
  maxRunning: 1_000,
  /** Depth of a call path. */
  maxCallDepth: 64,
  /** Calls one transaction may make, all attempts apart. */
  maxCallsPerTransaction: 10_000,
  /** Attempts of one transaction that younger age costs it; then 503. */
  maxAttempts: 100,
  /** Encoded size of one state value or collection entry. Below SQLite's 2 MB row. */
  maxValueBytes: 1 * MiB,
  /** Encoded size of all that one transaction writes. */
  maxTransactionBytes: 8 * MiB,
  /** Size of one stored part of a record, a checkpoint or a view block. Below SQLite's 2 MB row. */
  maxPartBytes: 1 * MiB,
  /** Records are cut when what is pending exceeds this. */
  maxRecordBytes: 16 * MiB,
  /** Encoded state kept in memory, dirty entries apart. */
  cacheBytes: 24 * MiB,
  /** Unfolded record bytes that start a fold. */
  foldBytes: 4 * MiB,
  /** Unfolded record bytes at which new invocations are refused: folding cannot keep up. */
  maxUnfoldedBytes: 64 * MiB,
  /** Rows written by one folding turn, for each `foldBytes` of backlog: folding goes faster the further it is behind. */
  foldRowsPerTurn: 500,
  /** Results of requests without a client's id: kept for retries of the edge, by age and by size. */
  edgeResultMs: 120_000,
  edgeResultBytes: 12 * MiB,
  /** The edge gives up a request after this; its id is refused, not executed, when it is older than edgeResultMs. */
  requestDeadlineMs: 30_000,
  /** Results of requests with an Idempotency-Key. */
  clientResultMs: 24 * 60 * 60 * 1000,
  /** Entries that one `range` of a collection returns. */
  maxRangeEntries: 10_000,
  /** Rows of one answer of a view. */
  maxViewRows: 10_000,
} as const;

invariant(LIMITS.maxValueBytes + 64 * KiB < 2_000_000, "a value must fit a row");
invariant(LIMITS.maxPartBytes + 64 * KiB < 2_000_000, "a part must fit a row");
invariant(LIMITS.maxTransactionBytes < LIMITS.maxRecordBytes, "a transaction must fit a record");
invariant(LIMITS.maxRecordBytes < LIMITS.maxUnfoldedBytes, "a record must fit what may be unfolded");
invariant(LIMITS.requestDeadlineMs * 2 <= LIMITS.edgeResultMs, "results must outlive the retries they answer");
