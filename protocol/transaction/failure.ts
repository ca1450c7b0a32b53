/** Why a call or a whole transaction failed, as data. */
import { TidegateError } from "../../sdk/errors.ts";
import { Refusal } from "../../sdk/refusal.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import { encodeValue } from "../../sdk/values.ts";

export type Failure =
  /** A declared refusal: an answer, recorded under the request's id. */
  | { readonly kind: "refusal"; readonly refusal: Refusal }
  /** An error of the engine with a stable type. */
  | { readonly kind: "engine"; readonly error: TidegateError }
  /** Anything else that user code threw; `elsewhere` on another partition, whose log has it. */
  | { readonly kind: "thrown"; readonly error: unknown; readonly elsewhere?: boolean };

/**
 * Never throws, whatever was thrown: to ask a Proxy for its class may throw too.
 * @param most bytes that the data of a refusal may have
 */
export function failureOf(error: unknown, most = Infinity): Failure {
  try {
    if (error instanceof Refusal) return sayable(error, most);
    if (error instanceof TidegateError) {
      // User code may throw one with anything in it; what is told of it is JSON.
      if (error.members !== undefined) JSON.stringify(error.members);
      return { kind: "engine", error };
    }
  } catch {
    return { kind: "thrown", error: new TypeError("what was thrown cannot be looked at") };
  }
  return { kind: "thrown", error };
}

/** One whose data cannot be passed on is none, whether its caller is here or at another partition. */
function sayable(refusal: Refusal, most: number): Failure {
  try {
    if (refusal.data === undefined) return { kind: "refusal", refusal };
    const text = encodeValue(refusal.data, `the data of the refusal "${refusal.refusal}"`);
    return fitsUtf8(text, most) ? { kind: "refusal", refusal } : { kind: "engine", error: tooLarge(most) };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

/** What a call returns, or refuses with, has more than these bytes. */
export function tooLarge(most: number): TidegateError {
  return new TidegateError(
    "transaction-too-large",
    `what a call returns has at most ${most} bytes; return less, or in pages`,
  );
}

/** What a caller's promise rejects with. */
export function errorOf(failure: Failure): unknown {
  return failure.kind === "refusal" ? failure.refusal : failure.error;
}

/** Without a stack: it is made for every attempt that gives way, and where that happened tells nobody anything. */
export function aborted(message: string): TidegateError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new TidegateError("transaction-aborted", message);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** Made once: to make an error is dear, and where many want one key an attempt in three gives way. Frozen, since functions of all transactions get it. */
export const GAVE_WAY = Object.freeze(aborted("the transaction gave way to an older one and runs again"));
export const ABORTED_BY_ROOT = Object.freeze(aborted("the transaction was aborted by its root"));
export const ABORTED_WITH_ERA = Object.freeze(aborted("the transaction was aborted with its era and runs again"));
