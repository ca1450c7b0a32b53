/**
 * All blocks of a partition: the index over them, reads, and the changes that folds and merges make. What a change does to the index and the
 * operations that do the same to storage are made together, and one turn persists them together, with the manifest; so a crash finds the
 * blocks as some turn left them, and no merge is ever half done.
 */
import { CorruptError, type Kernels, type SealedBlock } from "../../../core-wasm/types.ts";
import { LIMITS } from "../../limits.ts";
import type { StorageOp } from "../../partition/effects.ts";
import type { StoredResults, StoredState } from "../reader.ts";
import {
  BLOCK,
  type Block,
  type BlockLabel,
  checksumOf,
  clearsIn,
  headOf,
  readHead,
  rebuildHead,
  seal,
  SPACE,
  type Space,
} from "./block.ts";
import { BlockCache } from "./cache.ts";
import { damagedData } from "./damage.ts";
import { Manifest } from "./manifest.ts";
import { isNamed, type Run } from "./run.ts";
import { type ReadBlock, Tree } from "./tree.ts";

export interface StoredBlocks {
  /** Every block's id and head, in any order. */
  readonly heads: Iterable<{ readonly id: number; readonly head: Uint8Array }>;
  /** As the last change wrote it; undefined before the first. */
  readonly manifest: string | undefined;
}

export interface BlockSource {
  /** The bytes of a block, or undefined. */
  block(id: number): Uint8Array | undefined;
}

/** Rows that were sealed, or are to be. */
export interface Rows {
  readonly flags: number[];
  readonly keys: string[];
  readonly texts: string[];
}

export class Blocks implements StoredState, StoredResults {
  readonly #kernels: Kernels;
  readonly #source: BlockSource;
  readonly #cache = new BlockCache(LIMITS.blockCacheBytes);
  readonly #manifest = new Manifest();
  /** Ids of blocks that could not be read. */
  readonly #damaged = new Set<number>();
  readonly #onDamage: (error: unknown) => void;
  #filterBytes = 0;
  #nextId = 1;
  #nextRun = 1;
  #changed = false;
  readonly trees: Readonly<Record<Space, Tree>>;

