/** What the client costs its users: its bundle, and what it must not pull in. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const directory = mkdtempSync(join(tmpdir(), "tidegate-client-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const GZIPPED_MAX = 5_000;

test("the client is below 5 KB gzipped and contains nothing of the server", () => {
  const [bundle, metafile] = [join(directory, "client.js"), join(directory, "meta.json")];
  const flags = [
    "--bundle",
    "--minify",
    "--format=esm",
    `--outfile=${bundle}`,
    `--metafile=${metafile}`,
    "--log-level=error",
  ];
  execFileSync(join(root, "node_modules/.bin/esbuild"), ["sdk/client/index.ts", ...flags], { cwd: root });
  const { inputs } = JSON.parse(readFileSync(metafile, "utf8")) as { inputs: Record<string, unknown> };
  const shared = Object.keys(inputs).filter((input) => !input.startsWith("sdk/client/"));
  expect(shared.sort()).toEqual([
    "sdk/base64.ts",
    "sdk/errors.ts",
    "sdk/event-text.ts",
    "sdk/exact.ts",
    "sdk/keys.ts",
    "sdk/limits.ts",
  ]);
  expect(gzipSync(readFileSync(bundle)).length).toBeLessThan(GZIPPED_MAX);
});
