/** A partition's storage alone: commits, the real folder, blocks and merges over maps, crashes between any two persists, and a plain map beside it. */
import { Folder } from "../../../protocol/partition/folder.ts";
import type { Flows } from "../../../protocol/partition/flows.ts";
import type { StorageOp } from "../../../protocol/partition/effects.ts";
import { Results } from "../../../protocol/results/results.ts";
import type { StoredResult } from "../../../protocol/results/stored-result.ts";
import { Blocks } from "../../../protocol/state/blocks/blocks.ts";
import { SPACE } from "../../../protocol/state/blocks/block.ts";
import { StateStore, type Write } from "../../../protocol/state/store.ts";
import { MapStore } from "../../../sim/map-store.ts";
import { createRandom, type Random } from "../../../sim/random.ts";
import { kernels } from "./lone-partition.ts";

const NO_FLOWS = { bytes: 0, checkpoints: () => [] } as unknown as Flows;

interface Entry {
  readonly writes: readonly Write[];
  readonly results: readonly StoredResult[];
  readonly at: number;
}

/** What one turn persisted: a record, or what a fold or a merge did. */
type Persisted = { readonly entry: Entry } | { readonly ops: readonly StorageOp[] };

export class Folding {
  readonly random: Random;
  readonly #cacheBytes: number;
  /** What survives a crash, whatever happens; and what this instance sees. */
  #disk = new MapStore();
  seen = new MapStore();
  #durable: Entry[] = [];
  #log: Entry[] = [];
  #unconfirmed: Persisted[] = [];
  blocks!: Blocks;
  store!: StateStore;
  results!: Results;
  folder!: Folder;
  now = 1_800_000_000_000;
  /** Errors of blocks that could not be read. */
  readonly damage: unknown[] = [];
  /** What the last turn has persisted. */
  lastOps: readonly StorageOp[] = [];
  /** Turns that merged, and those that folded. */
  merges = 0;
  folds = 0;

  constructor(seed: number, cacheBytes: number) {
    this.random = createRandom(seed);
    this.#cacheBytes = cacheBytes;
    this.#open();
  }

  #open(): void {
    this.seen = this.#disk.copy();
    const recovered = this.seen.recovered();
    this.blocks = new Blocks(kernels, this.seen, recovered.blocks, (error) => void this.damage.push(error));
    this.store = new StateStore(this.blocks, this.#cacheBytes);
    this.results = new Results(this.blocks);
    const sizes: Array<{ seq: number; bytes: number }> = [];
    for (const [at, entry] of this.#log.entries()) {
      if (at + 1 <= recovered.folded) continue;
      this.#apply(entry, at + 1);
      sizes.push({ seq: at + 1, bytes: sizeOf(entry) });
    }
    const limits = { firstUndecidedSeq: () => undefined, decided: () => 0 };
    const log = { folded: recovered.folded, sizes };
    this.folder = new Folder(kernels, this.blocks, this.store, this.results, NO_FLOWS, log, limits);
  }

  #apply({ writes, results, at }: Entry, seq: number): void {
    this.store.apply(writes, seq);
    for (const result of results) this.results.add(result, seq, at);
  }

  commit(writes: readonly Write[], results: readonly StoredResult[] = []): void {
    const entry = { writes, results, at: this.now };
    this.#log.push(entry);
    this.#apply(entry, this.#log.length);
    this.folder.written(this.#log.length, sizeOf(entry));
    this.#unconfirmed.push({ entry });
  }

  /** One turn of folding or merging; false when there was nothing to do. */
  turn(): boolean {
    if (!this.folder.isActive && !this.folder.isDue(this.now)) return false;
    const runs = this.blocks.trees[SPACE.state].runs.length;
    const isFold = this.folder.isActive;
    const ops = this.folder.turn(this.now);
    for (const op of ops) this.seen.perform(op);
    this.lastOps = ops;
    this.#unconfirmed.push({ ops });
    if (isFold || this.folder.isActive) this.folds += 1;
    else if (runs > 0) this.merges += 1;
    return true;
  }

  settle(): void {
    for (let turns = 0; this.turn(); turns++) if (turns > 100_000) throw new Error("it never comes to rest");
  }

  /** Memory is lost; any first part of what was persisted last has reached the disk. */
  crash(): void {
    for (const persisted of this.#unconfirmed.splice(0, this.random.int(this.#unconfirmed.length + 1))) {
      if ("entry" in persisted) this.#durable.push(persisted.entry);
      else for (const op of persisted.ops) this.#disk.perform(op);
    }
    this.#unconfirmed = [];
    this.#log = [...this.#durable];
    this.#open();
  }

  /** Everything is durable, and memory is lost. */
  restart(): void {
    for (const persisted of this.#unconfirmed.splice(0)) {
      if ("entry" in persisted) this.#durable.push(persisted.entry);
      else for (const op of persisted.ops) this.#disk.perform(op);
    }
    this.#open();
  }

  get disk(): MapStore {
    return this.#disk;
  }

  /** What a plain map would hold, and when each result was recorded. */
  model(): { state: Map<string, string>; results: Map<string, { result: StoredResult; at: number }> } {
    const state = new Map<string, string>();
    const results = new Map<string, { result: StoredResult; at: number }>();
    for (const { writes, results: added, at } of this.#log) {
      for (const { op, key, text } of writes) {
        if (op === "put") state.set(key, text);
        else if (op === "delete") state.delete(key);
        else for (const known of state.keys()) if (known.startsWith(key)) state.delete(known);
      }
      for (const result of added) results.set(result.requestId, { result, at });
    }
    return { state, results };
  }
}

function sizeOf({ writes, results }: Entry): number {
  const state = writes.reduce((sum, { key, text }) => sum + 24 + key.length + text.length, 0);
  return results.reduce((sum, { requestId, body }) => sum + 24 + requestId.length + body.length, state);
}
