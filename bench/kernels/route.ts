/** Benchmark: the lines of a batch to frames per partition. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { Kernels, RoutedFrame, RouteOptions } from "../../core-wasm/types.ts";
import { seeded } from "./bids.ts";
import { type KernelResult, contest } from "./harness.ts";
import { type JsRow, routeIdiomatic, routeTuned, rowsOfIdiomatic, rowsOfTuned } from "./route-js.ts";

const LINES = 10_000;
const ACCOUNTS = 100_000;
const PARTITIONS = 8;
const TARGET = { idiomatic: 10, tuned: 3 };
const SPEC = { kind: 1, version: 1, columns: 4, fields: 5 };

const OPTIONS: RouteOptions = {
  spec: SPEC,
  groups: Uint16Array.from({ length: 256 }, (_, group) => group % PARTITIONS),
  edgeId: "0123456789abcdef01234567",
  clientScope: null,
  maxRows: 1_000_000,
  maxBytes: 16 * 1024 * 1024,
  maxLines: LINES,
};

/** Transfers between two random accounts. */
function makeBatch(lines: number): Uint8Array {
  const random = seeded(11);
  const account = (): string => `acc-${Math.floor(random() * ACCOUNTS)}`;
  const calls = Array.from({ length: lines }, () => ({
    service: "account",
    key: account(),
    function: "transfer",
    input: { to: account(), amount: 1 + Math.floor(random() * 100) },
  }));
  return new TextEncoder().encode(calls.map((call) => JSON.stringify(call)).join("\n"));
}

function rowsOfWasm(kernels: Kernels, { bytes }: RoutedFrame): JsRow[] {
  const table = kernels.unpack(SPEC, bytes);
  return Array.from(
    { length: table.rows },
    (_, row) => [0, 1, 2, 3, 4].map((i) => table.field(row, i)) as unknown as JsRow,
  );
}

/** Partition by partition, the rows of all three must be the same. */
function checkSame(kernels: Kernels, body: Uint8Array): void {
  const digest = <F extends { partition: number }>(frames: readonly F[], rows: (frame: F) => JsRow[]): string =>
    JSON.stringify(frames.toSorted((a, b) => a.partition - b.partition).map((frame) => [frame.partition, rows(frame)]));
  const wasm = digest(kernels.routeBatch(body, OPTIONS).frames, (frame) => rowsOfWasm(kernels, frame));
  if (digest(routeIdiomatic(body, OPTIONS), rowsOfIdiomatic) !== wasm) throw new Error("idiomatic routing differs");
  if (digest(routeTuned(body, OPTIONS), rowsOfTuned) !== wasm) throw new Error("tuned routing differs");
}

/** Runs the benchmark. */
export function benchRoute(): KernelResult[] {
  const kernels = createKernels(loadCore());
  return [LINES, 500].map((lines) => {
    const body = makeBatch(lines);
    checkSame(kernels, body);
    return contest({
      name: `route ${lines} lines to ${PARTITIONS} partitions`,
      rows: lines,
      target: TARGET,
      repeat: LINES / lines,
      wasm: { run: () => kernels.routeBatch(body, OPTIONS).frames.length },
      idiomatic: { run: () => routeIdiomatic(body, OPTIONS).length },
      tuned: { run: () => routeTuned(body, OPTIONS).length },
    });
  });
}
