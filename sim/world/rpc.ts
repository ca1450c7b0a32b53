/** A batch on its way between two objects. */
import type { Peer } from "../../protocol/wire/messages.ts";
import type { Instance } from "./instance.ts";

export interface Rpc {
  readonly from: Instance;
  readonly to: Peer;
  readonly batch: number;
  readonly bytes: Uint8Array;
  /** Kinds of the messages in it; empty when nobody needs to know. */
  readonly kinds: readonly string[];
  /** The sender was told what became of it. */
  settled: boolean;
}
