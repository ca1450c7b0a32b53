/** Read-only all the way down: what a query sees of its state. */

type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | Uint8Array
  | ((...args: never[]) => unknown);

/** JSON of any form. The compiler would follow it for ever, member by member, so it is known as a whole. */
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
/** The same, read-only. */
export type AnyJson = string | number | boolean | null | readonly AnyJson[] | { readonly [name: string]: AnyJson };

/**
 * `T` with every member, element and entry read-only. `Date` and `Uint8Array` keep their types, since a narrowed one would fit no
 * library function: a Date that a query changes throws at run time, and bytes are a copy of the query's own.
 */
export type DeepReadonly<T> = unknown extends T
  ? T
  : [T, Json] extends [AnyJson, T]
    ? AnyJson
    : T extends Leaf
      ? T
      : T extends ReadonlyMap<infer K, infer V>
        ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
        : T extends ReadonlySet<infer V>
          ? ReadonlySet<DeepReadonly<V>>
          : { readonly [K in keyof T]: DeepReadonly<T[K]> };
