/** Services: the handlers behind a contract, checked against it by the compiler and again at start-up. */

import type { Allow } from "./caller.ts";
import type { CollectionSpecs } from "./collection.ts";
import type { FnContext, QueryContext } from "./context.ts";
import type { Contract, FunctionContract } from "./contract.ts";
import { type Duration, milliseconds } from "./duration.ts";
import { checkRule } from "./door.ts";
import { misconfigured } from "./errors.ts";
import type { InputOf, ResultOf } from "./infer.ts";
import { MESSAGE_ATTEMPTS_MAX, STATE_VERSION_MAX } from "./limits.ts";
import { type ScheduleDefinition, type Schedules, schedulesOf } from "./schedule.ts";
import { checkField } from "./names.ts";

/** The handler of one function: sync or async; its context knows the function's own refusals. */
export type Handler<F extends FunctionContract, S, Cols extends CollectionSpecs> = (
  ctx: F["kind"] extends "query" ? QueryContext<S, Cols, F["refusals"]> : FnContext<S, Cols, F["refusals"]>,
  input: InputOf<F>,
) => ResultOf<F> | Promise<ResultOf<F>>;

/** One handler for each function of the contract, no more, no fewer. */
export type Handlers<C extends Contract, S, Cols extends CollectionSpecs> = {
  readonly [N in keyof C["functions"]]: Handler<C["functions"][N], S, Cols>;
};

export interface ServiceOptions<S, Cols extends CollectionSpecs, C extends Contract = Contract> {
  /** Makes the state of a key that has none. Without it there is no `ctx.state`. */
  readonly state?: () => S;
  readonly collections?: Cols;
  /** Of the state's form, 1 by default: one more with each change that old state does not fit, and never less. */
  readonly version?: number;
  /**
   * How state of the version before becomes that of this one, by version: `evolve: { 2: (old: { name: string }) => ({ names: [old.name] }) }`. It is run
   * when a key's state is next read, and must be synchronous and depend on nothing else. All versions from 2 on are needed, for as long as older state
   * may be stored.
   */
  readonly evolve?: Readonly<Record<number, Upcaster>>;
  /** The same for the entries of collections; versions that are not there leave them as they are. */
  readonly evolveEntries?: { readonly [N in keyof Cols]?: Readonly<Record<number, Upcaster>> };
  /**
   * Deletes what is under a key when it has not been written, or not been used, for so long: `{ after: "write", duration: "30d" }`. From that
   * very moment on nobody sees it any more. What a use is: every function that looks at the state, queries too, which then lock like those
   * that write.
   */
  readonly ttl?: { readonly after: "write" | "use"; readonly duration: Duration };
  /** Who may call from outside; without it the owner alone. Calls and messages of other functions are not asked about. */
  readonly allow?: Allow;
  /** What is otherwise for single functions: `functions: { balance: { allow: everyone } }`. */
  readonly functions?: { readonly [N in keyof C["functions"]]?: FunctionOptions };
  /** What becomes of messages to this service that fail. */
  readonly messages?: MessageOptions;
  /** Messages to itself that recur, by name. */
  readonly schedules?: Schedules<C>;
}

/** Makes a value of one version out of one of the version before. Say what the old one was: `(old: { name: string }) => …`. */
export type Upcaster = (old: never) => unknown;

/** What a service says of one of its functions. */
export interface FunctionOptions {
  /** In the place of the service's rule. */
  readonly allow?: Allow;
}

/** How long state lives, by `ctx.now()` of what writes or uses it. */
export interface TimeToLive {
  readonly after: "write" | "use";
  readonly ms: number;
}

export interface MessageOptions {
  /** Tries, the first included, after which a message that fails is a dead letter: 1 to 20, default 10. */
  readonly maxAttempts?: number;
}

/** A handler as the engine calls it, with a context and an input that `service` checked against the contract. */
export type UntypedHandler = (ctx: unknown, input: unknown) => unknown;

/** A service as the engine sees it. `handlers` has no prototype. */
export interface ServiceDefinition<C extends Contract = Contract> {
  readonly contract: C;
  readonly state: (() => unknown) | undefined;
  readonly collections: readonly string[];
  readonly handlers: Readonly<Record<string, UntypedHandler>>;
  readonly version: number;
  /** From 2 to `version`; empty without a state. */
  readonly evolve: Readonly<Record<number, Upcaster>>;
  /** By collection, without a prototype. */
  readonly evolveEntries: Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;
  /** Rules by function, without a prototype; what has none is the owner's alone. */
  readonly allow: Readonly<Record<string, Allow>>;
  readonly ttl?: TimeToLive | undefined;
  /** Undefined: as the engine has it. */
  readonly messageAttempts?: number | undefined;
  readonly schedules?: readonly ScheduleDefinition[];
  /** What handlers of the engine's own are given in the place of a user's context; undefined for all that are written like an app's. */
  readonly given?: "machine" | "flow";
}

/**
 * Implements a contract: `service(Account, { state: () => ({ balance: 0 }) }, { deposit(ctx, { amount }) { … } })`.
 * @throws TidegateError `misconfigured` for a missing or unknown handler.
 */
