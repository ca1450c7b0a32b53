/** Invocation frames: what the edge sends to a partition, one row per transaction to run. */
import type { TableSpec } from "../../core-wasm/types.ts";

export const INVOKE: TableSpec = { kind: 1, version: 1, columns: 4, fields: 5 };

export const INVOKE_COLUMN = { line: 0, flags: 1, fingerprintLow: 2, fingerprintHigh: 3 } as const;
export const INVOKE_FIELD = { requestId: 0, service: 1, key: 2, function: 3, input: 4 } as const;

export const INVOKE_FLAG = {
  /** The request id comes from a client's Idempotency-Key: its result is kept for the long retention. */
  clientId: 1,
  /** It came by GET: anything but a query is refused. */
  queryOnly: 2,
  /** May be stale and takes no locks. */
  snapshot: 4,
  /** One-way: answered with 202 and the message's id once the message is durable; it runs as a transaction of its own. */
  oneWay: 8,
  /** Deletes all state under the key, whatever the function's name. Only administration sets it: no route for clients does. */
  erase: 16,
  /** Service and function are the engine's own or come with it, and the input is what they take. Only what the edge itself asks for has it. */
  internal: 32,
  /** With `oneWay`: the input begins with a line that says when, `+` and milliseconds from now, or `=` and milliseconds since 1970. */
  delayed: 64,
  /** With `snapshot`: the fingerprint, of which a query has no other use, is an epoch that it must not be older than: count, generation. */
  notBefore: 256,
} as const;

/** Length of every request id in characters. Edge ids are `e` + 11 hex digits of milliseconds + 12 random + 8 of the line; client ids are `c` + 31. */
export const REQUEST_ID_LENGTH = 32;

/** Whether an id comes from an Idempotency-Key; else it is an edge's, a message's or a partition's own. */
export function isClientId(requestId: string): boolean {
  return requestId.charCodeAt(0) === 0x63;
}

/** Whether the edge made it for a request that came without one. */
export function isEdgeId(requestId: string): boolean {
  return requestId.charCodeAt(0) === 0x65;
}

/** Milliseconds at which the edge issued this id, or null for one that carries no time. */
export function issuedAt(requestId: string): number | null {
  return isEdgeId(requestId) ? Number.parseInt(requestId.slice(1, 12), 16) : null;
}

/** Of an edge id: what all lines of its batch have in common, a lone request being line 1 of its own. */
export function originOf(requestId: string): string {
  return requestId.slice(0, ORIGIN_LENGTH);
}
const ORIGIN_LENGTH = 24;

/** Of an edge id. */
export function lineOf(requestId: string): number {
  return Number.parseInt(requestId.slice(ORIGIN_LENGTH), 16);
}

/** Whether an edge id is that of a batch for certain: it is not line 1. */
export function isBatchLine(requestId: string): boolean {
  return !requestId.endsWith("00000001");
}
