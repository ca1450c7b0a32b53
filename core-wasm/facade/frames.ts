/** The façade's side of assembly/frame.ts: what its verdicts mean. */
import { CorruptError } from "../types.ts";
import type { CorruptReason } from "../types.ts";

/** Verdicts of assembly/frame.ts, by their numbers less one. */
const REASONS: readonly CorruptReason[] = ["magic", "kind", "version", "length", "checksum"];

/** The error for a verdict above 0 on bytes that should have been `what`. */
export function corrupt(verdict: number, what: string): CorruptError {
  const reason = REASONS[verdict - 1];
  if (reason === undefined) throw new Error(`the kernel gave the unknown verdict ${verdict}`);
  return new CorruptError(reason, `not ${what} that can be used here`);
}
