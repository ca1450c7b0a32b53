/** One authenticated request with what handles it: the argument of every endpoint. */
import type { AppDefinition } from "../sdk/app.ts";
import type { Backend } from "./backend.ts";

export interface Edge {
  readonly app: AppDefinition;
  readonly backend: Backend;
  readonly request: Request;
  /** Who calls; part of the scope of Idempotency-Keys. */
  readonly caller: string;
  /** Milliseconds since 1970 at which the request came in. */
  readonly startedAt: number;
}

/** Answers one method of one route. Throws ProblemError or TidegateError for what the caller is to be told. */
export type Endpoint = (edge: Edge) => Response | Promise<Response>;