  /** @throws CorruptError when blocks are missing, or what one held cannot be known */
  constructor(kernels: Kernels, source: BlockSource, stored: StoredBlocks, onDamage: (error: unknown) => void) {
    this.#kernels = kernels;
    this.#source = source;
    this.#onDamage = onDamage;
    const found: Block[] = [];
    for (const { id, head } of stored.heads) found.push(this.#register(this.#headOf(id, head)));
    this.#manifest.check(stored.manifest);
    const read: ReadBlock = (block, use) => this.read(block, use);
    const treeOf = (space: Space) =>
      new Tree(
        kernels,
        found.filter((block) => block.space === space),
        read,
      );
    this.trees = { [SPACE.state]: treeOf(SPACE.state), [SPACE.results]: treeOf(SPACE.results) };
  }

  #headOf(id: number, head: Uint8Array): Block {
    try {
      return readHead(this.#kernels, id, head);
    } catch (error) {
      const bytes = this.#source.block(id);
      if (!(error instanceof CorruptError) || !bytes) throw error;
      // It differs from what was stored, or the manifest will say so.
      return rebuildHead(this.#kernels, id, bytes);
    }
  }

  /** Takes a block into account; where memory for filters has run out, without its filter. */
  #register(block: Block): Block {
    this.#manifest.add(block);
    this.#nextId = Math.max(this.#nextId, block.id + 1);
    this.#nextRun = Math.max(this.#nextRun, block.run + 1);
    const bytes = block.filter?.length ?? 0;
    if (this.#filterBytes + bytes > LIMITS.maxFilterBytes) return { ...block, filter: null };
    this.#filterBytes += bytes;
    return block;
  }

  get resultBytes(): { readonly named: number; readonly messages: number } {
    let [named, messages] = [0, 0];
    for (const run of this.trees[SPACE.results].runs) {
      if (isNamed(run)) named += run.bytes;
      else messages += run.bytes;
    }
    return { named, messages };
  }

  get(key: string, entity: string): string | undefined {
    return this.trees[SPACE.state].get(key, entity);
  }

  range(entity: string, from: string, to: string, limit: number, reverse: boolean): Array<[string, string]> {
    return this.trees[SPACE.state].range(entity, from, to, limit, reverse);
  }

  page(from: string, limit: number): Array<[string, string]> {
    return this.trees[SPACE.state].page(from, limit);
  }

  resultsFrom(requestId: string, limit: number): Array<[string, string]> {
    return this.trees[SPACE.results].page(requestId, limit);
  }

  result(requestId: string): string | undefined {
    return this.trees[SPACE.results].get(requestId, requestId);
  }

  /** What a kernel makes of a block's bytes. @throws TidegateError `damaged-data` when they are not what was stored */
  read<T>(block: Block, use: (bytes: Uint8Array) => T): T {
    try {
      const known = this.#cache.get(block.id);
      if (known) return use(known);
      const bytes = this.#source.block(block.id);
      if (!bytes) throw new CorruptError("length", "the block is missing");
      const { low, high } = checksumOf(bytes);
      if (low !== block.sum.low || high !== block.sum.high) throw new CorruptError("checksum", "another block");
      const result = use(bytes);
      this.#cache.keep(block.id, bytes);
      return result;
    } catch (error) {
      throw this.#damage(block, error);
    }
  }

  /** The bytes of a block, verified. @throws TidegateError `damaged-data` */
  bytesOf(block: Block): Uint8Array {
    return this.read(block, (bytes) => {
      this.#kernels.checkBlock(BLOCK, bytes);
      return bytes;
    });
  }

  #damage(block: Block, cause: unknown): unknown {
    if (!(cause instanceof CorruptError)) return cause;
    const error = damagedData(block, cause);
    if (!this.#damaged.has(block.id)) this.#onDamage(error.cause);
    this.#damaged.add(block.id);
    return error;
  }

  isDamaged({ id }: Block): boolean {
    return this.#damaged.has(id);
  }
  get damaged(): number {
    return this.#damaged.size;
  }

  /** The number of a run newer than all others. */
  newRun(): number {
    return this.#nextRun++;
  }

  /** A turn begins: what earlier ones wrote is in storage. */
  turn(): void {
    this.#cache.turn();
  }

  /** Seals rows into one block, behind all others of its run. */
  append(label: BlockLabel, rows: Rows): StorageOp[] {
    const run = this.trees[label.space].run(label.run);
    const sealed = seal(this.#kernels, label, rows);
    return this.replace(run, run.blocks.length, 0, [{ label, clears: clearsIn(rows.flags), sealed }]).ops;
  }

  /**
   * Puts blocks in the place of `count` others of a run. Rows of storage that become free here are written anew: a row that is written over
   * costs one, to delete and to insert it two.
   */
  replace(
    run: Run,
    at: number,
    count: number,
    blocks: ReadonlyArray<{ readonly label: BlockLabel; readonly clears: number; readonly sealed: SealedBlock }>,
    free: number[] = [],
  ): { ops: StorageOp[]; free: number[] } {
    this.#changed = true;
    const replaced = run.blocks.slice(at, at + count);
    for (const gone of replaced) {
      this.#manifest.remove(gone);
      this.#filterBytes -= gone.filter?.length ?? 0;
      this.#cache.drop(gone.id);
      this.#damaged.delete(gone.id);
      free.push(gone.id);
    }
    const ops: StorageOp[] = [];
    const added = blocks.map(({ label, clears, sealed }) => {
      const id = free.shift() ?? this.#nextId;
      const { block, head } = headOf(this.#kernels, id, label, clears, sealed);
      ops.push({ op: "put-block", id, head, bytes: sealed.bytes });
      this.#cache.wrote(id, sealed.bytes);
      return this.#register(block);
    });
    run.replace(at, count, added);
    return { ops, free };
  }

  /** What must be persisted with the changes of this turn; nothing when there were none. */
  takeManifest(): StorageOp[] {
    if (!this.#changed) return [];
    this.#changed = false;
    return [{ op: "put-meta", name: "blocks", value: this.#manifest.encode() }];
  }
}