export function service<C extends Contract, S = undefined, Cols extends CollectionSpecs = {}>(
  contract: C,
  options: ServiceOptions<S, Cols, C>,
  // Not to infer from: else the literal that a handler returns is taken for any text before the contract is asked.
  handlers: NoInfer<Handlers<C, S, Cols>>,
): ServiceDefinition<C> {
  const name = contract.name;
  const declared = Object.keys(contract.functions);
  for (const fnName of declared) {
    if (!Object.hasOwn(handlers, fnName)) throw misconfigured(`service "${name}" has no handler for "${fnName}"`);
  }
  const table: Record<string, UntypedHandler> = Object.create(null);
  for (const [fnName, handler] of Object.entries<unknown>(handlers)) {
    if (!declared.includes(fnName))
      throw misconfigured(`the contract of service "${name}" has no function "${fnName}"`);
    if (typeof handler !== "function")
      throw misconfigured(`the handler "${fnName}" of service "${name}" is not a function`);
    table[fnName] = handler as UntypedHandler;
  }
  if (options.state !== undefined && typeof options.state !== "function") {
    throw misconfigured(`the state of service "${name}" must be a function that makes the initial value`);
  }
  const collections = Object.keys(options.collections ?? {});
  for (const collectionName of collections) checkField(`the collection of service "${name}"`, collectionName);
  return Object.freeze({
    contract,
    state: options.state,
    collections: Object.freeze(collections),
    handlers: Object.freeze(table),
    ...versionsOf(name, collections, options),
    ttl: timeToLive(name, options.ttl),
    allow: rulesOf(name, declared, options),
    messageAttempts: attemptsOf(name, options.messages),
    schedules: Object.freeze(schedulesOf(contract, options.schedules ?? {})),
  });
}

/** What the options say of versions, whatever the types of state and collections. */
interface VersionOptions {
  readonly version?: number;
  readonly state?: () => unknown;
  readonly evolve?: Readonly<Record<number, Upcaster>>;
  readonly evolveEntries?: Readonly<Record<string, Readonly<Record<number, Upcaster>> | undefined>>;
}

/** Of a service whose state has never changed its form. */
export const FIRST_VERSION: Pick<ServiceDefinition, "version" | "evolve" | "evolveEntries"> = Object.freeze({
  version: 1,
  evolve: {},
  evolveEntries: {},
});

function versionsOf(
  owner: string,
  collections: readonly string[],
  { version = 1, evolve = {}, evolveEntries = {}, state }: VersionOptions,
): Pick<ServiceDefinition, "version" | "evolve" | "evolveEntries"> {
  if (!Number.isInteger(version) || version < 1 || version > STATE_VERSION_MAX)
    throw misconfigured(`the version of service "${owner}" is a whole number from 1 to ${STATE_VERSION_MAX}`);
  checkSteps(`evolve of service "${owner}"`, evolve, version);
  if (state !== undefined) {
    for (let next = 2; next <= version; next++) {
      if (evolve[next] === undefined)
        throw misconfigured(`service "${owner}" has version ${version}, and evolve has no step to ${next}`);
    }
  }
  const entries: Record<string, Readonly<Record<number, Upcaster>>> = Object.create(null);
  for (const [name, steps = {}] of Object.entries(evolveEntries)) {
    if (!collections.includes(name)) throw misconfigured(`service "${owner}" has no collection "${name}" to evolve`);
    checkSteps(`evolveEntries of "${name}" of service "${owner}"`, steps, version);
    entries[name] = Object.freeze({ ...steps });
  }
  return { version, evolve: Object.freeze({ ...evolve }), evolveEntries: Object.freeze(entries) };
}

function checkSteps(what: string, steps: Readonly<Record<number, Upcaster>>, version: number): void {
  for (const [next, step] of Object.entries(steps)) {
    if (!(Number.isInteger(Number(next)) && Number(next) >= 2 && Number(next) <= version))
      throw misconfigured(`${what} has a step to ${next}; there are those from 2 to the version, ${version}`);
    if (typeof step !== "function") throw misconfigured(`${what} to ${next} is not a function`);
  }
}

function timeToLive(name: string, ttl: ServiceOptions<unknown, {}>["ttl"]): TimeToLive | undefined {
  if (ttl === undefined) return undefined;
  const { after, duration } = ttl;
  if (after !== "write" && after !== "use") {
    throw misconfigured(`the time to live of service "${name}" is after "write" or "use"`);
  }
  const ms = milliseconds(duration, `the time to live of service "${name}"`);
  if (ms === 0) throw misconfigured(`the time to live of service "${name}" must be more than 0`);
  return Object.freeze({ after, ms });
}

function rulesOf(
  owner: string,
  declared: readonly string[],
  { allow, functions = {} }: Pick<ServiceOptions<unknown, {}>, "allow" | "functions">,
): Readonly<Record<string, Allow>> {
  const table: Record<string, Allow> = Object.create(null);
  if (allow !== undefined) {
    checkRule(`service "${owner}"`, allow);
    for (const name of declared) table[name] = allow;
  }
  for (const [name, { allow: own } = {} as FunctionOptions] of Object.entries(functions)) {
    if (!declared.includes(name)) throw misconfigured(`the contract of service "${owner}" has no function "${name}"`);
    if (own === undefined) continue;
    checkRule(`"${name}" of service "${owner}"`, own);
    table[name] = own;
  }
  return Object.freeze(table);
}

function attemptsOf(serviceName: string, messages: MessageOptions | undefined): number | undefined {
  const attempts = messages?.maxAttempts;
  if (attempts === undefined) return undefined;
  if (Number.isInteger(attempts) && attempts >= 1 && attempts <= MESSAGE_ATTEMPTS_MAX) return attempts;
  throw misconfigured(
    `messages.maxAttempts of service "${serviceName}" is a whole number from 1 to ${MESSAGE_ATTEMPTS_MAX}`,
  );
}
