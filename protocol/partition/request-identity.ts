/** What a request is known by. */
import { REFUSAL_STATUS } from "../../sdk/problems.ts";
import type { StoredResult } from "../results/stored-result.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";

/** Identity of a request: its id and what it must be a repetition of. */
export type RequestIdentity = Pick<
  StoredResult,
  "requestId" | "fingerprintLow" | "fingerprintHigh" | "group" | "owner"
>;

/** Whether two requests of one id have other content. One without a fingerprint is the same whatever it has: its id says all. */
export function isAnother(one: Fingerprinted, other: Fingerprinted): boolean {
  if (isPlain(one) || isPlain(other)) return false;
  return one.fingerprintLow !== other.fingerprintLow || one.fingerprintHigh !== other.fingerprintHigh;
}
type Fingerprinted = Pick<RequestIdentity, "fingerprintLow" | "fingerprintHigh">;

function isPlain({ fingerprintLow, fingerprintHigh }: Fingerprinted): boolean {
  return fingerprintLow === 0 && fingerprintHigh === 0;
}

/**
 * A number of a producer is still to come when its batch was refused for good: another body may be sent under it. That is another request; the first
 * is answered as it was, should it come again.
 * @param first what the first was answered
 */
export function mended(sent: RequestIdentity, first: StoredResult | undefined): RequestIdentity {
  const { requestId, fingerprintLow: low, fingerprintHigh: high } = sent;
  const isRefused = first?.status === REFUSAL_STATUS;
  if (!isRefused || (first.fingerprintLow === low && first.fingerprintHigh === high)) return sent;
  const body = [low, high].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  return { ...sent, requestId: requestId.slice(0, REQUEST_ID_LENGTH - body.length) + body };
}
