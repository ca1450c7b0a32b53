/** Contracts: what a service offers, apart from how it does it, so that services, clients and documents can share it. */

import { misconfigured } from "./errors.ts";
import { checkKebab, checkName } from "./names.ts";
import { isSchema } from "./schema.ts";
import type { Schema } from "./schema.ts";

/** Refusals by name, each with the schema of its data; `noData` for none. */
export type RefusalSchemas = Readonly<Record<string, Schema>>;
/** `fn` may write; `query` may only read, and is reachable by GET. */
export type FunctionKind = "fn" | "query";

/** One function of a contract. Without `input` it takes no argument; without `output` it returns nothing (`null` over HTTP). */
export interface FunctionContract<
  In extends Schema | undefined = Schema | undefined,
  Out extends Schema | undefined = Schema | undefined,
  R extends RefusalSchemas = RefusalSchemas,
  Kind extends FunctionKind = FunctionKind,
> {
  readonly kind: Kind;
  readonly input: In;
  readonly output: Out;
  readonly refusals: R;
}

/** Functions by name. */
export type Functions = Readonly<Record<string, FunctionContract>>;

/** A service's name and its functions. Tables have no prototype: looking up any text finds a declared name or `undefined`. */
export interface Contract<Name extends string = string, F extends Functions = Functions> {
  readonly name: Name;
  readonly functions: F;
}

interface FunctionOptions<In, Out, R> {
  /** Schema of the argument. */
  readonly input?: In;
  /** Schema of the result; the handler's result is validated by it. */
  readonly output?: Out;
  /** Declared refusals. */
  readonly refusals?: R;
}

/** `T` itself, but closed to inference: what the surrounding `contract` accepts at most must not be taken for what was declared. */
type Declared<T, Bound> = [T] extends [infer U extends Bound] ? U : never;
type Made<In, Out, R, Kind extends FunctionKind> = FunctionContract<
  Declared<In, Schema | undefined>,
  Declared<Out, Schema | undefined>,
  Declared<R, RefusalSchemas>,
  Kind
>;

/** A function that may write. `fn({ input: z.object({ amount: z.number() }), output: z.number() })` */
export function fn<
  In extends Schema | undefined = undefined,
  Out extends Schema | undefined = undefined,
  R extends RefusalSchemas = {},
>(options: FunctionOptions<In, Out, R> = {}): Made<In, Out, R, "fn"> {
  return functionContract("fn", options);
}

/** A function that only reads: its state is read-only, it calls only queries, and it is reachable by GET. */
export function query<
  In extends Schema | undefined = undefined,
  Out extends Schema | undefined = undefined,
  R extends RefusalSchemas = {},
>(options: FunctionOptions<In, Out, R> = {}): Made<In, Out, R, "query"> {
  return functionContract("query", options);
}

function functionContract<In, Out, R extends RefusalSchemas, Kind extends FunctionKind>(
  kind: Kind,
  options: FunctionOptions<In, Out, R>,
): Made<In, Out, R, Kind> {
  for (const side of ["input", "output"] as const) {
    const schema: unknown = options[side];
    if (schema !== undefined && !isSchema(schema))
      throw misconfigured(`the ${side} of a ${kind} is not a Standard Schema`);
  }
  for (const [name, schema] of Object.entries(options.refusals ?? {})) {
    checkKebab("the refusal", name);
    if (!isSchema(schema))
      throw misconfigured(`the data of the refusal "${name}" is not a Standard Schema; noData says none`);
  }
  const made: FunctionContract = {
    kind,
    input: options.input as Schema | undefined,
    output: options.output as Schema | undefined,
    refusals: withoutPrototype<RefusalSchemas>(options.refusals ?? {}),
  };
  return Object.freeze(made) as Made<In, Out, R, Kind>;
}

/**
 * Names a service and its functions. Names start with a small letter; letters, digits and hyphens follow, 64 at most.
 * @throws TidegateError `misconfigured`
 */
export function contract<const Name extends string, const F extends Functions>(
  name: Name,
  functions: F,
): Contract<Name, F> {
  checkName("the service name", name);
  for (const [fnName, declared] of Object.entries(functions)) {
    checkName(`the function name of service "${name}"`, fnName);
    if (declared?.kind !== "fn" && declared?.kind !== "query") {
      throw misconfigured(`function "${fnName}" of service "${name}" must be made by fn() or query()`);
    }
  }
  if (Object.keys(functions).length === 0) throw misconfigured(`service "${name}" has no functions`);
  return Object.freeze({ name, functions: withoutPrototype(functions) });
}

function withoutPrototype<T extends object>(table: T): T {
  return Object.freeze(Object.assign(Object.create(null), table)) as T;
}
