/** What earlier runs left, kept in one file of the data folder, so that the next run can see whether all of it is still there. */
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { CustomerState } from "./customer.ts";
import { UsageError } from "./options.ts";
import type { Level } from "./shelf.ts";
import type { Totals } from "./view.ts";
import type { Row } from "./windows.ts";

/** Runs that are remembered; of older ones the sums remain, in stock and totals. */
const RUNS_MAX = 3;

export interface PastRun {
  readonly run: string;
  readonly customers: readonly CustomerState[];
  /** Rows of the view with windows from `start` up to `end`; absent for a run without events. */
  readonly sales?: { readonly start: number; readonly end: number; readonly rows: number; readonly digest: string };
}

export interface History {
  readonly version: 2;
  /** Runs so far, finished or not. */
  readonly count: number;
  readonly runs: readonly PastRun[];
  /** Name of a run that has begun and not ended: what it left is unknown. */
  readonly unfinished?: string;
  /** Levels by article. */
  readonly stock: Readonly<Record<string, Level>>;
  /** Counters of the view; absent before the first events. */
  readonly totals?: Totals;
}

const EMPTY: History = { version: 2, count: 0, runs: [], stock: {} };

/** @throws UsageError for a file that is not a history */
export async function readHistory(file: string): Promise<History> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return EMPTY;
  try {
    const history = JSON.parse(text) as History;
    if (history.version === 2) return history;
  } catch {
    // Said below, together with the file's name.
  }
  throw new UsageError(`${file} is not a history of this demo; move it away to begin anew`);
}

/** Replaces the file whole, so that an interruption leaves the old one. */
export async function writeHistory(file: string, history: History): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(history));
  await rename(`${file}.new`, file);
}

/** The history with one more run, which is at its end. */
export function withRun(history: History, run: PastRun, stock: History["stock"], totals: Totals): History {
  const { unfinished: _, ...rest } = history;
  const seen = Number.isFinite(totals.watermark) ? { totals } : {};
  return { ...rest, runs: [...history.runs, run].slice(-RUNS_MAX), stock: { ...history.stock, ...stock }, ...seen };
}

/** SHA-256 over rows of a view with windows from `start` up to `end`, whether closed or not. */
export function digestRows(
  rows: ReadonlyMap<string, Row>,
  start: number,
  end: number,
): { readonly rows: number; readonly digest: string } {
  const texts: string[] = [];
  for (const [place, { sales, revenue, pieces, least, most }] of rows) {
    const window = Number.parseInt(place, 10);
    if (window >= start && window < end) texts.push(JSON.stringify([place, sales, revenue, pieces, least, most]));
  }
  return { rows: texts.length, digest: createHash("sha256").update(texts.sort().join("\n")).digest("hex") };
}
