/** The types that flow out of a contract: arguments, results and refusals, as handlers and as callers see them. */

import type { Contract, FunctionContract, Functions } from "./contract.ts";
import type { DeepReadonly } from "./deep-readonly.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";

/** Argument as the handler gets it, after validation. */
export type InputOf<F extends FunctionContract> = F["input"] extends Schema ? SchemaOutput<F["input"]> : undefined;
/** Result as a caller inside a transaction gets it, after validation. */
export type OutputOf<F extends FunctionContract> = F["output"] extends Schema ? SchemaOutput<F["output"]> : void;
/** Result as the handler may return it, before validation; read-only data is welcome. */
export type ResultOf<F extends FunctionContract> = F["output"] extends Schema
  ? DeepReadonly<SchemaInput<F["output"]>>
  : void;

/** Arguments as a caller writes them: none, one, or one that may be left out. */
export type ArgumentsOf<F extends FunctionContract> = F["input"] extends Schema
  ? ArgumentFor<SchemaInput<F["input"]>>
  : [];
type ArgumentFor<I> = undefined extends I ? [input?: DeepReadonly<I>] : [input: DeepReadonly<I>];

/** The refusals that a function may answer with, as a union of name and data. */
export type RefusalOf<F extends FunctionContract> = {
  [N in keyof F["refusals"] & string]: { readonly name: N; readonly data: SchemaOutput<F["refusals"][N]> };
}[keyof F["refusals"] & string];

/** Arguments of `ctx.refuse` after the name: the data, or nothing where the schema allows nothing. */
export type RefusalArguments<S extends Schema> =
  undefined extends SchemaInput<S> ? [data?: DeepReadonly<SchemaInput<S>>] : [data: DeepReadonly<SchemaInput<S>>];

/** Names of a contract's queries. */
export type QueryNames<F extends Functions> = { [N in keyof F]: F[N]["kind"] extends "query" ? N : never }[keyof F];

/** Names of a contract's functions that may write. */
export type WriterNames<F extends Functions> = { [N in keyof F]: F[N]["kind"] extends "query" ? never : N }[keyof F];

/** A contract cut down to its queries. */
export type QueriesOf<C extends Contract> = Pick<C["functions"], QueryNames<C["functions"]>>;
