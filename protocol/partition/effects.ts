/** What a partition's machine asks of its shell, as data. The shell performs effects in order and adds nothing of its own. */
import type { LinkEffect, LinkInput } from "../link/effects.ts";
import type { AdminAsk, AdminReply } from "../backup/asks.ts";
import type { LogMembers } from "../observe/log-entry.ts";
import type { OutsideCall, OutsideEnd } from "../outside/work.ts";
import type { Activation, Outcome } from "../transaction/attempt.ts";

/** One change of storage. Those of one `persist` are atomic: all or none survive a crash. */
export type StorageOp =
  /** A part of record `seq`. Parts are joined in order. `mark` lies beside the bytes, to be read without them; empty for none. */
  | {
      readonly op: "record";
      readonly seq: number;
      readonly part: number;
      readonly mark: string;
      readonly bytes: Uint8Array;
    }
  | { readonly op: "drop-records"; readonly through: number }
  /** Puts a record of one part, without a mark, in the place of one that was aborted, so that none is missing. */
  | { readonly op: "replace-record"; readonly seq: number; readonly bytes: Uint8Array }
  /** A block of state or results, new or in the place of another, with its head. */
  | { readonly op: "put-block"; readonly id: number; readonly head: Uint8Array; readonly bytes: Uint8Array }
  | { readonly op: "drop-block"; readonly id: number }
  /** Results of edge ids, packed; deleted when expired. */
  | {
      readonly op: "put-recent";
      readonly seq: number;
      readonly part: number;
      readonly expires: number;
      readonly bytes: Uint8Array;
    }
  | { readonly op: "drop-recent"; readonly expiredAt: number }
  /** Deletes everything but `meta`, and in that what tells which blocks there are. */
  | { readonly op: "wipe" }
  /** A part of a block of closed windows of a flow; every window in it ends at or before `through`, and after that of the block before. */
  | {
      readonly op: "put-view-block";
      readonly flow: string;
      readonly block: number;
      readonly part: number;
      readonly through: bigint;
      readonly bytes: Uint8Array;
    }
  /** A part of a flow's checkpoint; part 0 first deletes the older checkpoint. */
  | {
      readonly op: "put-checkpoint";
      readonly flow: string;
      readonly part: number;
      readonly meta: string;
      readonly bytes: Uint8Array;
    }
  /** Deletes the blocks and the checkpoint of a flow that is kept elsewhere. */
  | { readonly op: "drop-flow"; readonly flow: string }
  | { readonly op: "put-meta"; readonly name: string; readonly value: string };

export type Effect =
  | LinkEffect
  /** Run a user function; answer by the input `returned`. */
  | { readonly kind: "run"; readonly activation: Activation }
  /** The call that this activation stands for has ended: settle its caller's promise. */
  | { readonly kind: "settle"; readonly activation: Activation; readonly outcome: Outcome }
  /** All calls of a function that had returned before them have ended: answer by `returned` once more, behind what its code does with the last result. */
  | { readonly kind: "joined"; readonly activation: Activation }
  /** Run an attempt of a committed effect where it blocks nobody; answer by the input `outside-ended`. It must not begin before everything persisted so far is durable. */
  | { readonly kind: "run-outside"; readonly call: OutsideCall }
  /** Make these changes durable, before anything that leaves later. */
  | { readonly kind: "persist"; readonly ops: readonly StorageOp[] }
  /** Answer a request from outside. It must not leave before everything persisted so far is durable. */
  | { readonly kind: "reply"; readonly ticket: number; readonly body: Uint8Array | ViewReply | AdminReply }
  /** Something waits for a flush: call back with the input `flush` when the turn's other work is done. */
  | { readonly kind: "want-flush" }
  /** Call back with the input `alarm` in so many milliseconds, in a new instance if this one is lost before. At most one is outstanding. */
  | { readonly kind: "alarm"; readonly inMs: number }
  /** Something is to be folded: call back with the input `fold` in a turn of its own, soon. */
  | { readonly kind: "want-fold" }
  /** Key groups move: call back with the input `work` in a turn of its own, behind everything that has arrived meanwhile. At most one is outstanding. */
  | { readonly kind: "want-work" }
  /** For the log of the shell; nothing depends on it. */
  | {
      readonly kind: "report";
      readonly level: "error" | "warn";
      readonly message: string;
      readonly members?: LogMembers;
    };

export interface ViewReply {
  readonly status: number;
  readonly body: string;
  readonly epoch: string;
  /** The view's stream is kept by another partition. */
  readonly staleMap?: boolean;
}

/** What the shell tells the machine. */
export type Input =
  | LinkInput
  /** The first one: storage is read and this incarnation is written. */
  | { readonly kind: "start" }
  | { readonly kind: "invoke"; readonly ticket: number; readonly frame: Uint8Array }
  | { readonly kind: "ingest"; readonly ticket: number; readonly frame: Uint8Array }
  | { readonly kind: "view"; readonly ticket: number; readonly query: ViewRequest }
  | { readonly kind: "admin"; readonly ticket: number; readonly ask: AdminAsk }
  | { readonly kind: "returned"; readonly activation: Activation; readonly outcome: Outcome }
  | { readonly kind: "outside-ended"; readonly id: string; readonly end: OutsideEnd }
  | { readonly kind: "flush" }
  | { readonly kind: "fold" }
  | { readonly kind: "work" }
  | { readonly kind: "alarm" };

export interface ViewRequest {
  readonly view: string;
  readonly key: string | undefined;
  /** Rows at most; 0 for none, beside how far the flow has come. */
  readonly limit: number;
  readonly after: string | undefined;
}
