/** Whether a function may make a call. */
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import type { Activation, Target } from "./attempt.ts";
import { aborted } from "./failure.ts";

/** @throws TidegateError for a call that may not be made: it fails, and with it the scope that it lies in */
export function checkCall(parent: Activation, target: Target, input: string | null): void {
  if (parent.scope.failure) throw aborted("an earlier call of this transaction failed; it can only abort");
  if (parent.target.contract.kind === "query" && target.contract.kind !== "query") {
    throw new TidegateError(
      "method-not-allowed",
      `a query cannot call ${target.service.contract.name}.${target.name}, which may write`,
    );
  }
  if (parent.depth + 1 >= LIMITS.maxCallDepth) {
    throw new TidegateError("call-depth-exceeded", `calls are nested more than ${LIMITS.maxCallDepth} deep`);
  }
  if (parent.attempt.calls >= LIMITS.maxCallsPerTransaction) {
    throw new TidegateError(
      "transaction-too-large",
      `a transaction makes at most ${LIMITS.maxCallsPerTransaction} calls`,
    );
  }
  // Wherever the key is: what works must not depend on that.
  if (input !== null && !fitsUtf8(input, LIMITS.maxCallBytes)) {
    throw new TidegateError("transaction-too-large", `what a call passes has at most ${LIMITS.maxCallBytes} bytes`);
  }
}
