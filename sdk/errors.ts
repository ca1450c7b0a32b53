/** The error that the engine raises towards user code and towards whoever defines an app. */

import type { ProblemType } from "./problems.ts";

/**
 * An error of the engine, not of the user's functions: a cycle of waiting calls, an unknown service, a bad definition.
 * `type` is stable and is one of the keys of `PROBLEMS`; the message is for people and may change.
 */
export class TidegateError extends Error {
  override readonly name = "TidegateError";
  readonly type: ProblemType;
  /** Further members of its problem. */
  readonly members: Readonly<Record<string, unknown>> | undefined;
  constructor(
    type: ProblemType,
    message: string,
    options?: ErrorOptions & { readonly members?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options);
    this.type = type;
    this.members = options?.members;
  }
}

/** What `ctx.try` reports when a call failed without a declared refusal. */
export type CallError = TidegateError;

/** Nothing was done, and it is worth sending again: what stands against it passes, as another version of the code does. */
export function comeAgain(message: string): TidegateError {
  return new TidegateError("overloaded", message, { members: { retryable: true } });
}

/** A definition that cannot work, found at start-up. */
export function misconfigured(message: string): TidegateError {
  return new TidegateError("misconfigured", message);
}
