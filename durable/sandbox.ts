/** Keeps side effects out of transactions: global `fetch` and timers throw while user code of a transaction is on the call path. */
import { AsyncLocalStorage } from "node:async_hooks";
import { GUARDED_GLOBALS, sideEffect } from "../sdk/side-effects.ts";

const inTransaction = new AsyncLocalStorage<true>();

/** The platform's own, for the shells: taken before the globals are guarded. */
export const platformTimers = {
  setTimeout: globalThis.setTimeout.bind(globalThis),
};

export const platformFetch = globalThis.fetch.bind(globalThis);

const taken = (): unknown => undefined;
let entered = taken;
/** Bound once: to enter a context with a function that it does not know costs the platform more than many a function takes. */
const enter = inTransaction.run(true, () =>
  AsyncLocalStorage.bind(() => {
    const call = entered;
    entered = taken;
    return call();
  }),
);
/** What is bound where modules are loaded, at the start of an isolate, may be called from anywhere; where they are loaded by a request, as in tests, from that one alone. */
let isBound = true;

/** Runs user code of a transaction, and everything asynchronous that it starts. */
export function enclose<T>(call: () => T): T {
  if (!isBound) return inTransaction.run(true, call);
  entered = call;
  try {
    return enter() as T;
  } catch (error) {
    if (entered === taken) throw error;
    isBound = false;
    return inTransaction.run(true, call);
  }
}

function guard(holder: Record<string, unknown>, name: string): void {
  const original = holder[name];
  if (typeof original !== "function") return;
  const guarded = (...args: unknown[]): unknown => {
    if (inTransaction.getStore()) throw sideEffect(name);
    return Reflect.apply(original, holder, args);
  };
  Object.defineProperty(holder, name, { value: guarded, configurable: true, writable: true });
}

let guarded = false;

/** Guards the globals of this isolate, once. Bindings reached through `env` cannot be guarded. */
export function guardGlobals(): void {
  if (guarded) return;
  guarded = true;
  const globals = globalThis as unknown as Record<string, unknown>;
  for (const name of GUARDED_GLOBALS) guard(globals, name);
  const { scheduler } = globals as { scheduler?: Record<string, unknown> };
  if (scheduler) guard(scheduler, "wait");
}
