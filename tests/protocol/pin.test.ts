/** A pin reads what was committed when it was made, whatever is committed and folded while it reads. */
import { describe, expect, test } from "vitest";
import { Pin, PinBroken } from "../../protocol/backup/pin.ts";
import { LIMITS } from "../../protocol/limits.ts";
import {
  afterPrefix,
  collectionPrefix,
  compareKeys,
  encodeEntryKey,
  entityKey,
} from "../../protocol/state/state-key.ts";
import { StateStore, type Write } from "../../protocol/state/store.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { PlainState } from "./support/plain-state.ts";

const END = "\u{10ffff}";
const ENTITIES = Array.from({ length: 12 }, (_, n) => entityKey(n % 2 === 0 ? "s" : "t", `k${n}`));
const ENTRIES = ["a", "b", "", "\u0001", "é", "😀", "\uffee"];

class Run {
  readonly #random: Random;
  readonly #disk = new PlainState();
  readonly store = new StateStore(this.#disk, 2_000);
  readonly model = new Map<string, string>();
  #seq = 0;
  #folded = 0;
  pin: Pin | null = null;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  #key(): string {
    const entity = this.#random.pick(ENTITIES);
    if (this.#random.int(3) === 0) return entity;
    return collectionPrefix(entity, "c") + encodeEntryKey(this.#random.pick(ENTRIES));
  }

  #write(): Write {
    const kind = this.#random.int(10);
    if (kind === 0) return { op: "clear", key: this.#random.pick(ENTITIES), text: "" };
    if (kind < 3) return { op: "delete", key: this.#key(), text: "" };
    return { op: "put", key: this.#key(), text: `t${this.#random.int(1_000_000)}` };
  }

  commit(): void {
    const writes = Array.from({ length: 1 + this.#random.int(4) }, () => this.#write());
    this.pin?.keep(writes);
    this.store.apply(writes, ++this.#seq);
    for (const { op, key, text } of writes) {
      if (op === "put") this.model.set(key, text);
      else if (op === "delete") this.model.delete(key);
      else for (const known of this.model.keys()) if (known.startsWith(key)) this.model.delete(known);
    }
  }

  fold(): void {
    const through = this.#folded + this.#random.int(this.#seq - this.#folded + 1);
    const { clears, keys } = this.store.unfoldedThrough(through);
    for (const entity of clears) {
      this.#disk.clear(entity);
      this.store.markCleared([entity], through);
    }
    for (const key of keys) {
      const change = this.store.changeOf(key);
      if (change === undefined) continue;
      this.store.markFolded(key, through);
      this.#disk.put(key, change);
    }
    this.#folded = through;
  }

  some(most: number): void {
    for (let n = this.#random.int(most); n > 0; n--)
      if (this.#random.int(4) === 0) this.fold();
      else this.commit();
  }

  expected(from: string, to: string): Array<[string, string]> {
    return [...this.model]
      .filter(([key]) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0)
      .sort(([a], [b]) => compareKeys(a, b));
  }
}

describe("a pin", () => {
  test.each([
    ["of everything", "", END],
    ["of one service", "s\u0001", afterPrefix("s\u0001")],
  ])("%s shows what was committed when it was made", (_, from, to) => {
    for (let seed = 1; seed <= 1_500; seed++) {
      const run = new Run(seed);
      run.some(60);
      const expected = run.expected(from, to);
      run.pin = new Pin(run.store, from, to, 1 + (seed % 5));
      const read: Array<[string, string]> = [];
      for (const pair of run.pin.pairs()) {
        read.push(pair);
        run.some(6);
      }
      expect(read, `seed ${seed}`).toEqual(expected);
    }
  });

  test("reads more than it reads at a time", () => {
    const run = new Run(1);
    const writes = Array.from(
      { length: 1_700 },
      (_, n) => ({ op: "put", key: entityKey("s", `n${n}`), text: "t" }) as const,
    );
    run.store.apply(writes, 1);
    const { keys } = run.store.unfoldedThrough(1);
    const disk = new PlainState();
    for (const key of keys.slice(0, 1_300)) disk.put(key, "t");
    const half = new StateStore(disk, 10_000);
    half.apply(writes.slice(1_000), 1);
    expect([...new Pin(half, "", END).pairs()]).toHaveLength(
      new Set([...keys.slice(0, 1_300), ...keys.slice(1_000)]).size,
    );
  });

  test("that would have to keep too much is broken, and says so", () => {
    const store = new StateStore(new PlainState(), 1_000);
    const text = "x".repeat(LIMITS.maxValueBytes / 2);
    const writes = Array.from({ length: 40 }, (_, n) => ({ op: "put", key: entityKey("s", `k${n}`), text }) as const);
    store.apply(writes, 1);
    const pin = new Pin(store, "", END);
    const pairs = pin.pairs();
    expect(pairs.next().done).toBe(false);
    pin.keep(writes);
    expect(() => pairs.next()).toThrow(PinBroken);
  });
});
