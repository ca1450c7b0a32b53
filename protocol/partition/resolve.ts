/** Finding the function that a name and key mean, with the errors for those that mean none. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { Contract, FunctionContract } from "../../sdk/contract.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { TidegateError } from "../../sdk/errors.ts";
import type { ProblemType } from "../../sdk/problems.ts";
import { entityKey } from "../state/state-key.ts";
import { DEAD } from "../outbox/dead-letter.ts";
import { deadService } from "../outbox/dead-letters.ts";
import { timersService } from "../timers/service.ts";
import { TIMERS } from "../timers/timer.ts";
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
/** A function of every service that only a partition asks for: it deletes what has expired under its key. */
export function expiryTarget(service: ServiceDefinition, key: string): Target {
  const expiring = { ...service, handlers: { [EXPIRE]: (ctx: unknown) => (ctx as { expire(): void }).expire() } };
  return { service: expiring, name: EXPIRE, contract: ERASING, key, entity: entityKey(service.contract.name, key) };
}
const EXPIRE = "#expire";
const ERASE = "#erase";
const ERASING: FunctionContract = { kind: "fn", input: undefined, output: undefined, refusals: {} };

/** What a request asks for. @throws TidegateError `unknown-service` or `unknown-function` */
export function requestTarget(app: AppDefinition, flags: number, service: string, key: string, name: string): Target {
  if ((flags & INVOKE_FLAG.erase) !== 0) return eraseTarget(app, service, key);
  return (flags & INVOKE_FLAG.internal) !== 0
    ? resolveAny(app, service, key, name)
    : resolveTarget(app, service, key, name);
}

/** What only the engine asks for. No app has services of such names. */
const INTERNAL: ReadonlyMap<string, ServiceDefinition> = new Map([
  [TIMERS, timersService],
  [DEAD, deadService],
]);

/** A function of the engine's own. */
function internalTarget(service: string, key: string, name: string): Target | null {
  const definition = INTERNAL.get(service);
  const contract = definition?.contract.functions[name];
  if (!definition || !contract) return null;
  return { service: definition, name, contract, key, entity: entityKey(service, key) };
}

/** As the engine itself may name it. @throws TidegateError `unknown-service` or `unknown-function` */
export function resolveAny(app: AppDefinition, service: string, key: string, name: string): Target {
  return (
    internalTarget(service, key, name) ??
    functionOf(app.services.get(service) ?? app.builtins.get(service), service, key, name)
  );
}

/** A function of the app, as clients may name it. @throws TidegateError `unknown-service` or `unknown-function` */
export function resolveTarget(app: AppDefinition, service: string, key: string, name: string): Target {
  return functionOf(app.services.get(service), service, key, name);
}

function functionOf(definition: ServiceDefinition | undefined, service: string, key: string, name: string): Target {
  if (!definition) throw unknownService(service);
  const declared = functionsOf(definition.contract).get(name);
  if (!declared) throw new TidegateError("unknown-function", `service "${service}" has no function "${name}"`);
  const { name: own, contract } = declared;
  return { service: definition, name: own, contract, key, entity: entityKey(service, key) };
}

type Declared = Pick<Target, "name" | "contract">;
const functions = new WeakMap<Contract, ReadonlyMap<string, Declared>>();

/**
 * By name, with the name as the contract has it. To look a member of an object up by a text that was just decoded, V8 looks for that text among all
 * that it knows first, which cost more than anything else of resolving; so it does for the handler of that name.
 */
function functionsOf(contract: Contract): ReadonlyMap<string, Declared> {
  let known = functions.get(contract);
  if (known === undefined) {
    const entries = Object.entries(contract.functions);
    known = new Map(entries.map(([name, declared]) => [name, { name, contract: declared }]));
    functions.set(contract, known);
  }
  return known;
}

function unknownService(service: string): TidegateError {
  if (!service.startsWith("#saga.")) return new TidegateError("unknown-service", `there is no service "${service}"`);
  return new TidegateError(
    UNKNOWN_SAGA,
    `the app has no saga "${service.slice(6)}"; list it in tidegate({ sagas: [...] })`,
  );
}
/** What a saga that the app does not list is told of with: it may be one that was taken out of the code. */
export const UNKNOWN_SAGA: ProblemType = "misconfigured";
