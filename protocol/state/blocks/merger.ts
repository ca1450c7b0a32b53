/**
 * Merges: move blocks of a run into the next older one, a bounded step at a time. Each step leaves sound runs, so there is nothing to remember
 * between steps, and a crash costs none of them.
 */
import { BLOCK_FLAG, type Kernels, type SealedBlock } from "../../../core-wasm/types.ts";
import { LIMITS } from "../../limits.ts";
import type { StorageOp } from "../../partition/effects.ts";
import { entityOf } from "../indexes.ts";
import { BLOCK, type Block, type BlockLabel, SPACE, type Space, tailOf } from "./block.ts";
import type { Blocks } from "./blocks.ts";
import { isDamage } from "./damage.ts";
import { planMerge, voided } from "./merge-plan.ts";
import { isNamed, type Run } from "./run.ts";

/** Blocks of a run that a step looks at for one that can be moved: others are damaged, or meet what is. */
const MAX_TRIES = 16;

export class Merger {
  readonly #kernels: Kernels;
  readonly #blocks: Blocks;
  readonly #isFull: () => boolean;
  /** By run: the key up to which its blocks were moved last, so that every block has its turn. */
  readonly #cursors = new Map<number, string>();
  /** The pair that is being merged: it goes on until the upper run is empty, or there would be many runs of nearly one size. */
  #active: { readonly space: Space; readonly upper: number; readonly lower: number } | null = null;
  /** Nothing can be moved before something is folded or expires. */
  #stuck = false;

  /** @param isFull room is wanted: what was deleted takes it until it is merged with what deletes it, however little that is */
  constructor(kernels: Kernels, blocks: Blocks, isFull: () => boolean = () => false) {
    this.#kernels = kernels;
    this.#blocks = blocks;
    this.#isFull = isFull;
  }

  /** Something was folded. */
  folded(): void {
    this.#stuck = false;
  }

  /** Whether a step has something to do. */
  isDue(now: number): boolean {
    if (this.#stuck) return false;
    return this.#expired(now) !== undefined || this.#duePairs().next().done !== true;
  }

  /** So many runs that to look for an absent key becomes dear: folds wait. */
  get isBehind(): boolean {
    return !this.#stuck && this.#blocks.trees[SPACE.state].runs.length > LIMITS.maxRuns;
  }

  /** One step. Its operations are to be persisted together. */
  step(now: number): StorageOp[] {
    const expired = this.#expired(now);
    if (expired) return this.#drop(expired, SPACE.results, 0, Math.min(expired.blocks.length, LIMITS.dropsPerTurn));
    for (const [space, upper, lower] of this.#duePairs()) {
      const ops = this.#move(space, upper, lower);
      if (!ops) continue;
      this.#active = { space, upper: upper.number, lower: lower.number };
      return ops;
    }
    this.#active = null;
    this.#stuck = true;
    return [];
  }

  /** Of whatever age: those of messages are kept longer than those of clients, and between them. */
  #expired(now: number): Run | undefined {
    return this.#blocks.trees[SPACE.results].runs.find(({ expires }) => expires < now);
  }

