/** Whom to tell how something ended: a function of a key, which is sent a message. */

import type { Contract } from "./contract.ts";
import { misconfigured } from "./errors.ts";
import type { WriterNames } from "./infer.ts";
import { checkKey } from "./keys.ts";
import { REPLY_ABOUT_MAX_LENGTH } from "./limits.ts";
import type { Schema, SchemaInput } from "./schema.ts";

declare const takes: unique symbol;

/** An address for an outcome. `I` is what its function takes; it lives in the compiler only. */
export interface Reply<in I = never> {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  readonly about?: string;
  readonly [takes]?: (input: I) => void;
}

type TakenBy<C extends Contract, N extends keyof C["functions"]> = C["functions"][N]["input"] extends Schema
  ? SchemaInput<C["functions"][N]["input"]>
  : undefined;

/**
 * The function of a key that is to hear how something ends: `reply(Order, ctx.key, "charged")`. Its input is `outcome(…)`.
 * @param about given back with the outcome, for a function that hears of several; at most 1,000 characters
 * @throws TidegateError `misconfigured` for a function that the contract does not have or that only reads, `invalid-key`, `key-too-large`
 */
export function reply<C extends Contract, N extends WriterNames<C["functions"]> & string>(
  contract: C,
  key: string,
  name: N,
  about?: string,
): Reply<TakenBy<C, N>> {
  checkKey(key);
  if (contract.functions[name]?.kind !== "fn") {
    throw misconfigured(`"${contract.name}" has no function "${name}" that may write: nobody could be told`);
  }
  if (about !== undefined && (typeof about !== "string" || about.length > REPLY_ABOUT_MAX_LENGTH)) {
    throw misconfigured(`\`about\` is a text of at most ${REPLY_ABOUT_MAX_LENGTH} characters`);
  }
  return Object.freeze({ service: contract.name, key, name, ...(about === undefined ? {} : { about }) });
}
