/** Every limit of a partition, in one place. Their relations are held by tests/protocol/limits.test.ts: nothing of them depends on what runs. */
import { RESULT_RETENTION_DEFAULT_MS, VALUE_MAX_BYTES } from "../sdk/limits.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** Invocations admitted and not yet answered, per partition; beyond it 503. */
  maxInvocations: 20_000,
  /** Transactions whose functions may run at the same time; the others wait in order of arrival. With more of them more give way to each other (docs/performance.md). */
  maxRunning: 300,
  /** Depth of a call path. */
  maxCallDepth: 64,
  /** Calls one transaction may make, all attempts apart. */
  maxCallsPerTransaction: 10_000,
  /** Encoded size of what one call passes; between partitions it is a message. */
  maxCallBytes: 8 * MiB,
  /** A transaction, all its attempts together, unless the app says otherwise; what takes longer is given up while whoever asked still waits, and its keys are free. */
  transactionMs: 20_000,
  /** How often deadlines, silent peers and unanswered messages are looked at while something is under way. */
  tickMs: 250,
  /** Batches to one peer that may be unanswered at a time: further messages wait, and gather. */
  maxBatchesInFlight: 3,
  /** A batch that an answer has brought is acknowledged with the next call, or by itself after so long: well before it would be sent again. */
  receiptMs: 100,
  /** Receipts for one peer that wait for that; the oldest goes beyond it, and its batch comes again. */
  maxReceipts: 16,
  /** Silence of another partition after which it is asked whether it still is what it was. */
  probeMs: 1_000,
  /** How old the state that a snapshot query shows may be; an older boundary is moved first. */
  snapshotStaleMs: 1_000,
  /** Attempts of a snapshot query without locks: one that is slower than what is kept of the past goes on with locks. */
  maxSnapshotAttempts: 5,
  /** What is kept of the values that keys had before recent commits, for snapshots. */
  historyBytes: 8 * MiB,
  /** What a backup or an export keeps of the values that pairs had which are yet to be read; beyond it, it is broken. */
  pinBytes: 16 * MiB,
  /** Bytes that end a table of a backup. */
  backupTableBytes: 1 * MiB,
  /** A backup that nobody asks for its next table is given up, and what it keeps is free. */
  pinIdleMs: 60_000,
  /** Rows of delayed messages and dead letters that are looked at in one turn for those of an erased key, and keys that are erased at a time. */
  eraseRowsPerTurn: 2_000,
  maxErasing: 8,
  /** A database above this is not rewritten when a key is erased: it would take too long for one turn. */
  scrubBytes: 256 * MiB,
  /** How long a partition starts no transaction because a backup wants all of them to stand still at once. */
  freezeMs: 5_000,
  /** Producers that a stream remembers; another one is refused, unless one of these has sent nothing for so long. */
  maxProducers: 10_000,
  producerIdleMs: 30 * 24 * 60 * 60 * 1_000,
  /** Frames that wait for a partition to be up; beyond it 503. */
  maxHeldBytes: 32 * MiB,
  /** Messages that functions on one partition send in one transaction. */
  maxSendsPerTransaction: 10_000,
  /** Encoded size of the input of one message. With its address it is a row, below SQLite's 2 MB. */
  maxMessageBytes: 1 * MiB,
  /** Messages of a partition that are not delivered, and their bytes, all in memory; above it new ones are refused. */
  maxUndelivered: 100_000,
  maxUndeliveredBytes: 16 * MiB,
  /** Stored messages that are read into memory in one turn. */
  messagesPerTurn: 1_000,
  /** A one-way message without an answer, or one that failed, is handed over again after this; it doubles with every further failure. */
  repostMs: 2_000,
  repostMaxMs: 60_000,
  /** Effects of a partition that run at the same time, of one name, and of one share of a name; the others wait, and names and shares take turns. */
  maxEffectsRunning: 32,
  maxEffectsOfName: 16,
  maxEffectsOfShare: 8,
  /** Effects of a partition that are not over, and their bytes, all in memory, and of one name; above it new ones are refused, and messages are not. */
  maxEffects: 50_000,
  maxEffectsBytes: 16 * MiB,
  maxEffectsWaiting: 25_000,
  maxEffectsWaitingBytes: 8 * MiB,
  /** An effect's runner is given up when it has not answered for so long after it should have. */
  effectMarginMs: 5_000,
  /** Rows that are looked at in a turn for state that has expired, keys of which it is being deleted at a time, and the pause between two passes. */
  expiryRowsPerTurn: 256,
  maxExpiringKeys: 16,
  expiryPauseMs: 60_000,
  /** By how much the time of a transaction may be before that of one whose state it renews: it may have waited, and clocks differ. */
  maxRenewalLagMs: 60_000,
  /** Delayed messages of a partition that are in memory, at most twice as many for a moment; the others are read when these have gone. */
  maxTimersInMemory: 5_000,
  /** Delayed messages of a key that fire together, and their characters, unless a single one has more; and keys of which some fire at a time. */
  maxFiredTogether: 200,
  maxFiredUnits: 256 * KiB,
  maxFiringKeys: 16,
  /** A partition with a delayed message that is due this soon does not rely on its alarm alone. */
  timerAwakeMs: 10_000,
  /** Schedules of a key, and as many that the code declares. */
  maxSchedulesPerKey: 100,
  /** Instances that a message has outlived, of those that keep it or of its target while it was under way, before each try at it is written down first. */
  suspectRestarts: 3,
  /** Between that and the try: time enough for storage to confirm it. */
  suspectPauseMs: 500,
  /** Between a question to its target whether that has been lost meanwhile and the try, and by how much tries are spread at most. */
  suspectProbeMs: 250,
  suspectSpreadMs: 1_500,
  /** That doubles with every try that was lost, so many times. */
  suspectSpreadDoublings: 3,
  /** Others that are suspected wait for it no longer than this: longer than the platform lets a function compute. */
  suspectMs: 60_000,
  /** Tries at a message whose transaction fails, unless its target's service says otherwise; then it is a dead letter. */
  messageAttempts: 10,
  /** Dead letters of a service, and their characters; above it they wait with their senders, among the messages that are not delivered. */
  maxDeadLetters: 10_000,
  maxDeadUnits: 64 * MiB,
  /** Characters of a page of them, reached before the last, and of an input that is shown in it. */
  maxDeadPageUnits: 256 * KiB,
  maxDeadInputUnits: 32 * KiB,
  /** What a dead letter, or a message with its failures, has beside its input, at most. */
  maxLetterHeadBytes: 64 * KiB,
  /** A partition with messages that are not delivered is started again after this, should it be lost. */
  alarmMs: 10_000,
  /**
   * Attempts of one transaction that younger age costs it; then 503. On a hot key it gives way to everybody older, and those may be as many as
   * are admitted: its deadline comes first, unless attempts are faster than they should be.
   */
  maxAttempts: 20_000,
  /** Encoded size of one state value or collection entry. Below SQLite's 2 MB row. */
  maxValueBytes: VALUE_MAX_BYTES,
  /** Size of the text that an entry of a collection is stored under. */
  maxEntryKeyBytes: 2 * KiB,
  /** Encoded size of all that one transaction writes. */
  maxTransactionBytes: 8 * MiB,
  /** Encoded size of all that a batch of events writes at one partition: state of flows, and events that streams keep. */
  maxFlowBytes: 32 * MiB,
  /** Bytes that open groups of the flows take that the window kernel runs on one partition; each may have its share of it in any case. A checkpoint of one is there twice beside them. */
  maxWindowBytes: 32 * MiB,
  /** Bytes of a batch of events that go through flows at a time. With the batch itself and what it writes they are most of what it takes of memory. */
  flowPartBytes: 4 * MiB,
  /** Encoded size of one result or refusal, as the client gets it. Below SQLite's 2 MB row, in which it is kept for retries. */
  maxResultBytes: 1 * MiB,
  /** Encoded size of all answers to one frame. */
  maxAnswersBytes: 24 * MiB,
  /** What the kernels pack into one table, and one message carries (core-wasm/limits.ts). */
  maxTableBytes: 31 * MiB,
  /** What is left free in a record for the names and counters of its flows. */
  recordMarginBytes: 1 * MiB,
  /** Size of one stored part of a record, a checkpoint or a view block. Below SQLite's 2 MB row. */
  maxPartBytes: 1 * MiB,
  /** Rows of records that are folded, kept to be written over. */
  freeRecords: 256,
  freeRecordBytes: 8 * MiB,
  /** Records are cut when what is pending may exceed this. */
  maxRecordBytes: 16 * MiB,
  /** Size at which what an epoch changes goes on in another record. */
  epochRecordBytes: 16 * MiB,
  /** Encoded state kept in memory, dirty entries apart. */
  cacheBytes: 24 * MiB,
  /** States that are kept as values too, for queries: characters of one at least, and of all together. */
  readValueLeast: 200,
  readValueUnits: MiB,
  /** Unfolded record bytes that start a fold. */
  foldBytes: 4 * MiB,
  /** Unfolded record bytes at which new invocations are refused: folding cannot keep up. */
  maxUnfoldedBytes: 64 * MiB,
  /**
   * Size of the database above which nothing new is written. The platform gives it 10 GB, and a write that finds no room ends the instance: below
   * that there must be room for what is unfolded, for what is being folded and merged, and for what is still under way.
   */
  maxDatabaseBytes: 9 * 1024 * MiB,
  /** How often it is looked, above that, whether there is room again; ms. */
  fullLookMs: 1_000,
  /** What undecided epochs hold in memory at which new invocations, and calls of other partitions' transactions, are refused. */
  maxUndecidedUnits: 32 * MiB,
  /** Bytes of blocks written by one folding turn, for each `foldBytes` of backlog: folding goes faster the further it is behind. */
  foldBytesPerTurn: 512 * KiB,
  /** Bytes of records that one fold takes up, unless a single one has more: to sort their keys must not take long. */
  maxFoldBytes: 16 * MiB,
  /** Size at which a block of state or results is cut. A row more may be in it, which is a value at most. */
  blockBytes: 128 * KiB,
  /** Bytes that one step of a merge reads, two blocks apart. A turn has a step for each `foldBytes` of backlog. */
  mergeBytes: 1 * MiB,
  /** CPU time that a turn of folding or merging is meant to take at most where there is no backlog: so long may it hold up what has come meanwhile. Bytes bound it, since time cannot be measured here; a test holds them to it. */
  storageTurnMs: 10,
  /** Blocks that one step drops unread. */
  dropsPerTurn: 64,
  /** A run of blocks is merged into the next older one while that is no larger than so many times itself. */
  runRatio: 4,
  /** Runs of state above which merges go before folds. */
  maxRuns: 8,
  /** Results whose retention ends within one such time are dropped together. */
  resultSlotMs: 3 * 60 * 60 * 1000,
  /** Blocks kept in memory as they were read. */
  blockCacheBytes: 8 * MiB,
  /** Filters of blocks in memory; blocks beyond have none, and a look-up of an absent key may read them. */
  maxFilterBytes: 16 * MiB,
  /** Results of requests without a client's id: kept for retries of the edge, by age and by size. */
  edgeResultMs: 120_000,
  /** How far an edge's clock may be ahead of a partition's. */
  maxClockSkewMs: 30_000,
  /** How far a clock may be set back, so that limits of time take that much longer; beyond it an instance starts over. */
  maxClockBackMs: 5_000,
  edgeResultBytes: 12 * MiB,
  /** Results that are kept in memory side by side, and their texts; a longer text than a quarter of that is kept by itself. */
  resultsPerChunk: 128,
  resultChunkBytes: 12 * KiB,
  /** Batches of which is remembered, in memory and over a restart, up to which line results are forgotten. */
  forgottenBatches: 10_000,
  storedForgottenBatches: 100,
  /** The edge gives up a request after this; its id is refused, not executed, when it is older than edgeResultMs. */
  requestDeadlineMs: 30_000,
  /** Results of requests with an Idempotency-Key, unless the app says otherwise. */
  clientResultMs: RESULT_RETENTION_DEFAULT_MS,
  /** Results of messages whose senders have not said for so long that they have forgotten them are stored; they, and those of which that word was lost, for this time. */
  carryMs: 60_000,
  messageResultMs: 30 * 24 * 60 * 60 * 1000,
  /** Results of messages that one fold leaves to the next; those beyond are stored. */
  carriedResults: 5_000,
  /** Messages of which one record says that their results are needed no more, and one message to a partition. */
  maxSettledPerRecord: 10_000,
  maxSettledPerMessage: 1_000,
  /** Stored results of a partition, above which requests with an Idempotency-Key are refused. */
  maxResultsBytes: 1024 * MiB,
  /** Stored results of messages, above which further messages wait with their senders. */
  maxMessageResultsBytes: 256 * MiB,
  /** A batch for a peer of which it is not known whether it arrived is sent again after this; the pause doubles up to the other. */
  resendMs: 200,
  maxResendMs: 2_000,
  /** A batch is sent again when nothing at all was heard of it for so long. */
  replyMs: 3_000,
  /** Or, when a batch was acknowledged that was sent behind it, for so long; more than a receipt may wait. The pause doubles likewise. */
  overtakenMs: 300,
  /** Messages to one peer that it has not acknowledged; above it new roots are refused. */
  maxUnacknowledged: 50_000,
  /** Messages from one peer that wait for an era or for those before them; above it new roots are refused, and the peer keeps what it sends. */
  maxHeldMessages: 50_000,
  /** Messages, and bytes reached before the last of them, in one batch for a peer. */
  maxBatchMessages: 5_000,
  maxBatchBytes: 4 * MiB,
  /** Ranges of aborted epochs that the coordinator keeps; above it, it starts over, since recovery finds which are still needed. */
  maxAbortedRanges: 1_000,
  /** How long an epoch gathers while members have work for it: as a share of what it took to decide the last one, and at most, in ms. */
  gatherShare: 2.5,
  maxGatherMs: 50,
  /** How long the members of an epoch may take to close it, and its participants to prepare it; then it is aborted. */
  closeMs: 30_000,
  prepareMs: 30_000,
  /** How long the sole member of an epoch waits for its participants to prepare it: less than the coordinator waits for the sole member. */
  decideMs: 15_000,
  /** Characters, reached before the last row, of one piece of what is moved to another partition, and pieces that may be unanswered at a time. */
  moveChunkUnits: 64 * KiB,
  moveWindow: 4,
  /** Stored rows that are read at a time for it: of the largest, a few MiB in memory. */
  movePageRows: 32,
  movePagesPerTurn: 64,
  /** What changed while all else was moved is sent in rounds until it is so little, or there were so many; the rest goes when nothing runs. */
  moveFewKeys: 200,
  moveRounds: 10,
  /** How long nothing may run for the sake of a move; then everything goes on, and it is tried again. */
  frozenMs: 20_000,
  /** Rows that are looked at in one turn for what is to be deleted since it is kept elsewhere. */
  garbageRowsPerTurn: 256,
  /** Entries that one `range` of a collection returns. */
  maxRangeEntries: 10_000,
  /** Rows that are looked at, and characters that are shown, for one ask of people for keys or state. */
  browseRows: 5_000,
  browseCharacters: 1_000_000,
  /** Transactions that have ended and that a partition still knows of, for people. */
  recentTransactions: 512,
  /** Calls of one traced transaction that are shown. */
  maxTracedCalls: 256,
  /** Characters of a state up to which it is fixed at the end of each function of a call within its partition; a larger one, which would be made to text and read again for each of many calls, with its transaction. */
  settledUnits: 16 * KiB,
  /** Shares of vertices whose operators a partition keeps in memory; all they know is stored. */
  maxLiveShards: 256,
  /** What their entries are to take of memory together, in characters, and at most twice that for a moment; those beyond stand apart, in storage. */
  operatorUnits: 16 * MiB,
  /** Characters of what a batch changes of a share that are kept as they were until the next batch, so that it can be undone in memory. */
  undoUnits: 128 * KiB,
  /** Characters at which a chunk of a share's entries is cut, and of a text above which it has an entry of its own. */
  chunkUnits: 64 * KiB,
  chunkTextUnits: 16 * KiB,
  /** Characters of old chunks that a share writes again with each batch, beside as many as the batch changes; and chunks that it may have beside one for each so many characters. */
  cleanedUnits: 4 * KiB,
  looseChunks: 32,
  /** Bytes of batches of events that are taken in and not answered; beyond it 503. */
  maxIngestBytes: 64 * MiB,
  /** Rows of one share that are looked at for those with the greatest values. */
  maxTopRows: 50_000,
  /** Attempts of a flow at a step of time that is too much for a transaction, each at less; the last goes to the first time alone at which something ends. */
  maxTooLarge: 7,
  /** Results that a flow gives to functions of services, one call after the other, while less of them may end in a transaction: they must not take as long as one may. */
  steppedCalls: 2_000,
  /** How long batches are taken while a flow's time stands still behind them, and how late the tick is that goes on before another is asked for. */
  behindMs: 10 * 60_000,
  tickLostMs: 60_000,
  /** Characters, reached before the last row, of one share's part of a view's answer, and of events of a stream. */
  maxViewChars: 256 * KiB,
  /** Bytes of closed windows, reached before the last block, that one answer of a view reads: at some GB a second, a small part of a second. */
  maxViewReadBytes: 32 * MiB,
  /** What a block counts there at least: to read a small one takes as long as its size does not tell. */
  leastViewReadBytes: 16 * KiB,
  /** Bytes of open groups that are kept packed for the next page of a view, beside the groups themselves. */
  maxShownGroupsBytes: 16 * MiB,
  /** Characters at which an entry of a stream's events is cut. */
  streamEntryChars: 128 * KiB,
  /** Characters, reached before the last line, of an entry of events that wait for their delivery or were set aside. */
  lineEntryUnits: 32 * KiB,
  /** Characters of events that wait for their delivery at one end of a flow; above it batches that would give it more are refused, or set aside. */
  maxEgressUnits: 32 * MiB,
  /** How long the ids of a queue's messages are remembered: longer than any queue keeps a message (14 days). */
  queuedIdMs: 15 * 24 * 60 * 60 * 1000,
  /** How long late events and those that a service refused can be read. */
  asideMs: 7 * 24 * 60 * 60 * 1000,
  /** Rows of one answer of a view. */
  maxViewRows: 10_000,
} as const;
