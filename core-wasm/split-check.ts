/** What a split must be asked with, checked in one place for the kernels and their twins. */
import type { EventColumn } from "./types.ts";

/** Number of partitions that the groups name. @throws RangeError `bad-split: …` */
export function checkSplit(columns: readonly EventColumn[], key: number, groups: Uint16Array): number {
  const type = columns[key]?.type;
  if (type === undefined || type === "f64") throw new RangeError(`bad-split: column ${key} cannot be a key`);
  const { length } = groups;
  if (length === 0 || (length & (length - 1)) !== 0) throw new RangeError(`bad-split: ${length} is not a power of two`);
  return groups.reduce((most, partition) => Math.max(most, partition), 0) + 1;
}
