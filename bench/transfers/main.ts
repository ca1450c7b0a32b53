/** Transfers between two accounts, most of them on different partitions, over HTTP; beside a hand-written Durable Object in the same process. */
import { report, type Row } from "../lib/report.ts";
import type { TransferOptions } from "./options.ts";
import { profileTransfers } from "./profile.ts";
import { batchRows } from "./rows/batch.ts";
import { modelRows } from "./rows/model.ts";
import { aloneRows, oneRows } from "./rows/single.ts";
import { hotRows, zipf99Rows, zipf999Rows } from "./rows/skewed.ts";

/** Groups of rows by the name that `--only` takes. */
const GROUPS: Readonly<Record<string, (options: TransferOptions) => Promise<Row[]>>> = {
  batch: batchRows,
  one: oneRows,
  alone: aloneRows,
  "zipf-0.999": zipf999Rows,
  "zipf-0.99": zipf99Rows,
  hot: hotRows,
  model: modelRows,
};

export async function benchTransfers(options: TransferOptions): Promise<void> {
  const names = options.only === undefined ? Object.keys(GROUPS) : [options.only];
  if (!names.every((name) => name in GROUPS))
    throw new Error(`--only is one of ${Object.keys(GROUPS).join(", ")}, not ${options.only}`);
  if (options.profile) return profileTransfers(options);
  const rows: Row[] = [];
  for (const name of names) rows.push(...(await GROUPS[name]!(options)));
  await report("transfers", rows, {
    partitions: options.partitions,
    "bare objects": options.partitions,
    accounts: options.keys,
    "at once": options.atOnce,
    runs: options.runs,
    seconds: options.seconds,
    idempotency: "on",
    validation: "on",
    auth: "on",
    invariants: "checked after each run",
  });
}
