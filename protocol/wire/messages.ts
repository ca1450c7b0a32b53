/** What partitions and the coordinator say to each other (docs/protocol.md, "Messages"). All are one-way: an answer is a message of its own. */

/** A partition's number in the map, or the coordinator. */
export type Peer = number;
export const COORDINATOR: Peer = 0xffff;

/** `generation * 2**32 + n`: ordered, never reused; see epochs/epoch.ts. 0 is before every epoch. */
export type Epoch = number;

/** One attempt of a transaction, wherever it acts. */
export interface TransactionId {
  /** The partition that runs the root function. */
  readonly root: Peer;
  /** Incarnation of that partition. */
  readonly incarnation: number;
  /** Unique in that incarnation. */
  readonly attempt: number;
}

/** Partitions of a transaction or an epoch, with the incarnation that took part. */
export interface Participants extends Iterable<[Peer, number]> {
  readonly size: number;
  get(peer: Peer): number | undefined;
  has(peer: Peer): boolean;
  keys(): Iterable<Peer>;
}

/** An activation or scope of some partition's current incarnation. */
export interface Place {
  readonly peer: Peer;
  readonly activation: number;
}

export type AnswerOutcome =
  /** State-codec text; null for undefined. */
  | { readonly ok: true; readonly value: string | null }
  | {
      readonly ok: false;
      readonly failure: "refusal" | "engine" | "thrown";
      /** JSON, as protocol/transaction/remote-failure.ts writes it. */
      readonly detail: string;
    };

/** Runs a function of another partition's key within the same transaction. */
export interface CallMessage {
  readonly kind: "call";
  readonly id: TransactionId;
  readonly age: number;
  /** Of the sender; the answer names it. */
  readonly callId: number;
  /** The activation of the sender that calls, in 32 bits: for who looks at what is sent. */
  readonly caller: number;
  /** The caller is a query, and the code of its partition knows what it calls as one. False also of code that does not say. */
  readonly reading: boolean;
  /** Calls above this one. */
  readonly depth: number;
  /** Where the call path crossed partitions above the caller, outermost first. */
  readonly path: readonly Place[];
  /** Scopes of tried calls around this call, outermost first. */
  readonly scopes: readonly Place[];
  /** Boundary of a snapshot read, or 0 for a transaction that locks. */
  readonly snapshot: Epoch;
  /** Milliseconds since 1970: what `ctx.now()` says. */
  readonly at: number;
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** State-codec text; null for none. */
  readonly input: string | null;
}

export interface AnswerMessage {
  readonly kind: "answer";
  readonly id: TransactionId;
  readonly callId: number;
  readonly outcome: AnswerOutcome;
  /** Whom the sender knows to take part, itself included. */
  readonly parts: Participants;
  /** The sender's clock when it answered. */
  readonly clock: Epoch;
}

/** The transaction belongs to `epoch`: its copies become versions of that, or are dropped; its locks are free. */
export interface FinishMessage {
  readonly kind: "finish";
  readonly id: TransactionId;
  readonly epoch: Epoch;
  readonly drop: boolean;
}

/** Write the epoch's record. From the coordinator, or from the epoch's sole member, which knows of all that is in it. */
export interface PrepareMessage {
  readonly kind: "prepare";
  readonly epoch: Epoch;
  /** Who sends it decides the epoch, and is to hear who is prepared: the sole member. Of the coordinator this needs no word. */
  readonly decides: boolean;
  readonly parts: Participants;
  /** Finishes to wait for, by sender. */
  readonly expect: ReadonlyMap<Peer, number>;
  /** Last committed epoch. */
  readonly previous: Epoch;
}

/** To the coordinator: from here on the sender gives this epoch to no transaction. Counts are cumulative: a later one replaces an earlier. */
export interface ClosedMessage {
  readonly kind: "closed";
  readonly epoch: Epoch;
  /** Transactions that it gave the epoch to. */
  readonly tagged: number;
  readonly counts: readonly FinishCount[];
  readonly rejoin: boolean;
  /** As the sole member it has told the participants to prepare by itself, and decides. */
  readonly ordered: boolean;
}
/** It holds the epoch's record durably. To who ordered it prepared. */
export interface PreparedMessage {
  readonly kind: "prepared";
  readonly epoch: Epoch;
}
/** It is not the incarnation that took part. To who ordered it prepared. A sole member tells the coordinator by this that it will not decide its epoch. */
export interface RefuseMessage {
  readonly kind: "refuse";
  readonly epoch: Epoch;
}
/** The epoch is committed. From the coordinator, or the sole member that decided it. */
export interface DecideMessage {
  readonly kind: "decide";
  readonly epoch: Epoch;
}

