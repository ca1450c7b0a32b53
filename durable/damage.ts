/** How damage of storage is found that no checksum of a record or block covers: small texts, and what SQLite itself finds. */
import { murmur3 } from "../core-wasm/reference/murmur3.ts";
import { isDamage } from "../protocol/state/blocks/damage.ts";
import { CorruptError } from "../core-wasm/types.ts";

/** Characters before a text that is sealed. */
export const SEAL_LENGTH = 8;

/** A text with a checksum of itself and of its name before it: what is stored by name has nothing else that would tell a changed byte. */
export function sealText(name: string, text: string): string {
  return checksumOf(name, text) + text;
}

/** @throws CorruptError when it is not what was sealed under that name */
export function openText(name: string, sealed: string): string {
  const text = sealed.slice(SEAL_LENGTH);
  if (sealed.slice(0, SEAL_LENGTH) === checksumOf(name, text)) return text;
  throw new CorruptError("checksum", `what is stored as ${name}`);
}

function checksumOf(name: string, text: string): string {
  return murmur3(`${name}\n${text}`).toString(16).padStart(SEAL_LENGTH, "0");
}

/** What SQLite says of a page that makes no sense is damage like any other; so is a block that a start cannot do without. */
export function asDamage(error: unknown): unknown {
  if (isDamage(error)) return error.cause;
  if (!(error instanceof Error) || !/SQLITE_(?:CORRUPT|NOTADB)|malformed/.test(error.message)) return error;
  return new CorruptError("length", error.message);
}
