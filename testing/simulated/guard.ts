/** Keeps side effects out of transactions, as workerd's shell does, so that a function that tries one fails here already. */
import { AsyncLocalStorage } from "node:async_hooks";
import { GUARDED_GLOBALS, sideEffect } from "../../sdk/side-effects.ts";

const inTransaction = new AsyncLocalStorage<true>();

/** Runs user code of a transaction, and everything asynchronous that it starts. */
export function enclose<T>(call: () => T): T {
  return inTransaction.run(true, call);
}

let guarded = false;

/** Guards the globals of this process, once. They stay as they are for everybody but functions. */
export function guardGlobals(): void {
  if (guarded) return;
  guarded = true;
  for (const name of GUARDED_GLOBALS) guard(globalThis as unknown as Record<string, unknown>, name);
}

function guard(holder: Record<string, unknown>, name: string): void {
  const original = holder[name];
  if (typeof original !== "function") return;
  const guardedOne = (...args: unknown[]): unknown => {
    if (inTransaction.getStore()) throw sideEffect(name);
    return Reflect.apply(original, holder, args);
  };
  // Timers of Node have members, such as what `promisify` makes of them.
  Object.defineProperties(guardedOne, Object.getOwnPropertyDescriptors(original));
  Object.defineProperty(holder, name, { value: guardedOne, configurable: true, writable: true });
}
