/** Blocks of state and results against plain maps: puts, deletes, clears, ranges, folds, merges, restarts, and crashes between any two turns. */
import { describe, expect, test, vi } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { BLOCK, SPACE } from "../../protocol/state/blocks/block.ts";
import { collectionPrefix, compareKeys, encodeEntryKey, entityKey } from "../../protocol/state/state-key.ts";
import type { Write } from "../../protocol/state/store.ts";
import { storedPages } from "../../protocol/moves/stored.ts";
import { entityOf } from "../../protocol/state/indexes.ts";
import { Folding } from "./support/folding.ts";
import { kernels } from "./support/lone-partition.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  const { LIMITS } = smallLimits(await original());
  return { LIMITS: { ...LIMITS, maxPartBytes: 10_000, maxRecordBytes: 100_000 } };
});

const ENTITIES = ["a", "b", "b\u0000", "c", "é", "😀", "\uffee"].map((key) => entityKey("s", key));
const COLLECTIONS = ["c", "d"];
const NAMES: ReadonlyArray<string | number> = ["", "a", "b", "\u0001", "é", "\uffee", "😀", 0, -1, 7, 8, 9, 1e9];

class Run extends Folding {
  #ids = 0;
  #checks = 0;

  constructor(seed: number) {
    super(seed, 300 + (seed % 3) * 400);
  }

  play(steps: number): void {
    for (let step = 0; step < steps; step++) {
      const move = this.random.int(20);
      if (move < 9) this.#commitSome();
      else if (move < 17) for (let turns = this.random.int(6); turns > 0 && this.turn(); turns--);
      else if (move < 18) this.crash();
      else if (move < 19) this.now += this.random.int(2 * 60 * 60 * 1000);
      else this.settle();
      if (step % 4 === 0) this.check();
    }
    this.settle();
    this.check();
    this.restart();
    this.check();
  }

  #commitSome(): void {
    const writes = Array.from({ length: 1 + this.random.int(6) }, () => this.#write());
    const results = Array.from({ length: this.random.int(3) }, () => ({
      requestId: `c${(Math.imul(++this.#ids, 0x9e3779b1) >>> 0).toString(16).padStart(31, "0")}`,
      status: 200,
      fingerprintLow: this.#ids,
      fingerprintHigh: 2 ** 32 - 1,
      body: `"${"é\n".repeat(this.random.int(20))}"`,
    }));
    this.commit(writes, results);
  }

