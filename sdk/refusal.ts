/** The error that carries a declared refusal through a transaction to its caller. */
import { TidegateError } from "./errors.ts";

/**
 * A declared "no": made by `ctx.refuse`, to be thrown. It drops the transaction's writes and is the answer to the caller, 409 over HTTP.
 * Throwing it anywhere but from `ctx.refuse` of the running function is an internal error.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** Service whose function refused. */
  readonly service: string;
  /** Name as declared in the function's contract. */
  readonly refusal: string;
  /** As its schema says; `undefined` for a refusal declared with `noData`. */
  readonly data: unknown;
  constructor(service: string, refusal: string, data: unknown) {
    super(`${service} refused: ${refusal}`);
    this.service = service;
    this.refusal = refusal;
    this.data = data;
  }
}

/** What a tried call was refused with. */
export interface Refused {
  readonly name: string;
  readonly data: unknown;
}

/**
 * The refusal of a tried call that has failed, its own or that of a function which it has called and which passed through it: the types of its contract
 * know the first alone.
 */
export function refusalOf({
  refusal,
  error,
}: {
  readonly refusal?: unknown;
  readonly error?: unknown;
}): Refused | undefined {
  if (refusal !== undefined) return refusal as Refused;
  const cause = error instanceof TidegateError ? error.cause : undefined;
  return cause instanceof Refusal ? { name: cause.refusal, data: cause.data } : undefined;
}