  /** Neighbours that are to be merged, the pair that has been begun first. */
  *#duePairs(): Generator<[Space, Run, Run]> {
    if (this.#active) {
      const { space, upper: first, lower: second } = this.#active;
      const { runs: known } = this.#blocks.trees[space];
      const at = known.findIndex(({ number }) => number === first);
      const [upper, next] = [known[at], known[at + 1]];
      const lower = space === SPACE.results ? known.find(({ number }) => number === second) : next;
      if (upper && lower?.number === second) yield [space, upper, lower];
    }
    const { runs } = this.#blocks.trees[SPACE.state];
    const areAllDue = runs.length > LIMITS.maxRuns || this.#isFull();
    for (let at = 0; at + 1 < runs.length; at++) {
      const [upper, lower] = [runs[at] as Run, runs[at + 1] as Run];
      if (areAllDue || upper.bytes * LIMITS.runRatio >= lower.bytes) yield [SPACE.state, upper, lower];
    }
    yield* this.#dueResults();
  }

  /** Those of clients and those of messages lie between each other, and have no id in common: to their own kind they are neighbours. */
  *#dueResults(): Generator<[Space, Run, Run]> {
    const { runs } = this.#blocks.trees[SPACE.results];
    for (const kind of [true, false]) {
      const results = runs.filter((run) => isNamed(run) === kind);
      for (let at = 0; at + 1 < results.length; at++) {
        const [upper, lower] = [results[at] as Run, results[at + 1] as Run];
        // Results of one time only: a run is dropped as a whole when the last of it expires.
        if (upper.bytes >= lower.bytes && slotOf(upper) === slotOf(lower)) yield [SPACE.results, upper, lower];
      }
    }
  }

  #drop(run: Run, space: Space, at: number, count: number): StorageOp[] {
    const { ops, free } = this.#blocks.replace(run, at, count, []);
    this.#blocks.trees[space].dropEmpty();
    if (run.blocks.length === 0) this.#cursors.delete(run.number);
    return [...ops, ...free.map((id): StorageOp => ({ op: "drop-block", id }))];
  }

  #move(space: Space, upper: Run, lower: Run): StorageOp[] | null {
    const cursor = this.#cursors.get(upper.number);
    let at = cursor === undefined ? 0 : upper.seek(cursor);
    for (let tries = 0; tries < Math.min(MAX_TRIES, upper.blocks.length); tries++, at++) {
      if (at >= upper.blocks.length) at = 0;
      try {
        const ops = this.#moveBlock(space, upper, this.#behindClears(space, upper, at), lower);
        if (ops) return ops;
      } catch (error) {
        // What is damaged stays where it is, and what meets it.
        if (!isDamage(error)) throw error;
      }
    }
    return null;
  }

  /**
   * The place of a block that can go down now. What an entity holds since it was cleared must not go below the row that clears it: that row goes
   * first, and being the first of its entity it lies in the same block or in an earlier one.
   */
  #behindClears(space: Space, upper: Run, start: number): number {
    let at = start;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { first } = upper.blocks[at] as Block;
      if (space !== SPACE.state) return at;
      const entity = entityOf(first);
      if (first === entity || !this.#blocks.trees[space].clears(upper, entity)) return at;
      at = upper.seek(entity);
    }
    return 0;
  }

  #moveBlock(space: Space, upper: Run, at: number, lower: Run): StorageOp[] | null {
    const block = upper.blocks[at] as Block;
    if (this.#blocks.isDamaged(block)) return null;
    const bytes = this.#blocks.bytesOf(block);
    const dropped = block.clears > 0 ? this.#dropVoided(bytes, lower, space) : null;
    if (dropped) return dropped;
    const plan = planMerge(upper, at, lower, LIMITS);
    const met = lower.blocks.slice(plan.from, plan.from + plan.count);
    if (met.some((one) => this.#blocks.isDamaged(one))) return null;
    const isBottom = this.#blocks.trees[space].runs.at(-1) === lower;
    const restLabel: BlockLabel = { space, run: upper.number, expires: block.expires };
    const expires = met.reduce((latest, one) => Math.max(latest, one.expires), block.expires);
    const mergedLabel: BlockLabel = { space, run: lower.number, expires };
    const { merged, rest } = this.#kernels.mergeBlocks({
      spec: BLOCK,
      upper: [bytes],
      lower: met.map((one) => this.#blocks.bytesOf(one)),
      until: plan.until,
      bottom: isBottom,
      blockBytes: LIMITS.blockBytes,
      mergedTail: tailOf(mergedLabel),
      restTail: tailOf(restLabel),
    });
    this.#cursors.set(upper.number, plan.until ?? `${block.last}\u0000`);
    const first = this.#blocks.replace(
      lower,
      plan.from,
      plan.count,
      this.#labelled(mergedLabel, merged, isBottom ? 0 : 1),
    );
    const second = this.#blocks.replace(upper, at, 1, this.#labelled(restLabel, rest, block.clears), first.free);
    this.#blocks.trees[space].dropEmpty();
    if (upper.blocks.length === 0) this.#cursors.delete(upper.number);
    return [...first.ops, ...second.ops, ...second.free.map((id): StorageOp => ({ op: "drop-block", id }))];
  }

  /** How many rows are cleared is counted only where there may be some. */
  #labelled(
    label: BlockLabel,
    blocks: readonly SealedBlock[],
    clears: number,
  ): Array<{ label: BlockLabel; clears: number; sealed: SealedBlock }> {
    return blocks.map((sealed) => ({ label, clears: clears === 0 ? 0 : this.#clearsOf(sealed.bytes).length, sealed }));
  }

  /** Keys that are cleared in a block. */
  #clearsOf(bytes: Uint8Array): string[] {
    const rows = this.#kernels.rowsOfBlock(BLOCK, bytes, { from: "", to: BEYOND, limit: Infinity, reverse: false });
    return rows.filter(({ flags }) => (flags & BLOCK_FLAG.cleared) !== 0).map(({ key }) => key);
  }

  /** Drops blocks of the lower run, unread, that hold nothing but what is void; null when there are none. */
  #dropVoided(bytes: Uint8Array, lower: Run, space: Space): StorageOp[] | null {
    for (const entity of this.#clearsOf(bytes)) {
      const { at, count } = voided(lower, entity);
      if (count > 0) return this.#drop(lower, space, at, Math.min(count, LIMITS.dropsPerTurn));
    }
    return null;
  }
}

/** Above every key. */
const BEYOND = "\u{10ffff}";

function slotOf({ expires }: Run): number {
  return Math.floor(expires / LIMITS.resultSlotMs);
}
