/** Calls of the shop as the demo writes and judges them, checked by the compiler against the contracts. */
import { isDeepStrictEqual } from "node:util";
import type { BatchLine } from "tidegate/client";
import type { Account, Cart, Order, Stock } from "../src/contracts.ts";
import type { Sending } from "./http.ts";

/** One call: a line of a batch, or a request of its own. */
export type Call = BatchLine<readonly [typeof Account, typeof Cart, typeof Order, typeof Stock]>;

/** What a call is answered with: a result, or a declared refusal as `service/refusal`. */
export type Outcome = { readonly result: unknown } | { readonly refusal: string; readonly data: unknown };

/** When a call was first sent and last answered, by one monotonic clock. */
export interface Times {
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** Queries go by GET, as a browser would send them. */
const QUERIES = new Set(["balance", "contents", "orders", "level", "read"]);

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

/** Members of an order that are the server's to know: the time, and the revisions of stock. */
const UNTOLD = new Set(["placedAt", "taken", "returned"]);

/** Whether two outcomes say the same of all that can be told beforehand. */
export function same(expected: Outcome, actual: Outcome): boolean {
  return isDeepStrictEqual(told(expected), told(actual));
}

function told(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !UNTOLD.has(name));
  return Object.fromEntries(members.map(([name, member]) => [name, told(member)]));
}
