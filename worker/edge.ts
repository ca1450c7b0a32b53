/** One authenticated request with what handles it: the argument of every endpoint. */
import type { AppDefinition } from "../sdk/app.ts";
import type { Caller } from "../sdk/caller.ts";
import type { Backend } from "./backend.ts";
import type { Door } from "./door/door.ts";

export interface Edge {
  readonly app: AppDefinition;
  readonly door: Door;
  /** Of the caller's domain. */
  readonly backend: Backend;
  readonly request: Request;
  /** Who calls; its id is part of the scope of Idempotency-Keys. */
  readonly caller: Caller;
  /** `traceparent` for partitions, when the request is traced. */
  readonly traceparent?: string | undefined;
  /** Milliseconds since 1970 at which the request came in; where a body is read, at which it was there: see {@link arrived}. */
  readonly startedAt: number;
}

/**
 * The request with its body read. From now on its time counts: what a slow upload took is not missing when the answer is waited for, and an id
 * that is made now is as young as it looks.
 */
export function arrived<E extends Edge>(edge: E): E {
  return { ...edge, startedAt: edge.backend.now() };
}

/** Answers one method of one route. Throws ProblemError or TidegateError for what the caller is to be told. */
export type Endpoint = (edge: Edge) => Response | Promise<Response>;
