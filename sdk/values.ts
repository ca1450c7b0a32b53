/** The codec for state, collection entries, arguments and results: JSON, plus Date, bigint, Uint8Array, Map, Set and undefined. */

import { fromBase64, toBase64 } from "./base64.ts";
import { checkSendable, isPlain, plainObject } from "./plain.ts";

/**
 * Member that marks a tagged value: `{"~t":"d","v":0}` is a Date. An object of the user's with such a member is wrapped, tag `o`.
 * Tags: `d` Date (ms), `n` bigint (decimal), `b` bytes (base64), `m` Map (entries), `s` Set (elements), `u` undefined, `z` -0.
 */
const TAG = "~t";
/** Ends every tag in a text. It begins with a rare character, which makes the search fast; a false find only costs a walk. */
const TAG_IN_TEXT = `${TAG}":`;

interface Tagged {
  readonly [TAG]: string;
  readonly v?: unknown;
}

/**
 * Text of a value; {@link decodeValue} gives an equal value back. Differences: members that are `undefined` are dropped, symbol keys
 * and array members other than elements are ignored, shared references become copies. `undefined` by itself or in an array is kept.
 * @param what the value is, for the error
 * @throws TypeError naming the JSON pointer of what cannot be stored: NaN, infinities, functions, symbols, class instances, cycles.
 */
export function encodeValue(value: unknown, what = "the value"): string {
  if (isPlain(value, TAG)) return JSON.stringify(value);
  checkSendable(value, what);
  return JSON.stringify(tag(value));
}

/** The value of a text that {@link encodeValue} wrote. Not for text from outside: there a `~t` member would be taken for a tag. */
export function decodeValue(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return isPlainText(text) ? value : untag(value);
}

/** Whether a text that {@link encodeValue} wrote has JSON's own values only. */
export function isPlainText(text: string): boolean {
  return !text.includes(TAG_IN_TEXT);
}

function tag(value: unknown): unknown {
  if (value === undefined) return { [TAG]: "u" } satisfies Tagged;
  if (typeof value === "bigint") return tagged("n", value.toString());
  if (typeof value === "number") return Object.is(value, -0) ? { [TAG]: "z" } : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, tag);
  if (value instanceof Date) return tagged("d", value.getTime());
  if (value instanceof Uint8Array) return tagged("b", toBase64(value));
  if (value instanceof Map)
    return tagged(
      "m",
      Array.from(value, ([k, v]) => [tag(k), tag(v)]),
    );
  if (value instanceof Set) return tagged("s", Array.from(value, tag));
  const members = plainObject(value, tag);
  return Object.hasOwn(value, TAG) ? tagged("o", members) : members;
}

function tagged(kind: string, v: unknown): Tagged {
  return { [TAG]: kind, v };
}

/** Revives in place, since the tree was just parsed and nobody else holds it. */
function untag(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) value[at] = untag(value[at]);
    return value;
  }
  if (Object.hasOwn(value, TAG)) return revive(value as Tagged);
  return untagMembers(value as Record<string, unknown>);
}

function untagMembers(value: Record<string, unknown>): Record<string, unknown> {
  for (const key of Object.keys(value)) {
    const member = value[key];
    // Assigning to a member that is there already is safe for __proto__ too.
    if (typeof member === "object" && member !== null) value[key] = untag(member);
  }
  return value;
}

function revive({ [TAG]: kind, v }: Tagged): unknown {
  switch (kind) {
    case "u":
      return undefined;
    case "z":
      return -0;
    case "n":
      return BigInt(v as string);
    case "d":
      return new Date(v as number);
    case "b":
      return fromBase64(v as string);
    case "m":
      return new Map((untag(v) as Array<[unknown, unknown]>).values());
    case "s":
      return new Set(untag(v) as unknown[]);
    case "o":
      return untagMembers(v as Record<string, unknown>);
    default:
      throw new TypeError(`a stored value has the unknown tag ${JSON.stringify(kind)}`);
  }
}
