/** Pairs of all entities in the order of their keys, some at a time: for those who read everything. */
import { BLOCK_FLAG, type BlockRow } from "../../../core-wasm/types.ts";
import { entityOf } from "../indexes.ts";
import { compareKeys } from "../state-key.ts";

/** A run as it is read here, the newest first. */
export interface PagedRun {
  readonly rows: Iterator<BlockRow>;
  /** Whether it voids what older runs hold under an entity. */
  clears(entity: string): boolean;
}

/** At most `limit` pairs. In a space without entities nothing is cleared. */
export function pageOf(runs: readonly PagedRun[], limit: number, hasEntities: boolean): Array<[string, string]> {
  const heads = runs.map(({ rows }) => headOf(rows));
  const found: Array<[string, string]> = [];
  let entity = "";
  /** The newest run that clears the entity; what is older than that is void. */
  let clearedBy = Infinity;
  while (found.length < limit) {
    const at = newestOfLeast(heads);
    const row = heads[at];
    if (!row) break;
    const { key, flags, text } = row;
    for (const [other, head] of heads.entries())
      if (head?.key === key) heads[other] = headOf((runs[other] as PagedRun).rows);
    if (hasEntities && (entity === "" || !key.startsWith(entity))) {
      entity = entityOf(key);
      const cleared = runs.findIndex((run) => run.clears(entity));
      clearedBy = cleared < 0 ? Infinity : cleared;
    }
    if (at <= clearedBy && (flags & BLOCK_FLAG.deleted) === 0) found.push([key, text]);
  }
  return found;
}

function headOf(rows: Iterator<BlockRow>): BlockRow | undefined {
  const next = rows.next();
  return next.done === true ? undefined : next.value;
}

/** The run whose row is to come next: of those with the least key the newest. */
function newestOfLeast(heads: ReadonlyArray<BlockRow | undefined>): number {
  let best = -1;
  for (const [at, head] of heads.entries()) {
    const known = heads[best];
    if (head && (!known || compareKeys(head.key, known.key) < 0)) best = at;
  }
  return best;
}
