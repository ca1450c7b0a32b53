/** What a function may not do to the world outside of its transaction, and what it is told. */

import { TidegateError } from "./errors.ts";

/** Globals that throw while user code of a transaction is on the call path. */
export const GUARDED_GLOBALS = ["fetch", "setTimeout", "setInterval", "setImmediate"] as const;

export function sideEffect(name: string): TidegateError {
  return new TidegateError(
    "side-effect-in-transaction",
    `${name} is not available inside a transaction. A transaction may run again and its effects could not be undone. ` +
      "Do it before the call and pass the result in, or after the answer; for time use ctx.now().",
  );
}
