/** Benchmark: a frame of invocations as objects' texts to checksummed bytes and back. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { Kernels, TableInput } from "../../core-wasm/types.ts";
import { seeded } from "./bids.ts";
import { type KernelResult, contest } from "./harness.ts";
import { packColumnar, unpackColumnar } from "./table-js.ts";

/** Of a table large enough that the layout counts. */
const TARGET = { idiomatic: 2.5, tuned: 1.2 };
const LARGE = 1000;
const BUSY_ROWS = 10_000;
const SPEC = { kind: 1, version: 1, columns: 4, fields: 5 };

/** A row as JSON has it: four numbers and five texts. */
export type FrameRow = readonly [number, number, number, number, string, string, string, string, string];

function makeRows(count: number): FrameRow[] {
  const random = seeded(9);
  const word = (): number => Math.floor(random() * 2 ** 32);
  return Array.from({ length: count }, (_, line) => {
    const id = `0123456789abcdef01234567${line.toString(16).padStart(8, "0")}`;
    const input = JSON.stringify({ to: `acc-${word() % 100_000}`, amount: word() % 100 });
    return [line, 0, word(), word(), id, "account", `acc-${word() % 100_000}`, "transfer", input];
  });
}

function inputOf(rows: readonly FrameRow[]): TableInput {
  const columns = rows.flatMap((row) => row.slice(0, 4) as number[]);
  const fields = rows.flatMap((row) => row.slice(4) as string[]);
  return { rows: rows.length, columns, fields };
}

/** Reads every cell, as a partition does. */
function readAll(kernels: Kernels, bytes: Uint8Array): number {
  const table = kernels.unpack(SPEC, bytes);
  let sum = 0;
  for (let row = 0; row < table.rows; row++) {
    for (let i = 0; i < SPEC.columns; i++) sum += table.column(row, i);
    for (let i = 0; i < SPEC.fields; i++) sum += table.field(row, i).length;
  }
  return sum;
}

function sumOf(rows: readonly FrameRow[]): number {
  let sum = 0;
  for (const row of rows) for (const cell of row) sum += typeof cell === "number" ? cell : cell.length;
  return sum;
}

/** Runs the benchmark; JSON carries no checksum, the columnar twin a 32-bit one. */
export function benchTable(): KernelResult[] {
  const kernels = createKernels(loadCore());
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  return [1, 10, LARGE].flatMap((count) => {
    const rows = makeRows(count);
    const input = inputOf(rows);
    const packed = kernels.pack(SPEC, input);
    const json = encoder.encode(JSON.stringify(rows));
    const columnar = packColumnar(input);
    const common = { rows: count, target: count >= LARGE ? TARGET : {}, repeat: BUSY_ROWS / count };
    return [
      contest({
        ...common,
        name: `pack ${count} rows`,
        wasm: { run: () => Math.sign(kernels.pack(SPEC, input).length) },
        idiomatic: { run: () => Math.sign(encoder.encode(JSON.stringify(rows)).length) },
        tuned: { run: () => Math.sign(packColumnar(input).length) },
      }),
      contest({
        ...common,
        name: `unpack and read ${count} rows`,
        wasm: { run: () => readAll(kernels, packed) },
        idiomatic: { run: () => sumOf(JSON.parse(decoder.decode(json)) as FrameRow[]) },
        tuned: { run: () => unpackColumnar(columnar) },
      }),
    ];
  });
}
