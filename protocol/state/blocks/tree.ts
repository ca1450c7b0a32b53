/** Runs of blocks, newest first: what a key holds is what the newest run says that knows it. */
import { BLOCK_FLAG, type BlockRow, type Kernels } from "../../../core-wasm/types.ts";
import { compareKeys } from "../state-key.ts";
import { BLOCK, type Block } from "./block.ts";
import { pageOf } from "./page.ts";
import { Run } from "./run.ts";

/** Rows read from a block at a time: a range of few entries need not decode all of a block. */
const CHUNK = 64;

/** What is made of a block's bytes; or it throws, when they are damaged. */
export type ReadBlock = <T>(block: Block, use: (bytes: Uint8Array) => T) => T;

export class Tree {
  readonly #kernels: Kernels;
  readonly #read: ReadBlock;
  /** Newest first. */
  readonly runs: Run[];

  constructor(kernels: Kernels, blocks: readonly Block[], read: ReadBlock) {
    this.#kernels = kernels;
    this.#read = read;
    const byRun = new Map<number, Block[]>();
    for (const block of blocks) {
      const known = byRun.get(block.run);
      if (known) known.push(block);
      else byRun.set(block.run, [block]);
    }
    this.runs = [...byRun].map(([number, list]) => new Run(number, list)).sort((a, b) => b.number - a.number);
  }

  get bytes(): number {
    return this.runs.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  get blocks(): number {
    return this.runs.reduce((sum, run) => sum + run.blocks.length, 0);
  }

  /** The run of a number, made when there is none. */
  run(number: number): Run {
    const known = this.runs.find((run) => run.number === number);
    if (known) return known;
    const run = new Run(number);
    this.runs.push(run);
    this.runs.sort((a, b) => b.number - a.number);
    return run;
  }

  dropEmpty(): void {
    for (let at = this.runs.length - 1; at >= 0; at--) {
      if ((this.runs[at] as Run).blocks.length === 0) this.runs.splice(at, 1);
    }
  }

  /** The text under a key; `entity` is what a clear of it would name. */
  get(key: string, entity: string): string | undefined {
    for (const run of this.runs) {
      const row = this.#row(run, key, false);
      if (row) return (row.flags & BLOCK_FLAG.deleted) === 0 ? row.text : undefined;
      if (key !== entity && this.clears(run, entity)) return undefined;
    }
    return undefined;
  }

  #row(run: Run, key: string, cleared: boolean): BlockRow | null {
    const block = run.at(key);
    if (!block || (block.filter && !this.#kernels.mayHold(block.filter, key, cleared))) return null;
    return this.#read(block, (bytes) => this.#kernels.findInBlock(BLOCK, bytes, key));
  }

  /** Whether a run voids what older ones hold under an entity. */
  clears(run: Run, entity: string): boolean {
    const row = this.#row(run, entity, true);
    return row !== null && (row.flags & BLOCK_FLAG.cleared) !== 0;
  }

  /** Pairs with `from <= key < to` of one entity, at most `limit`, ascending unless reversed. */
  range(entity: string, from: string, to: string, limit: number, reverse: boolean): Array<[string, string]> {
    const cursors: Cursor[] = [];
    for (const run of this.runs) {
      cursors.push(new Cursor(this.#rows(run, from, to, Math.min(limit, CHUNK), reverse)));
      if (this.clears(run, entity)) break;
    }
    const found: Array<[string, string]> = [];
    while (found.length < limit) {
      const row = nextOf(cursors, reverse);
      if (!row) break;
      if ((row.flags & BLOCK_FLAG.deleted) === 0) found.push([row.key, row.text]);
    }
    return found;
  }

  /** Pairs of all entities with `from <= key < to`, at most `limit`, ascending. */
  page(from: string, to: string, limit: number, hasEntities: boolean): Array<[string, string]> {
    const runs = this.runs.map((run) => ({
      rows: this.#rows(run, from, to, CHUNK, false),
      clears: (entity: string) => this.clears(run, entity),
    }));
    return pageOf(runs, limit, hasEntities);
  }

  *#rows(run: Run, from: string, to: string, limit: number, reverse: boolean): Generator<BlockRow> {
    const step = reverse ? -1 : 1;
    for (let at = reverse ? run.seek(to) : run.seek(from); ; at += step) {
      const block = run.blocks[at];
      // Behind the last block there may be no other, and still be some before.
      if (!block && reverse && at === run.blocks.length && at > 0) continue;
      if (!block || (reverse ? compareKeys(block.last, from) < 0 : compareKeys(block.first, to) >= 0)) return;
      yield* this.#rowsOf(block, from, to, limit, reverse);
    }
  }

  *#rowsOf(block: Block, from: string, to: string, limit: number, reverse: boolean): Generator<BlockRow> {
    let [low, high] = [from, to];
    while (true) {
      const part = { from: low, to: high, limit, reverse };
      const rows = this.#read(block, (bytes) => this.#kernels.rowsOfBlock(BLOCK, bytes, part));
      yield* rows;
      const last = rows.at(-1);
      if (!last || rows.length < limit) return;
      if (reverse) high = last.key;
      // The least text above the key.
      else low = `${last.key}\u0000`;
    }
  }
}

class Cursor {
  readonly #rows: Iterator<BlockRow>;
  head: BlockRow | undefined;

  constructor(rows: Iterator<BlockRow>) {
    this.#rows = rows;
    this.advance();
  }

  advance(): void {
    const next = this.#rows.next();
    this.head = next.done === true ? undefined : next.value;
  }
}

/** The next key's newest row; cursors are of runs, newest first. */
function nextOf(cursors: readonly Cursor[], reverse: boolean): BlockRow | undefined {
  let best: BlockRow | undefined;
  for (const { head } of cursors) {
    if (!head) continue;
    const order = best ? compareKeys(head.key, best.key) : 0;
    if (!best || (reverse ? order > 0 : order < 0)) best = head;
  }
  if (!best) return undefined;
  for (const cursor of cursors) if (cursor.head?.key === best.key) cursor.advance();
  return best;
}
