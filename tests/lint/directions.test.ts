/** The linter holds who may import whom, and that protocol/ has no clock, chance, timer, network or platform. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const oxlint = join(root, "node_modules/.bin/oxlint");
const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-lint-"));
  await cp(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the linter says of a file of one line in that place; empty when it accepts it. */
async function lint(path: string, line: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, `${line}\n`);
  try {
    await run(process.execPath, [oxlint, "--deny-warnings", path], { cwd: folder });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  } finally {
    await rm(file);
  }
}

describe("protocol/", () => {
  const refused = [
    'import { DurableObject } from "cloudflare:workers";\nexport const x = DurableObject;',
    'import { createHash } from "node:crypto";\nexport const x = createHash;',
    'import { x } from "../durable/x.ts";\nexport const y = x;',
    'import { x } from "../../worker/x.ts";\nexport const y = x;',
    'import { createKernels } from "../core-wasm/facade/kernels.ts";\nexport const y = createKernels;',
    "export const x = Date.now();",
    "export const x = new Date();",
    "export const x = Math.random();",
    "export const x = setTimeout(() => undefined, 1);",
    'export const x = fetch("https://example.com/");',
    "export const x = crypto.randomUUID();",
    "export const x = globalThis.crypto;",
  ];
  it.each(refused)("may not say %s", async (line) => {
    expect(await lint("protocol/partition/probe.ts", line)).toMatch(/no-restricted-(imports|globals|properties)/);
  });

  it("may import the SDK, the flows' plans and the kernels' interface", async () => {
    const imports = ["../../sdk/x.ts", "../../dataflow/x.ts", "../../core-wasm/types.ts"];
    const lines = imports.map(
      (path, index) => `import { x${index} } from "${path}";\nexport const y${index} = x${index};`,
    );
    expect(await lint("protocol/partition/probe.ts", lines.join("\n"))).toBe("");
  });
});

describe("the other folders", () => {
  it.each([
    ["sdk/probe.ts", "../protocol/x.ts"],
    ["core-wasm/probe.ts", "../sdk/x.ts"],
    ["dataflow/probe.ts", "../protocol/x.ts"],
    ["durable/probe.ts", "../worker/x.ts"],
    ["worker/probe.ts", "../durable/x.ts"],
    ["sim/probe.ts", "../durable/x.ts"],
  ])("%s may not import %s", async (path, imported) => {
    const line = `import { x } from "${imported}";\nexport const y = x;`;
    expect(await lint(path, line)).toContain("no-restricted-imports");
  });
});
