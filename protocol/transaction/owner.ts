/** What transactions ask of the partition that they run on. */
import type { Effect } from "../partition/effects.ts";
import type { Root } from "../partition/root.ts";
import type { Write } from "../state/store.ts";
import type { Epoch, PartitionMessage, Peer } from "../wire/messages.ts";
import type { Attempt, Outcome } from "./attempt.ts";
import type { Failure } from "./failure.ts";

/** What sending asks of the partition. */
export interface MessageOwner {
  /** The id of a message that is sent here, later than all before. */
  nextId(): string;
  /** By which an effect that is asked for here is known outside; undefined for its id. */
  nextEffectKey(): string | undefined;
  /** The id of a delayed message that is sent here. @param at when it is due; ms since 1970 */
  nextDelayedId(at: number): string;
  /** Those that are not delivered leave no room for more. */
  readonly isFull: boolean;
  /** The same of effects of a name. */
  isFullOf(effect: string): boolean;
}

/** What becomes of a root. `committed`, `failed` or `finishing` is called, once for each attempt that is not given up (invariant 4). */
export interface TransactionOwner {
  emit(effect: Effect): void;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly self: Peer;
  readonly incarnation: number;
  /** Highest epoch seen here. */
  readonly clock: Epoch;
  /** Another partition has seen this epoch. */
  see(epoch: Epoch): void;
  /** Highest known incarnation of a peer; 0 when it was never heard of. */
  incarnationOf(peer: Peer): number;
  /** The partition that keeps a key. */
  partitionOf(key: string): Peer;
  send(to: Peer, message: PartitionMessage): void;
  /** What may begin here: nothing while it is congested, and while it is full nothing that writes. */
  readonly room: { readonly isCongested: boolean; readonly isFull: boolean };
  readonly mail: MessageOwner;
  /** A transaction is about to reach another partition, and so will need an epoch. */
  reaching(): void;
  /** Newest epoch that is known to be committed. */
  readonly decided: Epoch;
  /** This epoch is committed. */
  learn(epoch: Epoch): void;
  /** A boundary for snapshots that is not too old to be shown; undefined when there is none. */
  readonly boundary: Epoch | undefined;
  /** A function here reads as of this epoch: it is committed, and nothing commits here at or below it any more. */
  readAsOf(epoch: Epoch): void;
  /** Another partition is about to be shown what is committed here: that is durable, or is by the time the message leaves. */
  show(): void;
  /** The root's function and all its calls are done, nothing failed, and nothing undecided or remote was touched. */
  committed(root: Root, writes: readonly Write[], value: unknown): void;
  /** It failed, and what it failed with may be told at once. */
  failed(root: Root, failure: Failure): void;
  /** It is done and needs an epoch: it has reached other partitions or read what is not decided. A failure drops its writes. */
  finishing(attempt: Attempt, outcome: Outcome, writes: readonly Write[]): void;
}

export interface CallRequest {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** State-codec text, or null for no argument. */
  readonly input: string | null;
  /** Made by `ctx.try`. */
  readonly tried: boolean;
}
