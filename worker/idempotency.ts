/** Request ids: from a client's Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header), or made here so that our own retries are safe. */
import { createHash, type Hash } from "node:crypto";
import { REQUEST_ID_LENGTH } from "../protocol/wire/invoke.ts";
import { invariant } from "../protocol/assert.ts";
import { LIMITS } from "./limits.ts";
import { refuse } from "./problems.ts";

/** A structured-field string (RFC 9651, section 3.3.3), and parameters, which are ignored. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"(?: *;[ -~]*)?$/;

/** The unquoted key; null when the request has none. @throws ProblemError `invalid-idempotency-key` */
export function idempotencyKey(request: Request): string | null {
  const header = request.headers.get("idempotency-key");
  if (header === null) return null;
  const quoted = QUOTED.exec(header)?.[1];
  if (quoted === undefined) {
    throw refuse(
      "invalid-idempotency-key",
      'it is one string of printable ASCII in double quotes, e.g. Idempotency-Key: "order-17"',
    );
  }
  const key = quoted.replace(/\\(.)/g, "$1");
  if (key.length === 0 || key.length > LIMITS.idempotencyKeyChars) {
    throw refuse("invalid-idempotency-key", `it has 1 to ${LIMITS.idempotencyKeyChars} characters`);
  }
  return key;
}

/** SHA-256 of what makes two uses of one Idempotency-Key the same request: parts cannot run into each other. */
function scopeHash(parts: readonly string[]): Hash {
  // Synchronous: for a few bytes WebCrypto's promise costs more than the hash.
  return createHash("sha256").update(JSON.stringify(parts));
}

/** `c` and 31 hex digits, from caller, method, path with its decoded key, and Idempotency-Key. */
export function clientRequestId(caller: string, method: string, path: readonly string[], key: string): string {
  const digits = scopeHash([caller, method, ...path, key]).digest("hex");
  const id = `c${digits.slice(0, REQUEST_ID_LENGTH - 1)}`;
  invariant(id.length === REQUEST_ID_LENGTH, "a client's request id has the wrong length");
  return id;
}

/** 16 bytes from which the kernels derive the ids of a batch's lines. */
export function clientBatchScope(caller: string, method: string, path: readonly string[], key: string): Uint8Array {
  return new Uint8Array(scopeHash([caller, method, ...path, key]).digest()).slice(0, 16);
}

/** First 24 characters of an edge's ids: `e`, 11 hex digits of milliseconds, 12 random ones. */
export function edgeIdPrefix(now: number, uuid: string): string {
  const prefix = `e${now.toString(16).padStart(11, "0")}${uuid.slice(0, 8)}${uuid.slice(9, 13)}`;
  invariant(prefix.length === EDGE_PREFIX_LENGTH, "an edge id's prefix has the wrong length");
  return prefix;
}
const EDGE_PREFIX_LENGTH = 24;

/** The id of a request that comes alone, as line 1 of a batch would have it. */
export function edgeRequestId(now: number, uuid: string): string {
  return `${edgeIdPrefix(now, uuid)}00000001`;
}
