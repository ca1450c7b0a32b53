/** The error that carries a declared refusal through a transaction to its caller. */

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
