/** Secrets as they are presented and compared: bearer tokens (RFC 6750), in constant time. They come from bindings and nowhere else. */
import { problemOf } from "../../sdk/problems.ts";
import { ProblemError } from "../problems.ts";

const SCHEME = "bearer ";
const encoder = new TextEncoder();

/** Node has no such method; workerd does. */
interface TimingSafe {
  timingSafeEqual?(a: Uint8Array, b: Uint8Array): boolean;
}
const subtle = crypto.subtle as unknown as TimingSafe;

/** The bearer token of a request; null without an Authorization header. @throws ProblemError `unauthorized` for another scheme */
export function bearerToken(request: Request): string | null {
  const given = request.headers.get("authorization");
  if (given === null) return null;
  if (given.slice(0, SCHEME.length).toLowerCase() !== SCHEME)
    throw unauthorized("the Authorization header must use the scheme Bearer");
  return given.slice(SCHEME.length).trim();
}

/** Who administers a domain may read and replace all of it, and so needs another secret than those who call it. @throws ProblemError `unauthorized` */
export function authenticateAdmin(request: Request, token: string | undefined): void {
  if (token === undefined || token === "") throw unset("TIDEGATE_ADMIN_TOKEN", "so /admin is closed");
  const given = bearerToken(request);
  if (given === null) throw missing();
  if (!sameSecret(given, token))
    throw invalidToken(
      "the bearer token is not the administrator's; /admin takes the secret TIDEGATE_ADMIN_TOKEN and no other",
    );
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

/** A secret that is not configured closes what it would open. */
export function unset(secret: string, closed: string): ProblemError {
  return unauthorized(
    `the secret ${secret} is not set, ${closed}; set it with \`npx wrangler secret put ${secret}\`, or in .dev.vars for local work`,
  );
}

export function missing(): ProblemError {
  return unauthorized("send the header `Authorization: Bearer <token>`");
}

/** A credential that was presented and is none. */
export function invalidToken(detail: string): ProblemError {
  return unauthorized(detail, "invalid_token");
}

function unauthorized(detail: string, error?: string): ProblemError {
  const challenge = `Bearer realm="tidegate"${error === undefined ? "" : `, error="${error}"`}`;
  return new ProblemError(problemOf("unauthorized", detail), { "www-authenticate": challenge });
}
