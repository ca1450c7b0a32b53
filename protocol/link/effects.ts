/** What the links of a partition or the coordinator ask of the shell, and what the shell tells them. */
import type { Peer } from "../wire/messages.ts";

export type LinkEffect =
  /**
   * Bring these bytes to a peer as its input `deliver`. It must not leave before everything persisted so far is durable. The shell answers
   * by the input `sent`; if it never does, the links send again.
   */
  | { readonly kind: "send"; readonly to: Peer; readonly batch: number; readonly bytes: Uint8Array }
  /** Answer a `deliver`: received by this incarnation. Passes the same gate as messages. */
  | { readonly kind: "delivered"; readonly ticket: number; readonly incarnation: number }
  /** Let a `deliver` fail: one of its two sides has been replaced, or there is no room. The sender sends again. */
  | { readonly kind: "undelivered"; readonly ticket: number }
  /** Messages wait: call back with the input `dispatch` when the inputs that have already arrived are handled. */
  | { readonly kind: "want-dispatch" }
  /** Call back with the input `wake` in so many milliseconds. At most one is outstanding. */
  | { readonly kind: "wake"; readonly inMs: number };

export type LinkInput =
  /** A batch from a peer. The reply is the effect `delivered` or `undelivered` with the same ticket. */
  | { readonly kind: "deliver"; readonly ticket: number; readonly bytes: Uint8Array }
  /** What became of a `send`: the incarnation that received it, or null when that is not known. */
  | { readonly kind: "sent"; readonly to: Peer; readonly batch: number; readonly incarnation: number | null }
  | { readonly kind: "dispatch" }
  | { readonly kind: "wake" };
