/** Finding the function that a name and key mean, with the errors for those that mean none. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { FunctionContract } from "../../sdk/contract.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { entityKey } from "../state/state-key.ts";
import { CANCEL, FIRE, INTERNAL_FN, timersService } from "../timers/service.ts";
import { TIMERS, timersOf } from "../timers/timer.ts";
import { INVOKE_FLAG } from "../wire/invoke.ts";
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

/** What a request asks for. @throws TidegateError `unknown-service` or `unknown-function` */
export function requestTarget(app: AppDefinition, flags: number, service: string, key: string, name: string): Target {
  if ((flags & INVOKE_FLAG.erase) !== 0) return eraseTarget(app, service, key);
  return (
    ((flags & INVOKE_FLAG.cancel) !== 0 ? internalTarget(TIMERS, key, CANCEL) : null) ??
    resolveTarget(app, service, key, name)
  );
}

/** What only the engine asks for. No app has services of such names. */
const INTERNAL: ReadonlyMap<string, ServiceDefinition> = new Map([[TIMERS, timersService]]);

/** A function of the engine's own. */
export function internalTarget(service: string, key: string, name: string): Target | null {
  const definition = INTERNAL.get(service);
  const contract = definition?.contract.functions[name];
  if (!definition || !contract) return null;
  return { service: definition, name, contract, key, entity: entityKey(service, key) };
}

/** Makes messages of the delayed ones of a key that are due. */
export function firing(key: string): Target {
  return { service: timersService, name: FIRE, contract: INTERNAL_FN, key, entity: timersOf(key) };
}

/** Whether a service's functions are called with the engine's own context. */
export function isInternal({ contract }: ServiceDefinition): boolean {
  return INTERNAL.has(contract.name);
}

/** A function of the app, as clients may name it. @throws TidegateError `unknown-service` or `unknown-function` */
export function resolveTarget(app: AppDefinition, service: string, key: string, name: string): Target {
  const definition = app.services.get(service);
  if (!definition) throw new TidegateError("unknown-service", `there is no service "${service}"`);
  const contract = definition.contract.functions[name];
  if (!contract) throw new TidegateError("unknown-function", `service "${service}" has no function "${name}"`);
  return { service: definition, name, contract, key, entity: entityKey(service, key) };
}
