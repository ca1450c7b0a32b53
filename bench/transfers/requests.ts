/** Requests as a client of the app sends them, each that writes with an Idempotency-Key of its own. */
import type { HttpRequest } from "../lib/http-connection.ts";
import { accountName } from "./accounts.ts";

export const TOKEN = "bench";
const AUTH = `authorization: Bearer ${TOKEN}\r\n`;
const JSON_TYPE = "content-type: application/json\r\n";
const NDJSON_TYPE = "content-type: application/x-ndjson\r\n";

let keys = 0;

function idempotencyKey(): string {
  return `idempotency-key: "key-${keys++}"\r\n`;
}

export function batchRequest(body: Buffer): HttpRequest {
  return { path: "/v1/batch", headers: AUTH + NDJSON_TYPE + idempotencyKey(), body };
}

/** Queries; they need no Idempotency-Key, and under one each answer would be recorded. */
export function queriesRequest(body: string): HttpRequest {
  return { path: "/v1/batch", headers: AUTH + NDJSON_TYPE, body };
}

export function transferRequest(from: number, to: number, amount: number): HttpRequest {
  return {
    path: `/v1/services/account/${accountName(from)}/transfer`,
    headers: AUTH + JSON_TYPE + idempotencyKey(),
    body: `{"to":"${accountName(to)}","amount":${amount}}`,
  };
}

/** A call of one function; one that writes has an Idempotency-Key. */
export function callRequest(account: number, name: string, body: string, writes = false): HttpRequest {
  const headers = AUTH + JSON_TYPE + (writes ? idempotencyKey() : "");
  return { path: `/v1/services/account/${accountName(account)}/${name}`, headers, body };
}

/** A call of the hand-written object: one durable row write, or nothing. */
export function bareRequest(account: number, method: "deposit" | "nothing"): HttpRequest {
  return { path: `/accounts/${accountName(account)}/${method}`, headers: JSON_TYPE, body: '{"amount":1}' };
}
