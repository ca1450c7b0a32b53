/** What a command of `npx tidegate` is, and how it fails. */

/** One option, as `node:util`'s parser takes it, with what the help says of it. */
export interface Option {
  readonly type: "string" | "boolean";
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly help: string;
}
export type Options = Readonly<Record<string, Option>>;

/** What a person gave: texts by name, and `true` for what takes none. */
export interface Given {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** Where a command runs, and whom it talks to. */
export interface Terminal {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** For programs: results. */
  out(line: string): void;
  /** For people: progress and complaints. */
  err(line: string): void;
}

export interface Command {
  /** A line for the list of commands. */
  readonly summary: string;
  /** Behind `tidegate` and the command's name. */
  readonly usage: string;
  /** Positionals: at least, at most. */
  readonly takes: readonly [number, number];
  readonly options: Options;
  /** What else the help says. */
  readonly details?: string;
  /** @returns the exit code. @throws UsageError, Failure */
  run(given: Given, terminal: Terminal): Promise<number>;
}

/** Exit codes; every command's. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** The command line makes no sense: exit code 2, with a hint at `--help`. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** It did not work, and this says why: exit code 1, without a stack. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** A text that a header is to have: printable ASCII. @throws UsageError for another one */
export function headerText(given: Given, name: string): string | undefined {
  const value = text(given, name);
  if (value === undefined || /^[ -~]+$/.test(value)) return value;
  throw new UsageError(`--${name} is printable ASCII`);
}

/** A text that was given. */
export function text({ values }: Given, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** A whole number that was given, or the default. @throws UsageError */
export function whole(given: Given, name: string, fallback: number, least: number, most: number): number {
  const value = text(given, name);
  if (value === undefined) return fallback;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not "${value}"`);
}
