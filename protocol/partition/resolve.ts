/** Finding the function that a name and key mean, with the errors for those that mean none. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { FunctionContract } from "../../sdk/contract.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { entityKey } from "../state/state-key.ts";
import type { Target } from "../transaction/attempt.ts";

/** A function of every service that clients cannot name: it deletes all state under its key. The service may be one that the app has no more. */
export function eraseTarget(app: AppDefinition, name: string, key: string): Target {
  const known = app.services.get(name);
  const service: ServiceDefinition = {
    contract: known?.contract ?? { name, functions: {} },
    state: known?.state,
    collections: known?.collections ?? [],
    handlers: { [ERASE]: (ctx) => (ctx as { clear(): void }).clear() },
    allow: {},
    // What is erased may be of any version.
    version: Infinity,
    evolve: {},
    evolveEntries: {},
  };
  return { service, name: ERASE, contract: ERASING, key, entity: entityKey(name, key) };
}
const ERASE = "#erase";
const ERASING: FunctionContract = { kind: "fn", input: undefined, output: undefined, refusals: {} };

/** @throws TidegateError `unknown-service` or `unknown-function` */
export function resolveTarget(app: AppDefinition, service: string, key: string, name: string): Target {
  const definition = app.services.get(service);
  if (!definition) throw new TidegateError("unknown-service", `there is no service "${service}"`);
  const contract = definition.contract.functions[name];
  if (!contract) throw new TidegateError("unknown-function", `service "${service}" has no function "${name}"`);
  return { service: definition, name, contract, key, entity: entityKey(service, key) };
}
