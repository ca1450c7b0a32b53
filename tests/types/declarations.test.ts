/** The declarations that are published compile with checks of their own, whatever else the program that uses them does not know. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const WORKERS_TYPES = join(root, "node_modules/@cloudflare/workers-types");
let folder = "";

/** What the compiler says. */
function compiler(...args: string[]): Promise<string> {
  const run = promisify(execFile)(join(root, "node_modules/.bin/tsc"), [...args, "--pretty", "false"]);
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-declarations-"));
  const config = join(root, "tsconfig.package.json");
  expect(await compiler("-p", config, "--emitDeclarationOnly", "--outDir", folder)).toBe("");
  await cp(join(root, "core-wasm/wasm.d.ts"), join(folder, "core-wasm/wasm.d.ts"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ["the app in a Worker", "./index.js", ["es2024"], [WORKERS_TYPES]],
  ["contracts in a browser, from tidegate/sdk", "./sdk/index.js", ["es2022", "dom"], []],
  ["the client in a browser", "./sdk/client/index.js", ["es2022", "dom"], []],
])("%s", async (_what, module, lib, types) => {
  await writeFile(join(folder, "use.ts"), `import * as used from "${module}";\nexport { used };\n`);
  const compilerOptions = { module: "nodenext", target: "es2022", lib, types, strict: true, noEmit: true };
  const config = { compilerOptions: { ...compilerOptions, skipLibCheck: false }, files: ["use.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  expect(await compiler("-p", folder)).toBe("");
});
