/** Shows a benchmark's rows as a table with what is to be reached, and keeps them in bench/results. */
import { execFileSync } from "node:child_process";
import { appendFile, mkdir } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Smallest and largest of the runs whose median `value` is. */
  readonly range?: readonly [number, number];
  /** The figure to reach, and one further on that is hoped for; `atMost` for latencies. */
  readonly target?: { readonly figure: number; readonly goal?: number; readonly atMost?: boolean };
  readonly note?: string;
}

function passes(value: number, figure: number, atMost = false): boolean {
  return atMost ? value <= figure : value >= figure;
}

function showTarget({ figure, goal, atMost }: NonNullable<Row["target"]>): string {
  return `${atMost ? "<=" : ">="} ${show(figure)}${goal === undefined ? "" : `, goal ${show(goal)}`}`;
}

function verdict({ value, target }: Row): string {
  if (!target) return "";
  if (!passes(value, target.figure, target.atMost)) return "NOT reached";
  return target.goal !== undefined && passes(value, target.goal, target.atMost) ? "goal reached" : "reached";
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** One figure of every run. */
export function pick<F extends string>(runs: ReadonlyArray<Readonly<Record<F, number>>>, figure: F): number[] {
  return runs.map((run) => run[figure]);
}

/** A row from the runs of one figure. */
export function rowOf(what: string, unit: string, runs: readonly number[], target?: Row["target"], note?: string): Row {
  return {
    what,
    unit,
    value: median(runs),
    range: [Math.min(...runs), Math.max(...runs)],
    ...(target ? { target } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export async function report(
  name: string,
  rows: readonly Row[],
  conditions: Readonly<Record<string, unknown>>,
): Promise<void> {
  console.log(
    `\n${name}: ${Object.entries(conditions)
      .map(([key, value]) => `${key} ${String(value)}`)
      .join(", ")}`,
  );
  const cells = rows.map((row) => [
    row.what,
    `${show(row.value)} ${row.unit}`,
    row.range ? `${show(row.range[0])} .. ${show(row.range[1])}` : "",
    row.target ? showTarget(row.target) : "",
    verdict(row),
    row.note ?? "",
  ]);
  const header = ["what", "median", "min .. max", "to reach", "", "note"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((cell) => (cell[column] as string).length)),
  );
  for (const cell of [header, ...cells])
    console.log(
      cell
        .map((text, column) => text.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    );
  await keep(name, rows, conditions);
}

async function keep(name: string, rows: readonly Row[], conditions: Readonly<Record<string, unknown>>): Promise<void> {
  const folder = join(import.meta.dirname, "..", "results");
  await mkdir(folder, { recursive: true });
  const line = { date: new Date().toISOString(), commit: commit(), machine: machine(), conditions, rows };
  await appendFile(join(folder, `${name}.jsonl`), `${JSON.stringify(line)}\n`);
}

/** The commit of a checkout, by default the one worked in, with `+` where code of it has been changed since. */
export function commit(cwd?: string): string {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd, encoding: "utf8", stdio: "pipe" }).trim();
  try {
    const dirty = git("status", "--porcelain", "--", "core-wasm", "dataflow", "durable", "protocol", "sdk", "worker");
    return git("rev-parse", "--short", "HEAD") + (dirty === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}

function machine(): string {
  const cores = cpus();
  return `${cores.length} x ${cores[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}`;
}
