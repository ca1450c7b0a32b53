/** `ctx.collections`: the sorted collections of one key, entry by entry. */
import { LIMITS } from "../limits.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import type { Activation } from "../transaction/attempt.ts";
import { freezeDeep } from "../../sdk/freeze.ts";

type EntryKey = string | number;

interface RangeOptions {
  readonly from?: EntryKey;
  readonly to?: EntryKey;
  readonly limit?: number;
  readonly reverse?: boolean;
}

class Collection {
  readonly #name: string;
  readonly #copy: () => EntityCopy;
  readonly #readOnly: boolean;

  constructor(name: string, copy: () => EntityCopy, readOnly: boolean) {
    this.#name = name;
    this.#copy = copy;
    this.#readOnly = readOnly;
  }

  get(key: EntryKey): unknown {
    const text = this.#copy().getEntry(this.#name, key);
    return text === null ? undefined : this.#decode(text);
  }

  has(key: EntryKey): boolean {
    return this.#copy().getEntry(this.#name, key) !== null;
  }

  set(key: EntryKey, value: unknown): void {
    this.#assertWritable();
    if (value === undefined) throw new TypeError(`an entry of "${this.#name}" cannot be undefined; use delete`);
    this.#copy().putEntry(this.#name, key, encodeValue(value, "the entry"));
  }

  /** True when there was such an entry. */
  delete(key: EntryKey): boolean {
    this.#assertWritable();
    const existed = this.has(key);
    if (existed) this.#copy().putEntry(this.#name, key, null);
    return existed;
  }

  range(options: RangeOptions = {}): Array<[EntryKey, unknown]> {
    const limit = options.limit ?? LIMITS.maxRangeEntries;
    if (!Number.isInteger(limit) || limit < 0) throw new RangeError("limit must be a whole number");
    if (limit > LIMITS.maxRangeEntries)
      throw new RangeError(`a range returns at most ${LIMITS.maxRangeEntries} entries`);
    const { from, to, reverse = false } = options;
    const entries = this.#copy().range(this.#name, { from, to, limit, reverse });
    return entries.map(([key, text]) => [key, this.#decode(text)]);
  }

  #decode(text: string): unknown {
    const value = decodeValue(text);
    return this.#readOnly ? freezeDeep(value) : value;
  }

  #assertWritable(): void {
    if (this.#readOnly) throw new TypeError("collections are read-only in a query");
  }
}

export type Collections = Readonly<Record<string, Collection>>;

export function createCollections(activation: Activation, copy: () => EntityCopy): Collections {
  const collections: Record<string, Collection> = Object.create(null);
  const readOnly = activation.target.contract.kind === "query";
  for (const name of activation.target.service.collections) collections[name] = new Collection(name, copy, readOnly);
  return collections;
}
