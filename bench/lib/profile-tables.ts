/** Prints where the time of a profile went, by functions and by files. */
import type { FunctionTime } from "./profile.ts";

const SHOWN = 45;
const SHOWN_LINES = 30;
const LINE_CHARS = 110;
/** Time in which nothing ran. */
const IDLE = "(idle)";

/** Prints the functions with the longest own time, in shares of the time that is not idle. */
export function printFunctions(
  times: readonly FunctionTime[],
  per: { readonly count: number; readonly what: string },
): void {
  const busy = sumOf(busyOf(times));
  const perOne = `us/${per.what}`;
  console.log(`busy ${seconds(busy)}, idle ${seconds(sumOf(times) - busy)}, ${per.count} ${per.what}s\n`);
  console.log(`  self %  total %  ${perOne}  function`);
  for (const { name, file, self, total } of busyOf(times).slice(0, SHOWN)) {
    const one = (self / per.count).toFixed(2).padStart(perOne.length);
    console.log(`${percent(self, busy)} ${percent(total, busy)}  ${one}  ${name}  ${file}`);
  }
}

/** Prints the own time of whole files, longest first. */
export function printFiles(times: readonly FunctionTime[]): void {
  const busy = sumOf(busyOf(times));
  const files = new Map<string, number>();
  for (const { file, name, self } of busyOf(times)) files.set(file || name, (files.get(file || name) ?? 0) + self);
  console.log("\n  self %  file");
  for (const [file, self] of [...files].sort((a, b) => b[1] - a[1]).slice(0, SHOWN))
    console.log(`${percent(self, busy)}  ${file}`);
}

/** Prints the lines at which most samples were taken. @param source of a line: its file and its text */
export function printLines(
  lines: ReadonlyArray<readonly [line: number, ticks: number]>,
  source: (line: number) => readonly [file: string, text: string],
): void {
  const all = lines.reduce((sum, [, ticks]) => sum + ticks, 0);
  console.log("\n  self %  line (of the script's own time)");
  for (const [line, ticks] of lines.slice(0, SHOWN_LINES)) {
    const [file, text] = source(line);
    console.log(`${percent(ticks, all)}  ${file}: ${text.trim().slice(0, LINE_CHARS)}`);
  }
}

function busyOf(times: readonly FunctionTime[]): FunctionTime[] {
  return times.filter(({ name }) => name !== IDLE);
}

function sumOf(times: readonly FunctionTime[]): number {
  return times.reduce((sum, { self }) => sum + self, 0);
}

function percent(part: number, whole: number): string {
  return ((part / whole) * 100).toFixed(1).padStart(8);
}

function seconds(microseconds: number): string {
  return `${(microseconds / 1e6).toFixed(2)} s`;
}
