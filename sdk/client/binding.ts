/** A client over a service binding: the same requests, by calls between Workers and not over HTTP. */

import type { ClientOptions } from "./types.ts";

/** One request, as the binding's method takes it. */
export interface BoundRequest {
  readonly method: string;
  /** With its leading slash and its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A service binding to the entrypoint that an app exports as `Services`. */
export interface Binding {
  ask(request: BoundRequest): Promise<Response>;
}

/** A `fetch` that asks a binding. A call cannot be taken back: when the signal aborts nobody waits for it any more. */
export function fetchThrough(binding: Binding): NonNullable<ClientOptions["fetch"]> {
  return (path, { method = "GET", headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const stop = (): void => reject(signal?.reason);
      if (signal?.aborted === true) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      const request = { method, path, headers: headers as Record<string, string> };
      const asked = binding.ask(typeof body === "string" ? { ...request, body } : request);
      asked.then(resolve, reject).finally(() => signal?.removeEventListener("abort", stop));
    });
}