/** The attempt is over; whoever was called by the receiver is to be told. */
export interface AbortMessage {
  readonly kind: "abort";
  readonly id: TransactionId;
}
/** To the root: an older transaction needs what this attempt holds, or a participant was lost. */
export interface KillMessage {
  readonly kind: "kill";
  readonly id: TransactionId;
}
/** To the root, from a participant that has heard nothing for long: does this attempt live? If not, `abort` comes. */
export interface InquireMessage {
  readonly kind: "inquire";
  readonly id: TransactionId;
}
/** Says nothing: it shows the sender whether the receiver is still the same incarnation, and starts one where there is none. */
export interface PingMessage {
  readonly kind: "ping";
}

/** Follows waiting calls of one transaction to see whether `origin`, which waits for a key, waits for itself. */
export interface ChaseMessage {
  readonly kind: "chase";
  readonly id: TransactionId;
  readonly origin: Place;
  /** The call path of `origin` where it crossed partitions, its caller's place last. */
  readonly path: readonly Place[];
  /** The sender's call that is to be followed; or the receiver's tried call, which keeps a key at the sender. */
  readonly callId: number;
  readonly tried: boolean;
  /** Counts the chases of the origin's partition: one goes every way once, however many ways lead there. */
  readonly probe: number;
  /** Hops so far: bounded. */
  readonly hops: number;
}
/** To the partition of a chase's origin: it waits for itself. */
export interface CycleMessage {
  readonly kind: "cycle";
  readonly id: TransactionId;
  readonly activation: number;
}

/** A tried call has ended: its scope is undone or kept everywhere. Answered by `scope-ended`. */
export interface ScopeEndMessage {
  readonly kind: "scope-end";
  readonly id: TransactionId;
  readonly scope: Place;
  readonly undo: boolean;
}
export interface ScopeEndedMessage {
  readonly kind: "scope-ended";
  readonly id: TransactionId;
  readonly scope: Place;
}

/** A one-way message for a key of the receiver: a transaction of its own, exactly once by its id. */
export interface PostMessage {
  readonly kind: "post";
  /** A request id (32 characters). */
  readonly requestId: string;
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** Empty for none. */
  readonly input: string;
  /** The input is state-codec text, else JSON. */
  readonly coded: boolean;
  /** A failure is final, and recorded as such. */
  readonly last: boolean;
  /** With `last`: it does not run any more. What is not known of it is recorded as a failure. */
  readonly giveUp: boolean;
}
/** A posted message's transaction is decided, or failed; or it could not be tried. */
export interface PostedMessage {
  readonly kind: "posted";
  readonly requestId: string;
  /** Committed or refused. */
  readonly done: boolean;
  /** It failed for good. */
  readonly dead: boolean;
  /** How it failed, as protocol/outbox/ending.ts writes it; empty where it was not tried. */
  readonly error: string;
}

/** To who ran these messages: their sender has forgotten them durably, and will not hand them over again. */
export interface SettledMessage {
  readonly kind: "settled";
  /** Request ids; at least one. */
  readonly requestIds: readonly string[];
}

/** The snapshot boundary of the asker is too old here; `decided` is known to be committed. */
export interface TooOldMessage {
  readonly kind: "too-old";
  readonly id: TransactionId;
  readonly decided: Epoch;
}

/** The sender will send all that it keeps of the key groups that the map of `version` gives to the receiver, from the beginning. */
export interface MoveBeginMessage {
  readonly kind: "move-begin";
  /** Of the map that is moved to. */
  readonly version: number;
  /** Counts what the sender's incarnation began: what belongs to an earlier one is not for this. */
  readonly stream: number;
  /** First epoch of the era in which nothing runs, when the sender is in it; else 0. */
  readonly frozen: Epoch;
}
export interface MoveChunkMessage {
  readonly kind: "move-chunk";
  readonly stream: number;
  /** From 1, in order. */
  readonly number: number;
  /** `copied`: what there was is sent, and what changes is sent as it does. `last`: nothing follows. */
  readonly stage: "more" | "copied" | "last";
  /** With `last`, the era in which nothing changed any more; else 0. */
  readonly frozen: Epoch;
  /** As protocol/moves/content.ts writes it. */
  readonly content: string;
}
/** What came is durable. Number 0 answers `move-begin`. */
export interface MoveTakenMessage {
  readonly kind: "move-taken";
  readonly stream: number;
  readonly number: number;
  /** Nothing more is wanted of this stream: all is there, or that move is over. */
  readonly enough: boolean;
}
export type MoveMessage = MoveBeginMessage | MoveChunkMessage | MoveTakenMessage;

