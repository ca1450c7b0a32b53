/** Services that come with the engine. They are written like an app's own, under names that no app can have, and no route for services leads to them. */

import { type Contract, fn, type FunctionContract, type Functions } from "../contract.ts";
import type { Schema } from "../schema.ts";
import { FIRST_VERSION, type Handlers, type ServiceDefinition, type UntypedHandler } from "../service.ts";

const made = new WeakSet<Contract>();

/** @param name begins with `#` */
export function builtinContract<const Name extends `#${string}`, const F extends Functions>(
  name: Name,
  functions: F,
): Contract<Name, F> {
  const contract = Object.freeze({ name, functions: Object.freeze(Object.assign(Object.create(null), functions)) });
  made.add(contract);
  return contract as Contract<Name, F>;
}

/**
 * A function that this code need not know: other code may. What is sent to it is tried, and a dead letter in the end, like all that is sent to what is
 * not known. Only the engine makes these: what users send has to be known.
 */
export function addressOf(service: string, name: string): Contract {
  const contract = Object.freeze({ name: service, functions: Object.freeze({ [name]: fn() }) });
  made.add(contract);
  addresses.add(contract);
  return contract;
}
const addresses = new WeakSet<Contract>();

export function isAddress(contract: Contract): boolean {
  return addresses.has(contract);
}

/** Whether a contract is one of these, and not just data of such a name. */
export function isBuiltin(contract: Contract): boolean {
  return made.has(contract);
}

export function builtinService<C extends Contract, S>(
  contract: C,
  state: () => S,
  handlers: Handlers<C, S, {}>,
): ServiceDefinition<C> {
  const table = Object.assign(Object.create(null), handlers) as Record<string, UntypedHandler>;
  // No rule: the owner alone, by routes of their own.
  const allow = Object.freeze(Object.create(null)) as ServiceDefinition["allow"];
  return Object.freeze({ contract, state, collections: [], handlers: Object.freeze(table), ...FIRST_VERSION, allow });
}

/** For what the engine itself writes and reads. */
export function anything<T>(): Schema<T, T> {
  return { "~standard": { version: 1, vendor: "tidegate", validate: (value) => ({ value: value as T }) } };
}

export type { FunctionContract };
