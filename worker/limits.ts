/** Every limit of the edge, in one place; their relations are asserted below. */
import type { AppDefinition } from "../sdk/app.ts";
import { LIMITS as PARTITION } from "../protocol/limits.ts";
import { invariant } from "../protocol/assert.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** Body of one invocation. */
  callBodyBytes: 1 * MiB,
  /** What a promise is resolved with, or a saga started: it is kept as state, and told in a message. */
  builtinBodyBytes: 256 * KiB,
  /** Body of a batch, which is buffered whole before it is routed. */
  batchBodyBytes: 32 * MiB,
  /** Lines of a batch, blank ones included. */
  batchLines: 100_000,
  /** Body of an ingest; it is taken whole or not at all. */
  ingestBodyBytes: 32 * MiB,
  /** A longer body of events goes to its partition with all columns, and is not kept in memory until that has answered. */
  projectedBodyBytes: 8 * MiB,
  /** `?input=` of a query, decoded. */
  queryInputBytes: 8 * KiB,
  /** Rows of one frame of a batch: enough that a message's cost is shared, few enough that results flow early. */
  frameRows: 500,
  /** Bytes of one frame of a batch, unless a single row is larger. */
  frameBytes: 1 * MiB,
  /** Result bytes that wait for a slow reader before the next frames are held back. */
  outputBufferBytes: 256 * KiB,
  /** Characters of results that wait for their predecessors in an ordered batch; frames already sent may exceed it by their answers. */
  orderedBufferChars: 16 * MiB,
  /** Characters of an Idempotency-Key, unquoted. */
  idempotencyKeyChars: 255,
  /** Characters of a producer's name. */
  producerChars: 255,
  /** Times one message is sent, the first included; with the pauses below that is 4 to 7 seconds, time enough for an object to move. */
  attempts: 10,
  /** Pause before the second attempt; it doubles up to the maximum, with jitter. */
  retryBaseMs: 20,
  retryMaxMs: 2_000,
  /** No attempt starts later than this after the request came in with all of its body. */
  requestDeadlineMs: 30_000,
  /** No frame of a batch starts later than this after its last byte: partitions refuse ids that are older than what they remember. */
  batchDeadlineMs: 80_000,
  /** `Retry-After` of a 503. */
  retryAfterSeconds: 1,
  /** Events that a reader of a stream is given at a time. */
  eventsPerPage: 1_000,
  /** How often a stream is looked at for a reader that has all of it, and how long one connection lasts; then the reader comes again. */
  followPauseMs: 250,
  followMs: 10 * 60 * 1_000,
  /** Silence after which a reader is sent a comment. */
  heartbeatMs: 15_000,
  /** Rows of a view's answer, unless `?limit=` says otherwise. */
  viewRowsDefault: 100,
  viewRowsMax: 10_000,
  /** Characters of an id in a queue's message; of a longer one its hash is kept. */
  queueIdChars: 256,
  /** For so long the messages of one batch are tried one by one, then the rest is left for the next; the platform gives a consumer 15 minutes. */
  queueSinglesMs: 10 * 60 * 1_000,
  /** Dead letters of one answer, unless `?limit=` says otherwise. */
  deadLettersDefault: 100,
  deadLettersMax: 1_000,
  /** Partitions whose next tables a backup asks for at a time: so many tables are in memory. */
  backupsAtOnce: 8,
  /** How often partitions whose tables wait for a slow reader are told that they are wanted: less than half of a partition's `pinIdleMs`. */
  pinKeepMs: 20_000,
  /** For so long the rest of a backup is read that is refused, so that the refusal arrives. */
  refusedBodyMs: 30_000,
  /** How long all partitions of a domain may start no transaction until none is under way; then the backup is given up. */
  standstillMs: 4_000,
  /** How often they are asked meanwhile: at first, and then at most. */
  standstillLookMs: 5,
  standstillLookMostMs: 100,
  /** How often a partition is asked at most whether it has erased a key. */
  eraseLookMostMs: 1_000,
  /** Static keys of an app. */
  staticKeys: 1_000,
  /** Characters of a token of an issuer; longer ones are none. */
  jwtChars: 8 * KiB,
  /** Tokens whose signature was good and that are not checked again for so long; the oldest are forgotten. */
  verifiedTokens: 1_000,
  verifiedTokenMs: 60_000,
  /** How long an issuer may take to send its keys, how long these are good, and how soon they are asked for again for a key that is not among them. */
  jwksTimeoutMs: 5_000,
  jwksAgeMs: 600_000,
  jwksCooldownMs: 30_000,
  /** Keys that a token is tried with which does not name its own. */
  jwksFitting: 8,
  /** Callers whose rate is watched in one isolate; the least recently seen are forgotten. */
  rateBuckets: 10_000,
  /** Domains of which an isolate knows the key-group map; the others are asked again. */
  knownMaps: 1_000,
  /** Transactions, keys, and entries of one key, in one answer to people, unless `?limit=` says otherwise. */
  transactionsDefault: 50,
  transactionsMax: 500,
  keysDefault: 100,
  keysMax: 1_000,
  entriesDefault: 100,
  entriesMax: 1_000,
  /** How long a collector of traces may take to take them. */
  collectorTimeoutMs: 10_000,
  /** Partitions that are asked for their figures at a time, and how long all of them may take to answer. */
  figuresAtOnce: 32,
  figuresTimeoutMs: 5_000,
  /** Before these it is asked whether there is a newer key-group map: both together are to be less than the 10 s that scrapers mostly wait. */
  presentMapMs: 2_000,
  /** Characters of a view's cursor. */
  viewCursorChars: 8 * KiB,
} as const;

invariant(
  LIMITS.requestDeadlineMs <= PARTITION.requestDeadlineMs,
  "the edge must give up before results are forgotten",
);
invariant(
  LIMITS.batchDeadlineMs + LIMITS.requestDeadlineMs < PARTITION.edgeResultMs,
  "the last frame of a batch and its retries must find their results",
);
invariant(LIMITS.frameRows < PARTITION.maxInvocations, "a partition must be able to admit a frame");
invariant(LIMITS.viewRowsMax <= PARTITION.maxViewRows, "a view's partition must be able to answer");
invariant(LIMITS.callBodyBytes <= PARTITION.maxMessageBytes, "a partition must be able to keep what is sent one-way");
invariant(LIMITS.callBodyBytes <= LIMITS.frameBytes, "a lone call is no larger than a frame");
invariant(LIMITS.standstillMs < PARTITION.freezeMs, "partitions must stand still for as long as the edge waits for it");
invariant(LIMITS.retryBaseMs <= LIMITS.retryMaxMs && LIMITS.attempts >= 2, "retries must be possible");

/** What an app may set lower. */
const OF_APP = {
  callBytes: LIMITS.callBodyBytes,
  batchBytes: LIMITS.batchBodyBytes,
  batchLines: LIMITS.batchLines,
  eventsBytes: LIMITS.ingestBodyBytes,
} as const;

export function limitOf(app: AppDefinition, name: keyof typeof OF_APP): number {
  return Math.min(app.door.limits[name] ?? OF_APP[name], OF_APP[name]);
}
