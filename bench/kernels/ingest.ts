/** Benchmark: 100,000 bids from NDJSON bytes to windowed groups, fully validated on the Wasm side. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { EventColumn, Kernels, WindowPlan, WindowState } from "../../core-wasm/types.ts";
import { MIN_PRICE, WINDOW_MS, makeBids } from "./bids.ts";
import { type KernelResult, contest } from "./harness.ts";
import { type Ingested, ingestIdiomatic, ingestTuned } from "./ingest-js.ts";

const BIDS = 100_000;
const TARGET = { idiomatic: 8, tuned: 3 };

export const BID_COLUMNS: readonly EventColumn[] = [
  { name: "auction", type: "i64" },
  { name: "price", type: "i64" },
  { name: "dateTime", type: "i64" },
];

export const BID_PLAN: WindowPlan = {
  columns: BID_COLUMNS,
  filter: [{ column: 1, op: "ge", value: MIN_PRICE }],
  key: 0,
  time: 2,
  size: WINDOW_MS,
  measures: [1],
  maxGroups: 1_000_000,
};

function ingestWasm(kernels: Kernels, body: Uint8Array, state: WindowState): number {
  const parsed = kernels.parseEvents(body, BID_COLUMNS);
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.fault)}`);
  return state.apply(parsed.frame, -(2n ** 63n)).applied;
}

/** Every group of the kernel must be in the other's result with the same values, and there must be no others. */
function checkSame(kernels: Kernels, body: Uint8Array, others: readonly Ingested[]): void {
  const state = kernels.openWindow(BID_PLAN);
  ingestWasm(kernels, body, state);
  const groups = kernels.readGroups(state.snapshot());
  state.free();
  for (const other of others) {
    if (other.groups !== groups.length) throw new Error(`${groups.length} groups against ${other.groups}`);
    for (const { key, start, count, measures } of groups) {
      const same = other.group(Number(start), Number(key));
      const sound =
        same?.count === Number(count) && same.sum === Number(measures[0]?.sum) && same.max === Number(measures[0]?.max);
      if (!sound) throw new Error(`auction ${key} of window ${start} differs`);
    }
  }
}

/** Runs the benchmark. */
export function benchIngest(): KernelResult[] {
  const kernels = createKernels(loadCore());
  const body = makeBids(BIDS);
  checkSame(kernels, body, [ingestIdiomatic(body), ingestTuned(body)]);
  const digest = (applied: number, groups: number): string => `${applied} rows, ${groups} groups`;
  const js = (ingest: (body: Uint8Array) => Ingested) => (): string => {
    const { applied, groups } = ingest(body);
    return digest(applied, groups);
  };
  return [
    contest({
      name: `ingest (${(body.length / BIDS).toFixed(0)} B events)`,
      rows: BIDS,
      target: TARGET,
      wasm: {
        run: () => {
          const state = kernels.openWindow(BID_PLAN);
          const applied = ingestWasm(kernels, body, state);
          const result = digest(applied, state.groups);
          state.free();
          return result;
        },
      },
      idiomatic: { run: js(ingestIdiomatic) },
      tuned: { run: js(ingestTuned) },
    }),
  ];
}
