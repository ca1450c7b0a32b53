/** A client over a service binding: the same requests, by calls between Workers and not over HTTP. */

import type { ClientOptions } from "./types.ts";
import { unlessAborted } from "./watch.ts";

/** One request, as the binding's method takes it. */
export interface BoundRequest {
  readonly method: string;
  /** With its leading slash and its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes: a text with letters beyond Latin-1 would take two for each of them, and calls have a limit of bytes. */
  readonly body?: string | Uint8Array;
}

/** A service binding to the entrypoint that an app exports as `Services`. */
export interface Binding {
  ask(request: BoundRequest): Promise<Response>;
}

/** A `fetch` that asks a binding. A call cannot be taken back: when the signal aborts nobody waits for it any more. */
export function fetchThrough(binding: Binding): NonNullable<ClientOptions["fetch"]> {
  return async (path, { method = "GET", headers, body, signal }) => {
    signal?.throwIfAborted();
    const request = { method, path, headers: headers as Record<string, string> };
    return unlessAborted(
      binding.ask(typeof body === "string" ? { ...request, body: new TextEncoder().encode(body) } : request),
      signal,
    );
  };
}
