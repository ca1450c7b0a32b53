/** Kernels beside idiomatic and hand-tuned JavaScript on the same bytes; both ratios are shown, since the first alone flatters Wasm. */
import { report, type Row } from "../lib/report.ts";
import { benchChecksum } from "./checksum.ts";
import { benchColumns } from "./columns.ts";
import type { KernelResult } from "./harness.ts";
import { benchHash } from "./hash.ts";
import { benchIngest } from "./ingest.ts";
import { benchPartition } from "./partition.ts";
import { benchRoute } from "./route.ts";
import { benchTable } from "./table.ts";
import { benchWindow } from "./window.ts";

const targetOf = (figure: number | undefined) => (figure === undefined ? {} : { target: { figure } });

function rowsOf(result: KernelResult): Row[] {
  const best = `fastest runs ${result.bestIdiomatic.toFixed(1)}x and ${result.bestTuned.toFixed(1)}x`;
  const times = `${best}; ${result.rows} rows: Wasm ${result.wasmMs.toPrecision(3)} ms, idiomatic ${result.idiomaticMs.toPrecision(3)}, tuned ${result.tunedMs.toPrecision(3)}`;
  return [
    {
      what: `${result.name}: against idiomatic JavaScript`,
      value: result.ratioIdiomatic,
      unit: "x",
      ...targetOf(result.target.idiomatic),
      note: times,
    },
    {
      what: `${result.name}: against hand-tuned JavaScript`,
      value: result.ratioTuned,
      unit: "x",
      ...targetOf(result.target.tuned),
    },
  ];
}

export async function benchKernels(): Promise<void> {
  const suites = [
    benchIngest,
    benchPartition,
    benchRoute,
    benchWindow,
    benchColumns,
    benchHash,
    benchChecksum,
    benchTable,
  ];
  const rows: Row[] = [];
  for (const suite of suites) {
    for (const result of suite()) rows.push(...rowsOf(result));
    console.log(`done: ${suite.name}`);
  }
  await report("kernels", rows, { runs: "15 in turns, medians" });
}
