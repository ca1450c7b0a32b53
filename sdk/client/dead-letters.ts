/** What a client can do about messages that failed for good. */

import { exact } from "../exact.ts";
import { searchOf } from "./search.ts";
import type { Transport } from "./transport.ts";

export interface DeadLetterOptions {
  /** The request's identity: asked again, it is answered the same. Default: a new random one per call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** A message that failed for good. Times are in ms since 1970. */
export interface DeadLetter {
  readonly id: string;
  /** The id that it had as a message. */
  readonly message: string;
  /** Who sent it; null where it came over HTTP or was sent again. */
  readonly from: { readonly service: string; readonly key: string } | null;
  readonly service: string;
  readonly key: string;
  readonly function: string;
  readonly input?: unknown;
  /** Length of an input that is too long to be shown. */
  readonly inputLength?: number;
  readonly at: number;
  readonly attempts: ReadonlyArray<{
    readonly at: number;
    readonly status: number;
    readonly type: string;
    readonly error: string;
  }>;
}

export interface DeadLetterPage {
  /** Oldest first. */
  readonly letters: readonly DeadLetter[];
  /** Cursor of the next page, when there may be one. */
  readonly next?: string;
}

export interface DeadLettersClient {
  list(options?: {
    readonly limit?: number;
    readonly cursor?: string;
    readonly signal?: AbortSignal;
  }): Promise<DeadLetterPage>;
  /** Sends one again and takes it from the list: both, once. */
  redrive(id: string, options?: DeadLetterOptions): Promise<void>;
  delete(id: string, options?: DeadLetterOptions): Promise<void>;
}

export function deadLettersClient(transport: Transport, service: string): DeadLettersClient {
  const path = (id: string): string => `/v1/dead-letters/${encodeURIComponent(id)}`;
  return {
    list({ limit, cursor, signal } = {}) {
      const search = searchOf({ limit, cursor });
      const call = { method: "GET", path: path(service) + search, signal } as const;
      return transport.send(call, (response) => response.json() as Promise<DeadLetterPage>);
    },
    redrive: (id, options) => act(transport, "POST", `${path(id)}/redrive`, options),
    delete: (id, options) => act(transport, "DELETE", path(id), options),
  };
}

/** An event that an end of a flow did not take. Times are in ms since 1970. */
export interface FlowDeadLetter {
  readonly id: number;
  readonly event: {
    readonly at: number;
    /** The end: a queue's or webhook's name, or `service.function`. */
    readonly sink: string;
    /** Of a service: the key that was called, and how it refused. */
    readonly key?: string;
    readonly refusal?: { readonly name: string; readonly data?: unknown };
    /** Of a queue or a webhook: why it could not be delivered. */
    readonly error?: { readonly type: string; readonly message: string };
    /** Whole numbers beyond 2^53 are bigint. */
    readonly event: Readonly<Record<string, unknown>>;
  };
}

export interface FlowDeadLettersClient {
  /** Oldest first. @param options.after the last id that is known */
  list(options?: {
    readonly limit?: number;
    readonly after?: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly FlowDeadLetter[]>;
  /** Gives one to its end again and takes it from the list: both, once. @throws RefusalError when a service refuses it again */
  redrive(id: number, options?: DeadLetterOptions): Promise<void>;
  delete(id: number, options?: DeadLetterOptions): Promise<void>;
}

export function flowDeadLettersClient(transport: Transport, flow: string): FlowDeadLettersClient {
  const path = `/v1/flows/${flow}/dead-letters`;
  return {
    list({ limit, after = -1, signal } = {}) {
      const call = { method: "GET", path: path + searchOf({ after, limit }), signal } as const;
      return transport.send(
        call,
        async (response) =>
          (JSON.parse(await response.text(), exact) as { readonly events: readonly FlowDeadLetter[] }).events,
      );
    },
    redrive: (id, options) => act(transport, "POST", `${path}/${id}/redrive`, options),
    delete: (id, options) => act(transport, "DELETE", `${path}/${id}`, options),
  };
}

async function act(
  transport: Transport,
  method: "POST" | "DELETE",
  path: string,
  { idempotencyKey, signal }: DeadLetterOptions = {},
): Promise<void> {
  const key = idempotencyKey ?? crypto.randomUUID();
  await transport.send({ method, path, idempotencyKey: key, signal }, (response) => response.text());
}
