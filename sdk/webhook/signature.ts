/** Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, and what a receiver checks. */

import { fromBase64, toBase64 } from "../base64.ts";
import { misconfigured } from "../errors.ts";
import { WEBHOOK_TOLERANCE_MS } from "../limits.ts";

const PREFIX = "whsec_";
const VERSION = "v1,";
/** Bytes of a secret, by the specification. */
const SECRET_BYTES = { least: 24, most: 64 };
const SIGNATURES_MAX = 20;
const encoder = new TextEncoder();

/** What is signed. */
export interface SignedParts {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/** Why a webhook is not to be believed. */
export type WebhookRefusal =
  | "missing-header"
  | "invalid-timestamp"
  | "too-old"
  | "from-the-future"
  | "invalid-signature";

/** Thrown by {@link verifyWebhook}: answer it with 400 or 401. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly reason: WebhookRefusal;
  constructor(reason: WebhookRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The header `webhook-signature`: a signature for each secret, so that secrets can be replaced while receivers still have the old one.
 * @param secrets one or more `whsec_…`, separated by spaces
 * @throws TidegateError `misconfigured` for what is no secret
 */
export async function signatureOf(secrets: string, parts: SignedParts): Promise<string> {
  const signed = keysOf(secrets).map(async (bytes) => {
    const key = await hmacKey(bytes, "sign");
    return VERSION + toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, contentOf(parts))));
  });
  return (await Promise.all(signed)).join(" ");
}

/** Of a received webhook that is to be believed. */
export interface VerifiedWebhook {
  /** The same for every delivery of one webhook: remember it, to take it once. */
  readonly id: string;
  /** When this delivery was sent; ms since 1970. */
  readonly sentAt: number;
  /** The body as it came. */
  readonly body: string;
}

/**
 * Checks that a webhook was signed with one of the secrets, and not long ago. The body must be the text as it came: parsed and written
 * again, its signature would be another.
 *
 * ```ts
 * import { verifyWebhook } from "tidegate";
 *
 * export default {
 *   async fetch(request: Request, env: { WEBHOOK_SECRET: string }): Promise<Response> {
 *     const { id, body } = await verifyWebhook(env.WEBHOOK_SECRET, request.headers, await request.text());
 *     console.log(id, JSON.parse(body));
 *     return new Response(null, { status: 204 });
 *   },
 * };
 * ```
 *
 * @param secrets one or more `whsec_…`, separated by spaces
 * @param now ms since 1970; it may be sent 5 minutes earlier or later
 * @throws WebhookError with the reason; TidegateError `misconfigured` for what is no secret
 */
export async function verifyWebhook(
  secrets: string,
  headers: { get(name: string): string | null },
  body: string,
  now: number = Date.now(),
): Promise<VerifiedWebhook> {
  const header = (name: string): string => {
    const value = headers.get(name);
    if (value === null || value === "") throw new WebhookError("missing-header", `there is no header ${name}`);
    return value;
  };
  const id = header("webhook-id");
  const text = header("webhook-timestamp");
  const given = header("webhook-signature").split(" ").slice(0, SIGNATURES_MAX);
  if (!/^\d{1,12}$/.test(text)) throw new WebhookError("invalid-timestamp", "webhook-timestamp is seconds since 1970");
  const timestamp = Number(text);
  const sentAt = timestamp * 1_000;
  if (sentAt < now - WEBHOOK_TOLERANCE_MS) throw new WebhookError("too-old", "the webhook was sent too long ago");
  if (sentAt > now + WEBHOOK_TOLERANCE_MS) throw new WebhookError("from-the-future", "the webhook is yet to be sent");
  const content = contentOf({ id, timestamp, body });
  for (const bytes of keysOf(secrets)) {
    const key = await hmacKey(bytes, "verify");
    for (const signature of given) if (await isSignature(key, signature, content)) return { id, sentAt, body };
  }
  throw new WebhookError("invalid-signature", "no signature fits");
}

async function isSignature(key: CryptoKey, text: string, content: Uint8Array): Promise<boolean> {
  if (!text.startsWith(VERSION)) return false;
  try {
    // The platform compares in constant time.
    return await crypto.subtle.verify("HMAC", key, fromBase64(text.slice(VERSION.length)), content);
  } catch {
    return false;
  }
}

function contentOf({ id, timestamp, body }: SignedParts): Uint8Array {
  return encoder.encode(`${id}.${timestamp}.${body}`);
}

function hmacKey(bytes: Uint8Array, usage: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

/** Nothing of a secret is in the error. */
function keysOf(secrets: string): Uint8Array[] {
  const keys = secrets.split(" ").flatMap((secret) => (secret === "" ? [] : [keyOf(secret)]));
  if (keys.length === 0) throw misconfigured("there is no webhook secret");
  return keys;
}

function keyOf(secret: string): Uint8Array {
  const wrong = misconfigured(
    `a webhook secret is whsec_ and ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes in base64`,
  );
  if (!secret.startsWith(PREFIX)) throw wrong;
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(secret.slice(PREFIX.length));
  } catch {
    throw wrong;
  }
  if (bytes.length < SECRET_BYTES.least || bytes.length > SECRET_BYTES.most) throw wrong;
  return bytes;
}
