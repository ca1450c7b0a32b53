/** Splitting of columns frames in Wasm. */
import { SLACK_BYTES } from "../limits.ts";
import { checkSplit } from "../split-check.ts";
import type { EventColumn, SplitFrame } from "../types.ts";
import { corrupt } from "./frames.ts";
import type { CoreInstance } from "./instance.ts";
import { addressOfKept } from "./kept-frame.ts";
import { typeNumber } from "./plan.ts";

interface SplitFunctions {
  nameHash(name: number, length: number): number;
  splitOpen(
    frame: number,
    length: number,
    own: number,
    expected: number,
    columns: number,
    key: number,
    groups: number,
    mask: number,
    partitions: number,
  ): number;
  splitRows(partition: number): number;
  splitBound(partition: number): number;
  splitWrite(partition: number, out: number): number;
}

const encoder = new TextEncoder();
/** What frames must have, by the array that declares it; it is not to be changed. */
const expectations = new WeakMap<readonly EventColumn[], Uint8Array>();

function expectationOf(core: CoreInstance, columns: readonly EventColumn[]): Uint8Array {
  const known = expectations.get(columns);
  if (known !== undefined) return known;
  const words = new Uint32Array(2 * columns.length);
  for (const [i, column] of columns.entries()) {
    const name = encoder.encode(column.name);
    words.set(
      [typeNumber(column), core.functions<SplitFunctions>().nameHash(core.writeScratch(name), name.length)],
      2 * i,
    );
  }
  const bytes = new Uint8Array(words.buffer);
  expectations.set(columns, bytes);
  return bytes;
}

/** See {@link Kernels.splitEvents}. */
export function splitEvents(
  core: CoreInstance,
  frame: Uint8Array,
  columns: readonly EventColumn[],
  key: number,
  groups: Uint16Array,
): SplitFrame[] {
  const partitions = checkSplit(columns, key, groups);
  core.resetScratch();
  const kernels = core.functions<SplitFunctions>();
  const expected = core.writeScratch(expectationOf(core, columns));
  const map = core.writeScratch(new Uint8Array(groups.buffer, groups.byteOffset, groups.byteLength));
  const kept = addressOfKept(core, frame);
  const at = kept === 0 ? core.writeScratch(frame) : kept;
  const own = kept === 0 ? 0 : 1;
  const wrong = kernels.splitOpen(
    at,
    frame.length,
    own,
    expected,
    columns.length,
    key,
    map,
    groups.length - 1,
    partitions,
  );
  if (wrong !== 0) throw corrupt(wrong, "a frame of these columns");
  const counts = Array.from({ length: partitions }, (_, partition) => kernels.splitRows(partition));
  const bound = counts.reduce(
    (most, rows, partition) => (rows > 0 ? Math.max(most, kernels.splitBound(partition)) : most),
    0,
  );
  // One after the other in the same place: what a split takes is the largest part of it.
  const out = core.scratch(bound + SLACK_BYTES);
  const frames: SplitFrame[] = [];
  for (const [partition, rows] of counts.entries()) {
    if (rows === 0) continue;
    const length = kernels.splitWrite(partition, out);
    frames.push({ partition, rows, frame: core.copy(out, length) });
  }
  return frames;
}
