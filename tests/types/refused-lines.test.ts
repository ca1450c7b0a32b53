/** Checks that each `@ts-expect-error` of the type tests errs for the reason that it names, not for a typing mistake of its own. */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const DIRECTIVE = /@ts-expect-error (TS\d+): \S/;

interface Refusal {
  readonly file: string;
  /** Of the directive; from 1. */
  readonly line: number;
  readonly code: string;
}

/** Compiles with the directives made harmless, and returns the errors as `file(line): code`. */
async function compile(sources: ReadonlyMap<string, string>, directory: string): Promise<Set<string>> {
  for (const [file, source] of sources) {
    const absolute = source.replaceAll('"../../', `"${root}/`).replaceAll('"./', `"${here}/`);
    await writeFile(join(directory, file), absolute.replaceAll("@ts-expect-error", "expected:"));
  }
  const compilerOptions = { types: [join(root, "node_modules/@cloudflare/workers-types")], noUnusedLocals: false };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
  const run = promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", directory, "--pretty", "false"]);
  const output = await run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  return new Set(
    Array.from(
      output.matchAll(/^(?:.*\/)?([^/\s]+\.ts)\((\d+),\d+\): error (TS\d+)/gm),
      (m) => `${m[1]}(${m[2]}): ${m[3]}`,
    ),
  );
}

describe("lines that must not compile", () => {
  const refusals: Refusal[] = [];
  let errors = new Set<string>();
  let directory = "";

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "tidegate-types-"));
    const sources = new Map<string, string>();
    for (const file of await readdir(here))
      if (file.endsWith(".test-d.ts")) sources.set(file, await readFile(join(here, file), "utf8"));
    for (const [file, source] of sources) {
      source.split("\n").forEach((text, index) => {
        if (!text.includes("// @ts-expect-error")) return;
        refusals.push({ file, line: index + 1, code: DIRECTIVE.exec(text)?.[1] ?? `no reason given: ${text.trim()}` });
      });
    }
    errors = await compile(sources, directory);
  }, 60_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test("err on the very next line, with the code they name, and nothing else errs", () => {
    expect(refusals.length).toBeGreaterThan(40);
    const expected = refusals.map(({ file, line, code }) => `${file}(${line + 1}): ${code}`);
    expect(Array.from(errors).sort()).toEqual(expected.sort());
  });
});