export type PartitionMessage =
  | MoveMessage
  | CallMessage
  | AnswerMessage
  | FinishMessage
  | PrepareMessage
  | PreparedMessage
  | RefuseMessage
  | DecideMessage
  | AbortMessage
  | KillMessage
  | InquireMessage
  | PingMessage
  | ChaseMessage
  | CycleMessage
  | ScopeEndMessage
  | ScopeEndedMessage
  | PostMessage
  | PostedMessage
  | SettledMessage
  | TooOldMessage;

/** How many finishes went to (partition, incarnation) in one epoch. */
export interface FinishCount {
  readonly peer: Peer;
  readonly incarnation: number;
  readonly finishes: number;
}

export interface RecordReport {
  readonly epoch: Epoch;
  readonly parts: Participants;
}

/** From a partition to the coordinator. */
export type ReportMessage =
  | PingMessage
  /** A new incarnation asks for the era. */
  | {
      readonly kind: "hello";
      readonly reads: number;
      /** The last epoch that it may hold a record of: of one behind it, it holds none. Of older code 0, which says nothing. */
      readonly recorded: Epoch;
    }
  /** Answers `recover`: what it knows to be committed, and its undecided records. */
  | {
      readonly kind: "report";
      readonly generation: number;
      readonly decided: Epoch;
      readonly records: readonly RecordReport[];
      /** The highest version of batches that this code reads, as in `hello`. */
      readonly reads: number;
      /** Its storage cannot be read: it may hold more records than these, and takes part in nothing. */
      readonly damaged: boolean;
    }
  /** It wants to be a member of the open epoch. */
  | { readonly kind: "join" }
  /** Something waits for this epoch's decision. */
  | { readonly kind: "want"; readonly epoch: Epoch }
  | ClosedMessage
  | PreparedMessage
  /** Its epoch is committed: as the sole member it knows that all are prepared. */
  | { readonly kind: "decided"; readonly epoch: Epoch }
  /** It holds durably what a source keeps for the map of `version`: all as of the frozen era, or, with `frozen` 0, nearly all. */
  | {
      readonly kind: "moved";
      readonly version: number;
      readonly source: Peer;
      readonly sourceIncarnation: number;
      readonly frozen: Epoch;
    }
  | RefuseMessage;

/** From the coordinator to a partition. */
export type OrderMessage =
  | PingMessage
  /** A new generation: drop what runs, keep records, report. */
  | { readonly kind: "recover"; readonly generation: number }
  | {
      readonly kind: "era";
      readonly generation: number;
      /** First epoch of the stretch without an abort; everything below is decided for good. */
      readonly base: Epoch;
      readonly open: Epoch;
      readonly committed: Epoch;
      /** The highest version of batches that everybody reads: none is written above it. */
      readonly format: number;
      /** Inclusive ranges. */
      readonly aborted: ReadonlyArray<readonly [first: Epoch, last: Epoch]>;
      /** The key-group map of this era, as text. Empty: as it was. */
      readonly map: string;
      /** The map that is moved to; empty when none is. */
      readonly next: string;
      /** Nothing runs in this era: it is for moving. */
      readonly frozen: boolean;
    }
  | {
      readonly kind: "joined";
      readonly epoch: Epoch;
      /** No other will be a member of this epoch, and all before it are decided. It decides by itself. */
      readonly sole: boolean;
      /** With `sole` the last committed epoch, else 0. */
      readonly previous: Epoch;
    }
  | { readonly kind: "close"; readonly epoch: Epoch }
  | PrepareMessage
  | DecideMessage;

export type PeerMessage = PartitionMessage | ReportMessage | OrderMessage;

/** What partitions say to each other within an era. */
export type TransactionalMessage = Exclude<PartitionMessage, MoveMessage>;

export function isMove(message: PeerMessage): message is MoveMessage {
  return message.kind === "move-begin" || message.kind === "move-chunk" || message.kind === "move-taken";
}
