/** A batch on its way between two objects. */
import type { Beside } from "../../protocol/link/carrier.ts";
import type { Peer } from "../../protocol/wire/messages.ts";
import type { Instance } from "./instance.ts";

export interface Rpc {
  readonly from: Instance;
  readonly to: Peer;
  readonly batch: number;
  /** None where nothing but receipts is told. */
  readonly bytes: Uint8Array;
  /** Absent where the sender runs code that takes no answers which carry something. */
  readonly beside?: Beside;
  /** It came with an answer, and what becomes of it is told by a receipt. */
  readonly carried?: true;
  /** Kinds of the messages in it; empty when nobody needs to know. */
  readonly kinds: readonly string[];
  /** The sender was told what became of it. */
  settled: boolean;
}
