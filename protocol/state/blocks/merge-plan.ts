/** What one step of a merge takes: a block of the newer of two neighbouring runs, and what it meets in the older one. */
import { entityOf } from "../indexes.ts";
import { compareKeys } from "../state-key.ts";
import { afterEntity, type Block } from "./block.ts";
import type { Run } from "./run.ts";

export interface MergePlan {
  /** Place of the block in the upper run. */
  readonly upper: number;
  /** Blocks of the lower run that take part: place of the first, and their number. */
  readonly from: number;
  readonly count: number;
  /** Rows of the upper block at or above this stay where they are; null for none. */
  readonly until: string | null;
}

export interface MergeBounds {
  /** Bytes that a step reads at most, and two blocks more. */
  readonly mergeBytes: number;
  readonly blockBytes: number;
}

/**
 * A cleared key voids all that begins with it, so it goes down only together with everything of that in the lower run: at most a block on
 * each side, since those between are dropped first.
 */
export function planMerge(upper: Run, at: number, lower: Run, { mergeBytes, blockBytes }: MergeBounds): MergePlan {
  const block = upper.blocks[at] as Block;
  const end = block.clears > 0 ? afterEntity(entityOf(block.last)) : null;
  const from = lower.seek(block.first);
  let bytes = block.bytes;
  let to = from;
  let until: string | null = null;
  for (; to < lower.blocks.length; to++) {
    const next = lower.blocks[to] as Block;
    const meets = compareKeys(next.first, block.last) <= 0 || (end !== null && compareKeys(next.first, end) < 0);
    if (!meets) break;
    if (to > from && bytes + next.bytes > mergeBytes) {
      until = cutBefore(block, next);
      if (until !== null) break;
    }
    bytes += next.bytes;
  }
  return { upper: at, ...withNeighbours(lower, from, to, bytes, until === null ? blockBytes : 0), until };
}

/** The key before which a step can end so that it need not take the lower block `next`; null when there is none. */
function cutBefore(block: Block, next: Block): string | null {
  if (block.clears === 0) return next.first;
  const entity = entityOf(next.first);
  return compareKeys(block.first, entity) < 0 ? entity : null;
}

/** Takes small neighbours along, or blocks would become ever smaller where much is deleted. */
function withNeighbours(
  lower: Run,
  from: number,
  to: number,
  bytes: number,
  room: number,
): Pick<MergePlan, "from" | "count"> {
  let [first, end, sum] = [from, to, bytes];
  const before = lower.blocks[first - 1];
  if (before && sum + before.bytes <= room) {
    first -= 1;
    sum += before.bytes;
  }
  const after = lower.blocks[end];
  if (after && sum + after.bytes <= room) end += 1;
  return { from: first, count: end - first };
}

/** Blocks of a run that lie within what a cleared key voids: place of the first, and their number. */
export function voided(run: Run, entity: string): { at: number; count: number } {
  const after = afterEntity(entity);
  let at = run.seek(entity);
  const first = run.blocks[at];
  if (first && compareKeys(first.first, entity) < 0) at += 1;
  let end = at;
  while (end < run.blocks.length && compareKeys((run.blocks[end] as Block).last, after) < 0) end += 1;
  return { at, count: end - at };
}
