/** docs/quick-start.md, followed command by command in an empty folder, with the package as it would be published. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, isFree } from "../../cli/ports.ts";
import { buildPackage, pack } from "../../scripts/lib/package.ts";
import { type Instruction, instructionsOf } from "./support/page.ts";
import { type Registry, registryWith } from "./support/registry.ts";
import { Shell } from "./support/shell.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** The port of the page. Where somebody else has it, another one stands for it. */
const PORT = 8787;
/** For everything behind `npm install`. */
const MACHINE_MS = 120_000;
const START_MS = 60_000;

let folder: string;
let registry: Registry;
let shell: Shell;
let server: Shell;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-quick-start-"));
  const built = join(folder, "package");
  await buildPackage(built);
  const manifest = JSON.parse(await readFile(join(built, "package.json"), "utf8")) as { name: string; version: string };
  registry = await registryWith(await pack(built, folder), manifest);
  await mkdir(join(folder, "empty"));
  const env = {
    ...process.env,
    npm_config_registry: registry.url,
    // Of its own: npx would run a package of this version that it has run before.
    npm_config_cache: join(folder, "cache"),
    // What a person answers when npx asks whether it may.
    npm_config_yes: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    WRANGLER_SEND_METRICS: "false",
    CI: "true",
  };
  shell = new Shell(join(folder, "empty"), env);
  server = new Shell(join(folder, "empty"), env);
});
afterAll(async () => {
  await Promise.all([shell?.end(), server?.end()]);
  await registry?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function serving(url: string): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    const ok = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) return;
    if (Date.now() > end) throw new Error("npm run dev does not serve");
    await new Promise((later) => setTimeout(later, 200));
  }
}

test("the quick start works as it is written", { timeout: 400_000 }, async () => {
  const port = (await isFree(PORT)) ? PORT : await freePort();
  const url = `http://127.0.0.1:${port}`;
  const said = new Map<string, string>();
  let installed = 0;

  async function command(line: string): Promise<void> {
    if (line === "npm run dev") {
      await server.run(`cd ${await shell.run("pwd")}`);
      void server.run(port === PORT ? line : `${line} -- --port ${port}`).catch(() => undefined);
      return serving(url);
    }
    const localised = line.replaceAll(String(PORT), String(port));
    const elsewhere = port !== PORT && line.startsWith("npx tidegate call") ? ` --url ${url}` : "";
    said.set(line, await shell.run(localised + elsewhere));
    if (line === "npm install") installed = performance.now();
  }
  async function follow(instruction: Instruction): Promise<void> {
    if (instruction.kind === "commands") for (const line of instruction.lines) await command(line);
    else {
      const path = join(await shell.run("pwd"), instruction.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, instruction.text);
    }
  }

  const page = await readFile(join(ROOT, "docs/quick-start.md"), "utf8");
  for (const instruction of instructionsOf(page)) await follow(instruction);
  const took = performance.now() - installed;

  const answers = [...said].filter(([line]) => line.startsWith("curl") || line.includes("tidegate call"));
  // In the order in which the page tells them.
  expect(answers.map(([, answer]) => answer)).toEqual(["100", "70", "30", "20"]);
  expect(said.get("npm test")).toMatch(/Tests.*6 passed/);
  expect(said.get("npx wrangler deploy --dry-run")).toContain("--dry-run: exiting now");
  console.log(`the quick start took ${Math.round(took / 1000)} s behind npm install`);
  expect(took).toBeLessThan(MACHINE_MS);
});
