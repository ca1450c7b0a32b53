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

  /**
   * In order, and never cut short unasked: what a sum or a deletion did not see would be missing without a word.
   * @throws RangeError for more entries than one call returns, with `limit` or without
   */
  range(options: RangeOptions = {}): Array<[EntryKey, unknown]> {
    const { from, to, limit, reverse = false } = options;
    if (limit !== undefined) assertLimit(limit);
    const entries = this.#copy().range(this.#name, {
      from,
      to,
      limit: limit ?? LIMITS.maxRangeEntries + 1,
      reverse,
    });
    if (entries.length > LIMITS.maxRangeEntries) throw tooMany();
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

function assertLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 0) throw new RangeError("limit must be a whole number");
  if (limit > LIMITS.maxRangeEntries) throw tooMany();
}

function tooMany(): RangeError {
  const most = `a range returns at most ${LIMITS.maxRangeEntries} entries`;
  return new RangeError(`${most}; give a limit, and go on from the last key`);
}

export type Collections = Readonly<Record<string, Collection>>;

export function createCollections(activation: Activation, copy: () => EntityCopy): Collections {
  const collections: Record<string, Collection> = Object.create(null);
  const readOnly = activation.target.contract.kind === "query";
  for (const name of activation.target.service.collections) collections[name] = new Collection(name, copy, readOnly);
  return collections;
}
