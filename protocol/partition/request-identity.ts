/** What a request is known by. */
import { REFUSAL_STATUS } from "../../sdk/problems.ts";
import type { StoredResult } from "../results/stored-result.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";

/** Identity of a request: its id and what it must be a repetition of. */
export type RequestIdentity = Pick<
  StoredResult,
  "requestId" | "fingerprintLow" | "fingerprintHigh" | "group" | "owner"
>;

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
