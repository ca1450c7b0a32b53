/** A one-way message on its way from a transaction to the transaction that it asks for. */
import type { Scope } from "../transaction/attempt.ts";

/** As sent by a running function; it becomes a message when its transaction commits. */
export interface Posting {
  /** State-key prefix of the sender: messages from it to one key are delivered in order. */
  readonly sender: string;
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** JSON text; empty for none. */
  readonly input: string;
  /** Undone with this scope. */
  readonly scope: Scope;
}
