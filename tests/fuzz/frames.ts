/** Fuzzing of columns frames: damaged anywhere and sealed again, so that the checksum does not hide what lies behind it. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { type Cell, decodeColumns } from "../../core-wasm/reference/columns.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { xxh64 } from "../../core-wasm/reference/xxh64.ts";
import { CorruptError, type EventColumn, type Kernels } from "../../core-wasm/types.ts";
import { randomBody, randomColumns } from "../core-wasm/support/events.ts";
import type { Random } from "../core-wasm/support/random.ts";
import { utf8 } from "../core-wasm/support/subjects.ts";

const MUTANTS = 40;
const HEADER = 32;
const CHECKSUM_AT = 24;
const GROUPS = Uint16Array.from({ length: 16 }, (_, group) => group % 3);

function resealed(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset);
  view.setBigUint64(CHECKSUM_AT, xxh64(frame.subarray(HEADER), xxh64(frame.subarray(0, CHECKSUM_AT))), true);
  return frame;
}

const NO_UTF8 = "no UTF-8";

/** What the parts of a frame hold, as text, or that it is refused. A damaged dictionary may have a string twice: the values count. @throws what is neither */
function split(kernels: Kernels, frame: Uint8Array, columns: readonly EventColumn[], key: number): string {
  try {
    const parts = kernels.splitEvents(frame, columns, key, GROUPS);
    const shown = parts.map((part) => {
      const cells = decodeColumns(part.frame).columns.map((column) => column.cells.map(showCell));
      return [part.partition, part.rows, cells];
    });
    return JSON.stringify(shown);
  } catch (error) {
    if (error instanceof CorruptError) return "refused";
    // The twin decodes texts; the kernel takes bytes as they are.
    if (error instanceof TypeError) return NO_UTF8;
    throw error;
  }
}

const showCell = (cell: Cell): string => `${typeof cell} ${Object.is(cell, -0) ? "-0" : String(cell)}`;

/** One round: a frame and damaged ones, split by the kernel and by its twin. Returns how many frames it tried. */
export function framesFuzz(): (random: Random) => number {
  const kernels = createKernels(loadCore());
  const twin = createReferenceKernels();
  return (random) => {
    const columns = randomColumns(random, 4);
    const key = columns.findIndex(({ type }) => type !== "f64");
    const parsed = twin.parseEvents(utf8(randomBody(columns, random.int(12), random)), columns);
    if (key < 0 || !parsed.ok) return 0;
    for (let i = 0; i <= MUTANTS; i++) {
      const frame = Uint8Array.from(parsed.frame);
      for (let changes = i === 0 ? 0 : 1 + random.int(3); changes > 0; changes--) {
        const at = random.int(3) === 0 ? random.int(Math.min(frame.length, 128)) : random.int(frame.length);
        frame[at] = random.int(2) === 0 ? random.int(256) : (frame[at] as number) ^ (1 << random.int(8));
      }
      if (i > 0 && random.int(8) !== 0) resealed(frame);
      const [found, expected] = [split(kernels, frame, columns, key), split(twin, frame, columns, key)];
      if (found !== expected && expected !== NO_UTF8) {
        throw new Error(`${JSON.stringify(columns)}: ${found} instead of ${expected}`);
      }
    }
    return MUTANTS + 1;
  };
}
