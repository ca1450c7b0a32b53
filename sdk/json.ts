/** Results and refusal data as HTTP clients see them: JSON text, and the type of what it parses to. */

import type { AnyJson } from "./deep-readonly.ts";
import { toBase64 } from "./base64.ts";
import { checkSendable, isPlain, plainObject } from "./plain.ts";

/**
 * What {@link toJson} makes of a `T` once parsed: Date to ISO text, bigint to decimal text, bytes to base64 text, Map to an array of
 * pairs, Set to an array, nothing to `null`. What is JSON already stays as it is; the compiler would follow one of any form, such as Zod's
 * `z.json()`, for ever.
 */
export type JsonOf<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : [T] extends [AnyJson]
      ? T
      : T extends undefined | void
        ? null
        : T extends string | number | boolean | null
          ? T
          : T extends Date | bigint | Uint8Array
            ? string
            : T extends ReadonlyMap<infer K, infer V>
              ? Array<[JsonOf<K>, JsonOf<V>]>
              : T extends ReadonlySet<infer V>
                ? Array<JsonOf<V>>
                : T extends readonly unknown[]
                  ? { [K in keyof T]: JsonOf<T[K]> }
                  : T extends object
                    ? { [K in keyof T]: JsonMember<T[K]> }
                    : never;
/**
 * What of a `T` can be written as JSON, for what a client sends. Where that is nothing, since a schema takes a `Date` and what comes over
 * HTTP is its text, there is a {@link NoJsonForm}, which nothing is.
 */
export type JsonInputOf<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : [T] extends [AnyJson]
      ? T
      : T extends Date | bigint | Uint8Array | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
        ? NoJsonForm<T>
        : T extends object
          ? { [K in keyof T]: JsonInputOf<T[K]> }
          : T;
/** Stands in the compiler's messages for what a function takes from other functions, and cannot get over HTTP. */
export interface NoJsonForm<T> {
  readonly [noJsonForm]: T;
}
declare const noJsonForm: unique symbol;
/** A member that is `undefined` is left out, where an element or a whole result becomes `null`. */
type JsonMember<T> = T extends undefined ? undefined : JsonOf<T>;

/**
 * JSON text of a value as {@link JsonOf} says. -0 becomes 0.
 * @param what the value is, for the error
 * @throws TypeError naming the JSON pointer of what has no JSON form.
 */
export function toJson(value: unknown, what = "the value"): string {
  if (isPlain(value, undefined)) return JSON.stringify(value);
  checkSendable(value, what);
  return JSON.stringify(jsonValue(value));
}

function jsonValue(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, jsonValue);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return toBase64(value);
  if (value instanceof Map) return Array.from(value, ([k, v]) => [jsonValue(k), jsonValue(v)]);
  if (value instanceof Set) return Array.from(value, jsonValue);
  return plainObject(value, jsonValue);
}
