/** Calls of the shop as the demo writes and judges them, checked by the compiler against the contracts. */
import { isDeepStrictEqual } from "node:util";
import type { BatchLine } from "tidegate/client";
import type { Account, Cart, Order, Stock } from "../src/contracts.ts";
import type { Sending } from "./http.ts";

/** One call: a line of a batch, or a request of its own. */
export type Call = BatchLine<readonly [typeof Account, typeof Cart, typeof Order, typeof Stock]>;

/** What a call is answered with: a result, or a declared refusal as `service/refusal`. */
export type Outcome = { readonly result: unknown } | { readonly refusal: string; readonly data: unknown };

/** Queries go by GET, as a browser would send them. */
const QUERIES = new Set(["balance", "contents", "list", "level"]);

/** The call as a request of its own. */
export function requestOf(call: Call, idempotencyKey: string): Sending {
  const path = `/v1/services/${call.service}/${encodeURIComponent(call.key)}/${call.function}`;
  if (!QUERIES.has(call.function)) {
    return { method: "POST", path, idempotencyKey, ...("input" in call ? { body: JSON.stringify(call.input) } : {}) };
  }
  const input =
    "input" in call && call.input !== undefined ? `?input=${encodeURIComponent(JSON.stringify(call.input))}` : "";
  return { method: "GET", path: path + input };
}

interface ProblemBody {
  readonly type: string;
  readonly data?: unknown;
}

/** The outcome in an answer's status and body; undefined for anything that is neither a result nor a refusal. */
export function outcomeOf(status: number, body: unknown): Outcome | undefined {
  if (status === 200) return { result: body };
  const problem = body as ProblemBody;
  const refusal = /^\/problems\/([^/]+\/[^/]+)$/.exec(problem.type)?.[1];
  return status === 409 && refusal !== undefined ? { refusal, data: problem.data ?? null } : undefined;
}

/** Whether two outcomes say the same; when orders were placed is the server's to know. */
export function same(expected: Outcome, actual: Outcome): boolean {
  return isDeepStrictEqual(timeless(expected), timeless(actual));
}

function timeless(outcome: Outcome): Outcome {
  if (!("result" in outcome) || !Array.isArray(outcome.result)) return outcome;
  return { result: outcome.result.map((order: object) => ({ ...order, placedAt: 0 })) };
}
