/**
 * Whose user code is being called. Services are made once for all worlds, so a function asks here, synchronously when it is called, who
 * called it; it must keep the answer, since others are called while it waits.
 */
import { isThenable } from "../../protocol/execution/thenable.ts";
import type { ServiceDefinition, UntypedHandler } from "../../sdk/service.ts";

export interface FunctionHost {
  /** Functions that were called and have not returned. */
  functions: number;
  /** One was called in this turn: what follows when it returns is promises too. */
  called: boolean;
  pause(ms: number): Promise<void>;
  /** Milliseconds since 1970 by no clock that is off. */
  readonly trueMs: number;
  /** A number above all before it, for whoever asks in turn. */
  nextOrder(): number;
  /** Id of the request whose function runs on that key: of a message its own. */
  requestOf(service: string, key: string): string;
  /** Ends this instance, as a function does that takes all memory. @param who does, to be counted */
  kill(who: string): void;
}

let caller: FunctionHost | undefined;

export function callFrom<T>(host: FunctionHost, call: () => T): T {
  const before = caller;
  caller = host;
  host.called = true;
  try {
    return call();
  } finally {
    caller = before;
  }
}

/** @throws when no engine is calling */
export function functionHost(): FunctionHost {
  if (!caller) throw new Error("a simulated function was called by no engine");
  return caller;
}

/** Runs a function so that its engine knows that it has not returned. */
export async function counted<T>(body: (host: FunctionHost) => Promise<T>, host = functionHost()): Promise<T> {
  host.functions += 1;
  try {
    return await body(host);
  } finally {
    host.functions -= 1;
  }
}

/** A service whose functions are counted, whoever wrote them, while they wait for calls: only then does a turn end behind what they do. */
export function countedService(service: ServiceDefinition): ServiceDefinition {
  const handlers = Object.assign(Object.create(null), service.handlers) as Record<string, UntypedHandler>;
  for (const [name, handler] of Object.entries(service.handlers)) {
    handlers[name] = (ctx, input) => {
      const host = functionHost();
      const result = handler(ctx, input);
      if (!isThenable(result)) return result;
      return counted(() => Promise.resolve(result), host);
    };
  }
  return { ...service, handlers };
}
