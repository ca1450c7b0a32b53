/** Committed state: unfolded over cached over stored, against a plain map, through folds in pieces and crashes between them. */
import { describe, expect, test } from "vitest";
import { lifetimeRow } from "../../protocol/state/expiry.ts";
import { StateStore, type Write } from "../../protocol/state/store.ts";
import { collectionPrefix, compareKeys, encodeEntryKey, entityKey } from "../../protocol/state/state-key.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { PlainState } from "./support/plain-state.ts";

const ENTITIES = ["x", "y", "x\u0000"].map((key) => entityKey("s", key));
const NAMES = ["", "a", "\u0000", "\u0001", "é", "😀"];

interface Fold {
  readonly through: number;
  readonly clears: string[];
  readonly keys: string[];
}

class Run {
  readonly #random: Random;
  readonly #model = new Map<string, string>();
  readonly #log: Write[][] = [];
  readonly #disk = new PlainState();
  #store: StateStore;
  #folded = 0;
  #fold: Fold | null = null;

  constructor(seed: number) {
    this.#random = createRandom(seed);
    this.#store = this.#open();
  }

  /** A cache so small that it is always full. */
  #open(): StateStore {
    return new StateStore(this.#disk, 300 + this.#random.int(600));
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      const move = this.#random.int(10);
      if (move < 4) this.#commit();
      else if (move < 7) this.#foldSome();
      else if (move < 8) this.#crash();
      this.#check();
    }
  }

  #commit(): void {
    const writes = Array.from({ length: 1 + this.#random.int(3) }, () => this.#write());
    this.#log.push(writes);
    this.#store.apply(writes, this.#log.length);
    for (const { op, key, text } of writes) {
      if (op === "put") this.#model.set(key, text);
      else if (op === "delete") this.#model.delete(key);
      else for (const known of this.#model.keys()) if (known.startsWith(key)) this.#model.delete(known);
    }
  }

  #write(): Write {
    const entity = this.#random.pick(ENTITIES);
    if (this.#random.oneIn(6)) return { op: "clear", key: entity, text: "" };
    const key = this.#random.oneIn(4)
      ? entity
      : collectionPrefix(entity, "c") + encodeEntryKey(this.#random.pick(NAMES));
    return this.#random.oneIn(4) && key !== entity
      ? { op: "delete", key, text: "" }
      : { op: "put", key, text: `t${this.#random.int(1_000)}` };
  }

  /** Folds one thing, as the folder does between other turns. */
  #foldSome(): void {
    const through = this.#log.length;
    this.#fold ??= { through, ...this.#store.unfoldedThrough(through) };
    const { clears, keys } = this.#fold;
    const entity = clears.shift();
    const key = entity === undefined ? keys.shift() : undefined;
    if (entity !== undefined) {
      this.#disk.clear(entity);
      this.#store.markCleared([entity], this.#fold.through);
    } else if (key !== undefined) {
      const change = this.#store.changeOf(key);
      if (change === undefined) return;
      this.#store.markFolded(key, this.#fold.through);
      this.#disk.put(key, change);
    } else {
      this.#folded = this.#fold.through;
      this.#fold = null;
    }
  }

  /** Memory is lost; the records that are not wholly folded are applied again. */
  #crash(): void {
    this.#fold = null;
    this.#store = this.#open();
    for (const [at, writes] of this.#log.entries()) if (at >= this.#folded) this.#store.apply(writes, at + 1);
  }

  #check(): void {
    for (const entity of ENTITIES) {
      this.#expect(this.#store.get(entity, entity), this.#model.get(entity) ?? null, entity);
      const prefix = collectionPrefix(entity, "c");
      for (const name of NAMES) {
        const key = prefix + encodeEntryKey(name);
        this.#expect(this.#store.get(key, entity), this.#model.get(key) ?? null, key);
      }
      const [one, two] = [this.#random.pick(NAMES), this.#random.pick(NAMES)]
        .map((name) => prefix + encodeEntryKey(name))
        .sort(compareKeys) as [string, string];
      const [limit, reverse] = [this.#random.int(5), this.#random.oneIn(2)];
      const within = [...this.#model]
        .filter(([key]) => compareKeys(key, one) >= 0 && compareKeys(key, two) < 0)
        .sort(([a], [b]) => compareKeys(a, b));
      const expected = (reverse ? within.reverse() : within).slice(0, limit);
      this.#expect(this.#store.range(prefix, entity, one, two, limit, reverse), expected, `range of ${prefix}`);
    }
  }

  #expect(found: unknown, expected: unknown, what: string): void {
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new Error(`${JSON.stringify(what)} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
    }
  }
}

describe("the store", () => {
  test("reads as a plain map does, through puts, deletes, clears, folds in pieces and crashes", () => {
    for (let seed = 1; seed <= 400; seed++) {
      try {
        new Run(seed).run(80);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });

  test("never holds more cached bytes than it may", () => {
    const disk = new PlainState();
    for (let n = 0; n < 200; n++) disk.state.set(entityKey("s", `k${n}`), "x".repeat(n));
    const store = new StateStore(disk, 5_000);
    for (let n = 0; n < 200; n++) {
      const entity = entityKey("s", `k${n}`);
      expect(store.get(entity, entity)?.length).toBe(n);
      expect(store.cachedBytes).toBeLessThanOrEqual(5_000);
    }
    expect(store.cachedBytes).toBeGreaterThan(3_000);
  });

  test("reads a cached key without asking storage again, and an absent one too", () => {
    const disk = new PlainState();
    let reads = 0;
    disk.get = () => {
      reads += 1;
      return undefined;
    };
    const store = new StateStore(disk, 5_000);
    const entity = entityKey("s", "k");
    for (let n = 0; n < 5; n++) expect(store.get(entity, entity)).toBe(null);
    expect(reads).toBe(1);
  });

  test("keeps what is read, and drops what is not", () => {
    const disk = new PlainState();
    let reads = 0;
    disk.get = () => {
      reads += 1;
      return "x".repeat(100);
    };
    const store = new StateStore(disk, 5_000);
    const read = (name: string) => store.get(entityKey("s", name), entityKey("s", name));
    read("hot");
    for (let n = 0; n < 200; n++) {
      read(`cold ${n}`);
      read("hot");
    }
    expect(reads).toBe(201);
    read("cold 0");
    expect(reads).toBe(202);
  });

  test("knows which services have lifetimes before and after a row is written", () => {
    const store = new StateStore(new PlainState(), 5_000);
    const [one, other] = [lifetimeRow({ name: "one" }), lifetimeRow({ name: "other" })];
    expect([store.hasLifetime(one), store.hasLifetime(other)]).toEqual([false, false]);
    store.apply([{ op: "put", key: one, text: "" }], 1);
    expect([store.hasLifetime(one), store.hasLifetime(other)]).toEqual([true, false]);
    store.markFolded(one, 1);
    expect(store.hasLifetime(one)).toBe(true);
  });
});
