/** Batches on keys of which some are much in demand. */
import { pick, rowOf, type Row } from "../../lib/report.ts";
import { counted } from "../../lib/turns.ts";
import { type Skew, uniform, zipf } from "../accounts.ts";
import { closedRun } from "../batch-run.ts";
import type { TransferOptions } from "../options.ts";
import { onStage } from "../stage.ts";
import { loadNote } from "./batch.ts";
import { most, share } from "./common.ts";

const HOT_ACCOUNTS = 10;
const HOT_FIGURE = 3_000;
const ZIPF_FIGURE = 10_000;

export function hotSkew(): Skew {
  return uniform(HOT_ACCOUNTS, `${HOT_ACCOUNTS} hot accounts`);
}

export const zipf999Rows = (options: TransferOptions): Promise<Row[]> =>
  skewedRows(options, zipf(options.keys, 0.999), ZIPF_FIGURE);

export const zipf99Rows = (options: TransferOptions): Promise<Row[]> =>
  skewedRows(options, zipf(options.keys, 0.99), ZIPF_FIGURE);

export const hotRows = (options: TransferOptions): Promise<Row[]> => skewedRows(options, hotSkew(), HOT_FIGURE);

async function skewedRows(options: TransferOptions, skew: Skew, figure: number): Promise<Row[]> {
  const runs = await onStage(options, skew, (stage) => counted(options.runs, () => closedRun(stage)));
  const note = `${share(most(runs, "across"))} across two partitions; ${loadNote(runs)}`;
  return [
    rowOf(`/v1/batch, ${skew.name}`, "/s", pick(runs, "perSecond"), { figure }, note),
    rowOf("  p99, from sending to last line", "ms", pick(runs, "p99")),
  ];
}
