/** What one epoch holds at a partition: while transactions join it, and as a record until it is decided. The writes are in the layers of state. */
import type { Root } from "../partition/root.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Attempt } from "../transaction/attempt.ts";
import {
  COORDINATOR,
  type Epoch,
  type FinishCount,
  type Participants,
  type Peer,
  type PrepareMessage,
} from "../wire/messages.ts";

/** A root whose answer leaves when its epoch is committed. */
export interface PendingAnswer {
  readonly root: Root;
  readonly attempt: Attempt;
  readonly status: number;
  readonly body: string;
}

export interface EpochSet {
  readonly epoch: Epoch;
  /** Transactions of roots here that were given this epoch. */
  tagged: number;
  readonly results: StoredResult[];
  readonly answers: PendingAnswer[];
  /** Finishes of other partitions' roots, by sender. */
  readonly received: Map<Peer, number>;
  /** Finishes sent, by receiver and its incarnation. */
  readonly sent: Map<number, FinishCount>;
  prepare: PrepareMessage | null;
  /** Who ordered it prepared and decides it: the coordinator, or its sole member. */
  decider: Peer;
  /** The coordinator knows that something waits for it. */
  wanted: boolean;
}

export function newEpochSet(epoch: Epoch): EpochSet {
  return {
    epoch,
    tagged: 0,
    results: [],
    answers: [],
    received: new Map(),
    sent: new Map(),
    prepare: null,
    decider: COORDINATOR,
    wanted: false,
  };
}

/** More than there are partitions. */
const PEERS = 2 ** 16;

export function countFinish({ sent }: EpochSet, peer: Peer, incarnation: number): void {
  const key = incarnation * PEERS + peer;
  const count = sent.get(key)?.finishes ?? 0;
  sent.set(key, { peer, incarnation, finishes: count + 1 });
}

export function countReceived({ received }: EpochSet, from: Peer): void {
  received.set(from, (received.get(from) ?? 0) + 1);
}

/** Whether every finish that the coordinator knows of is here. */
export function isComplete({ prepare, received }: EpochSet): boolean {
  if (!prepare) return false;
  for (const [sender, finishes] of prepare.expect) if ((received.get(sender) ?? 0) < finishes) return false;
  return true;
}

/** An epoch's record that is durable, or on its way, and not decided as far as this partition knows. */
export interface UndecidedRecord {
  readonly epoch: Epoch;
  readonly parts: Participants;
  /** Its place in the log: a large epoch takes several records. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** When it was written; ms. */
  readonly at: number;
  readonly results: readonly StoredResult[];
  /** None when it was found at a restart: then the answers are owed to nobody until somebody asks again. */
  readonly answers: readonly PendingAnswer[];
}