  #write(): Write {
    const entity = this.random.pick(ENTITIES);
    if (this.random.oneIn(14)) return { op: "clear", key: entity, text: "" };
    const key = this.random.oneIn(5)
      ? entity
      : collectionPrefix(entity, this.random.pick(COLLECTIONS)) + encodeEntryKey(this.random.pick(NAMES));
    if (this.random.oneIn(5)) return { op: "delete", key, text: "" };
    return { op: "put", key, text: `t${this.random.int(1_000)}${"x".repeat(this.random.int(60))}` };
  }

  check(): void {
    const { state, results } = this.model();
    for (const entity of ENTITIES) {
      expect(this.store.get(entity, entity)).toBe(state.get(entity) ?? null);
      for (const collection of COLLECTIONS) {
        const prefix = collectionPrefix(entity, collection);
        for (const name of NAMES) {
          const key = prefix + encodeEntryKey(name);
          expect(this.store.get(key, entity)).toBe(state.get(key) ?? null);
        }
        const [from, to] = [this.random.pick(NAMES), this.random.pick(NAMES)]
          .map((name) => prefix + encodeEntryKey(name))
          .sort(compareKeys) as [string, string];
        const [limit, reverse] = [this.random.int(12), this.random.oneIn(2)];
        const within = [...state]
          .filter(([key]) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0)
          .sort(([a], [b]) => compareKeys(a, b));
        const wanted = (reverse ? within.reverse() : within).slice(0, limit);
        expect(this.store.range(prefix, entity, from, to, limit, reverse)).toEqual(wanted);
      }
    }
    for (const [id, { result, at }] of results) {
      const found = this.results.find(id);
      if (found || at + LIMITS.clientResultMs >= this.now) expect(found).toEqual(result);
    }
    expect(this.results.find("c".padEnd(32, "x"))).toBeUndefined();
    this.#checkRuns();
    if (this.#checks++ % 4 === 0) this.#checkOverlaid(state);
  }

  /** All that is stored, page by page, under what is not folded yet, is the state: what was cleared or deleted is in no page. */
  #checkOverlaid(state: ReadonlyMap<string, string>): void {
    const size = 1 + (this.#checks % 7);
    const stored = [...storedPages(this.blocks, size)].flat();
    expect(stored.map(([key]) => key)).toEqual(stored.map(([key]) => key).toSorted(compareKeys));
    const unfolded = [...this.store.unfolded()];
    const cleared = new Set(unfolded.filter((each) => each.cleared).map(({ key }) => key));
    const found = new Map(stored.filter(([key]) => !cleared.has(entityOf(key))));
    for (const { key } of unfolded) {
      const change = this.store.changeOf(key);
      if (typeof change === "string") found.set(key, change);
      else if (change === null) found.delete(key);
    }
    expect(new Map([...found].sort())).toEqual(new Map([...state].sort()));
  }

  /** Blocks of a run are in order and apart, of a bounded size, and none is stored that the index does not know. */
  #checkRuns(): void {
    const stored = new Set(this.seen.stateBlocks.keys());
    for (const space of [SPACE.state, SPACE.results]) {
      for (const run of this.blocks.trees[space].runs) {
        expect(run.blocks.length).toBeGreaterThan(0);
        for (const [at, block] of run.blocks.entries()) {
          expect(stored.delete(block.id)).toBe(true);
          expect(compareKeys(block.first, block.last)).toBeLessThanOrEqual(0);
          const before = run.blocks[at - 1];
          if (before) expect(compareKeys(before.last, block.first)).toBeLessThan(0);
          expect(block.bytes).toBeLessThan(3 * LIMITS.blockBytes + 300);
        }
      }
    }
    expect([...stored]).toEqual([]);
  }
}

/** Enough for a fold. */
function padding(round: number): Write[] {
  return Array.from({ length: Math.ceil(LIMITS.foldBytes / 50) }, (_, n) => ({
    op: "put",
    key: entityKey(round % 2 === 0 ? "a" : "z", `${round}-${n}`),
    text: "x".repeat(50),
  }));
}

describe("blocks", () => {
  test("hold what plain maps would, whatever crashes when", () => {
    let [merges, folds] = [0, 0];
    for (let seed = 1; seed <= 80; seed++) {
      const run = new Run(seed);
      try {
        run.play(120);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      merges += run.merges;
      folds += run.folds;
      expect(run.damage).toEqual([]);
    }
    expect(Math.min(merges, folds)).toBeGreaterThan(1_000);
  });

  test("of results are dropped when the last of them has expired", () => {
    const run = new Run(1);
    run.play(150);
    run.now += LIMITS.clientResultMs + LIMITS.resultSlotMs;
    run.commit(padding(0));
    run.settle();
    expect(run.blocks.trees[SPACE.results].blocks).toBe(0);
    run.check();
  });

  test("keep nothing of what was deleted or cleared, once all has been merged", () => {
    const run = new Run(2);
    run.play(150);
    for (const entity of ENTITIES) run.commit([{ op: "clear", key: entity, text: "" }]);
    for (let round = 0; round < 40; round++) {
      run.commit(padding(round));
      run.settle();
    }
    const rows = run.blocks.trees[SPACE.state].runs.flatMap(({ blocks }) =>
      blocks.flatMap((block) =>
        kernels.rowsOfBlock(BLOCK, run.blocks.bytesOf(block), {
          from: "",
          to: "\u{10ffff}",
          limit: Infinity,
          reverse: false,
        }),
      ),
    );
    expect(rows.filter(({ key }) => key.startsWith("s\u0001"))).toEqual([]);
    run.check();
  });
});
