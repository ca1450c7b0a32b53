/** Who may call: a bearer token (RFC 6750) compared in constant time; without a configured secret nobody. */
import { problemOf } from "../sdk/problems.ts";
import { ProblemError } from "./problems.ts";

/** The one caller there is as long as there is one token. Part of the scope of Idempotency-Keys, and so not the secret, which may be rotated. */
export const CALLER = "owner";

const SCHEME = "bearer ";
const encoder = new TextEncoder();

/** Node has no such method; workerd does. */
interface TimingSafe {
  timingSafeEqual?(a: Uint8Array, b: Uint8Array): boolean;
}
const subtle = crypto.subtle as unknown as TimingSafe;

/** @returns the caller. @throws ProblemError `unauthorized` */
export function authenticate(request: Request, token: string | undefined): string {
  check(request, token, "TIDEGATE_TOKEN", "so everything but /health is closed");
  return CALLER;
}

/** Who administers a domain may read and replace all of it, and so needs another secret than those who call it. @throws ProblemError `unauthorized` */
export function authenticateAdmin(request: Request, token: string | undefined): void {
  check(request, token, "TIDEGATE_ADMIN_TOKEN", "so /admin is closed");
}

function check(request: Request, token: string | undefined, secret: string, closed: string): void {
  if (token === undefined || token === "") {
    throw unauthorized(
      `the secret ${secret} is not set, ${closed}; set it with \`npx wrangler secret put ${secret}\`, or in .dev.vars for local work`,
    );
  }
  const given = request.headers.get("authorization");
  if (given === null) throw unauthorized("send the header `Authorization: Bearer <token>`");
  if (given.slice(0, SCHEME.length).toLowerCase() !== SCHEME)
    throw unauthorized("the Authorization header must use the scheme Bearer");
  if (!sameSecret(given.slice(SCHEME.length).trim(), token))
    throw unauthorized("the bearer token is wrong", "invalid_token");
}

/** Takes the same time wherever two secrets of one length differ. */
export function sameSecret(given: string, secret: string): boolean {
  const a = encoder.encode(given);
  const b = encodeSecret(secret);
  // Unequal lengths are compared with themselves, so that only the length can show.
  const other = a.length === b.length ? b : a;
  const equal = subtle.timingSafeEqual ? subtle.timingSafeEqual(a, other) : sameBytes(a, other);
  return equal && other === b;
}

/** The secret is the same for every request of a deployment: its bytes are made once. */
function encodeSecret(secret: string): Uint8Array {
  if (secret !== lastSecret) {
    lastSecret = secret;
    lastBytes = encoder.encode(secret);
  }
  return lastBytes;
}
let lastSecret = "";
let lastBytes: Uint8Array = new Uint8Array(0);

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

function unauthorized(detail: string, error?: string): ProblemError {
  const challenge = `Bearer realm="tidegate"${error === undefined ? "" : `, error="${error}"`}`;
  return new ProblemError(problemOf("unauthorized", detail), { "www-authenticate": challenge });
}
