/**
 * Erasing: takes rows out of blocks, in the place of merges, which would do so some time. What was cleared lies below its clear until the runs
 * are merged; and what a result says lies in its block until it expires.
 */
import { BLOCK_FLAG, type BlockRow, type Kernels } from "../../../core-wasm/types.ts";
import type { StorageOp } from "../../partition/effects.ts";
import { entityOf } from "../indexes.ts";
import { compareKeys } from "../state-key.ts";
import { afterEntity, BLOCK, type Block, clearsIn, seal, SPACE, type Space } from "./block.ts";
import type { Blocks } from "./blocks.ts";
import type { Run } from "./run.ts";

/** Above every key. */
const BEYOND = "\u{10ffff}";

/** What a block is to hold; nothing is changed yet. */
interface Rewriting {
  readonly run: Run;
  readonly block: Block;
  readonly rows: readonly BlockRow[];
}

/** What it needs is read before anything is changed: a damaged block ends it with all as it was. */
export class BlockEraser {
  readonly #kernels: Kernels;
  readonly #blocks: Blocks;

  constructor(kernels: Kernels, blocks: Blocks) {
    this.#kernels = kernels;
    this.#blocks = blocks;
  }

  /** Removes what is void of a cleared entity, its clear too. What was put under it since stays. @throws TidegateError `damaged-data` */
  entity(entity: string): StorageOp[] {
    const tree = this.#blocks.trees[SPACE.state];
    const clear = tree.runs.findIndex((run) => tree.clears(run, entity));
    // Nothing is void, and what deletes may hide something.
    if (clear < 0) return [];
    const changes: Rewriting[] = [];
    const to = afterEntity(entity);
    for (const [at, run] of tree.runs.entries()) {
      if (at < clear) continue;
      const keep = (row: BlockRow): BlockRow | null => {
        if (compareKeys(row.key, entity) < 0 || compareKeys(row.key, to) >= 0) return row;
        // Below this run nothing is left that it would hide.
        return at > clear || (row.flags & BLOCK_FLAG.deleted) !== 0 ? null : { ...row, flags: 0 };
      };
      changes.push(...this.#look(run, run.seek(entity), to, keep));
    }
    return this.#rewrite(SPACE.state, changes);
  }

  /**
   * Removes what older runs hold under a prefix where a newer one says that it is deleted, or has something else in its place, or all that its entity
   * held is cleared: messages that were delivered, what a line was taken out of, and what has gone elsewhere with its key.
   * @throws TidegateError `damaged-data`
   */
  hidden(entity: string): StorageOp[] {
    const tree = this.#blocks.trees[SPACE.state];
    const to = afterEntity(entity);
    const newer = new Set<string>();
    const cleared = new Set<string>();
    const changes: Rewriting[] = [];
    for (const run of tree.runs) {
      // What a run has beside a clear was put since.
      const clearedHere: string[] = [];
      const keep = (row: BlockRow): BlockRow | null => {
        if (compareKeys(row.key, entity) < 0 || compareKeys(row.key, to) >= 0) return row;
        if (cleared.has(entityOf(row.key))) return null;
        if ((row.flags & BLOCK_FLAG.cleared) !== 0) clearedHere.push(row.key);
        // Each run has a key once, so that what is known of it is a newer one's.
        if (newer.has(row.key)) return null;
        newer.add(row.key);
        return row;
      };
      changes.push(...this.#look(run, run.seek(entity), to, keep));
      for (const each of clearedHere) cleared.add(each);
    }
    return this.#rewrite(SPACE.state, changes);
  }

  /** Puts other texts in the place of some results: null leaves one as it is. @throws TidegateError `damaged-data` */
  results(change: (requestId: string, text: string) => string | null): StorageOp[] {
    const changes: Rewriting[] = [];
    const keep = (row: BlockRow): BlockRow => ({ ...row, text: change(row.key, row.text) ?? row.text });
    for (const run of this.#blocks.trees[SPACE.results].runs) changes.push(...this.#look(run, 0, BEYOND, keep));
    return this.#rewrite(SPACE.results, changes);
  }

  /** The blocks of a run from a number on, up to those that begin at or above a key, where a row changes or goes. */
  #look(run: Run, from: number, to: string, keep: (row: BlockRow) => BlockRow | null): Rewriting[] {
    const changes: Rewriting[] = [];
    for (const block of run.blocks.slice(from)) {
      if (compareKeys(block.first, to) >= 0) break;
      const all = this.#rowsOf(block);
      const rows = all.map(keep).filter((row) => row !== null);
      const isKept = rows.length === all.length && rows.every((row, n) => isSame(row, all[n] as BlockRow));
      if (!isKept) changes.push({ run, block, rows });
    }
    return changes;
  }

  #rewrite(space: Space, changes: readonly Rewriting[]): StorageOp[] {
    const ops: StorageOp[] = [];
    for (const { run, block, rows } of changes) {
      const sealed = rows.length === 0 ? [] : [this.#sealed(space, block, rows)];
      const replaced = this.#blocks.replace(run, run.blocks.indexOf(block), 1, sealed);
      ops.push(...replaced.ops, ...replaced.free.map((id): StorageOp => ({ op: "drop-block", id })));
    }
    if (space === SPACE.state) this.#blocks.trees[space].dropEmpty();
    return [...ops, ...this.#blocks.takeManifest()];
  }

  #rowsOf(block: Block): BlockRow[] {
    const all = { from: "", to: BEYOND, limit: Infinity, reverse: false };
    return this.#blocks.read(block, (bytes) => this.#kernels.rowsOfBlock(BLOCK, bytes, all));
  }

  #sealed(space: Space, { run, expires }: Block, rows: readonly BlockRow[]) {
    const label = { space, run, expires };
    const flags = rows.map((row) => row.flags);
    const input = { flags, keys: rows.map(({ key }) => key), texts: rows.map(({ text }) => text) };
    return { label, clears: clearsIn(flags), sealed: seal(this.#kernels, label, input) };
  }
}

function isSame(a: BlockRow, b: BlockRow): boolean {
  return a.flags === b.flags && a.text === b.text;
}
