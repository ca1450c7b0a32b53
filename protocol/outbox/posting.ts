/** A one-way message on its way from a transaction to the transaction that it asks for. */
import type { FailedTry } from "./ending.ts";
import type { Scope } from "../transaction/attempt.ts";

/** What a message asks for. */
export interface Letter {
  /** State-key prefix of the sender: messages from it to one key are delivered in order. Empty for those from outside, which have no order. */
  readonly sender: string;
  /** Who sent it first, where it was a dead letter since: then the sender is the list. */
  readonly origin?: string;
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** Empty for none. */
  readonly input: string;
  /** The input is state-codec text, as calls carry it; else JSON from outside, where what looks like a tag is none. */
  readonly coded: boolean;
  /** Tries at its transaction that failed; absent for none. */
  readonly tries?: readonly FailedTry[];
  /** A try was begun that may end whoever runs it: if nobody knows of its end, it was lost. */
  readonly begun?: boolean;
}

/** As sent by a running function; it becomes a message when its transaction commits. */
export interface Posting extends Letter {
  /** Undone with this scope. */
  readonly scope: Scope;
  /** Of a delayed message: it was given when that was sent. */
  readonly id?: string;
  /** Key that keeps it until its time; absent for a message that leaves at the commit. */
  readonly keptBy?: string;
}
