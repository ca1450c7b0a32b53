/** Keys in addresses: any text of 1 to 512 bytes as one path segment that no URL library changes. */

import { fromBase64Url, toBase64Url } from "./base64.ts";
import { TidegateError } from "./errors.ts";
import { KEY_MAX_BYTES } from "./limits.ts";

export { KEY_MAX_BYTES };

/** Keys that survive percent-encoding everywhere: no dot segments, no `~` in front, no slashes, percent signs or control characters. */
const MANGLED = /^\.{1,2}$|^~|[/\\%\p{Cc}]/u;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws TidegateError `invalid-key` (not text, empty, or not Unicode) or `key-too-large`. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== "string") throw new TidegateError("invalid-key", `a key is a string, not ${typeof key}`);
  if (key.length === 0) throw new TidegateError("invalid-key", "a key has at least one character");
  if (!key.isWellFormed())
    throw new TidegateError("invalid-key", "the key has a lone surrogate, which UTF-8 cannot carry");
  // A UTF-16 unit takes at most three bytes, so short keys need no encoding.
  if (key.length * 3 > KEY_MAX_BYTES && (key.length > KEY_MAX_BYTES || encoder.encode(key).length > KEY_MAX_BYTES)) {
    throw new TidegateError("key-too-large", `a key has at most ${KEY_MAX_BYTES} bytes of UTF-8`);
  }
}

/** The path segment for a key: percent-encoded, or `~` and base64url of its UTF-8 where percent-encoding would not arrive whole. */
export function encodeKey(key: string): string {
  checkKey(key);
  return MANGLED.test(key) ? `~${toBase64Url(encoder.encode(key))}` : encodeURIComponent(key);
}

/**
 * The key of a raw path segment, in either form. `%7E` counts as `~`: RFC 3986 lets anybody on the way exchange them.
 * @throws TidegateError `invalid-key` or `key-too-large`
 */
export function decodeKey(segment: string): string {
  const text = segment.includes("%") ? percentDecode(segment) : segment;
  const key = text.startsWith("~") ? decodeTilde(text.slice(1)) : text;
  checkKey(key);
  return key;
}

function percentDecode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new TidegateError("invalid-key", "the key's percent-encoding is not valid UTF-8");
  }
}

function decodeTilde(text: string): string {
  const bytes = fromBase64Url(text);
  if (bytes === null) throw new TidegateError("invalid-key", "after ~ a key is base64url without padding");
  try {
    return decoder.decode(bytes);
  } catch {
    throw new TidegateError("invalid-key", "after ~ a key is base64url of valid UTF-8");
  }
}
