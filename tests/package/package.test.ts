/** The npm package: what checkers of packages say of it, that it holds what it names, and that the template fits it. */
import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackage, pack } from "../../scripts/lib/package.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}
async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}

let folder: string;
let built: string;
let tarball: string;
let manifest: Manifest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-package-"));
  built = join(folder, "package");
  await buildPackage(built);
  tarball = await pack(built, folder);
  manifest = await manifestOf(built);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a checker says, and its exit code. */
async function checked(command: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const file = join(ROOT, "node_modules/.bin", command);
  const result = await run(file, args, { cwd: ROOT }).catch((error: { code: number; stdout: string }) => error);
  return { code: "code" in result ? result.code : 0, said: result.stdout };
}

describe("the package", () => {
  test("publint finds nothing", async () => {
    expect(await checked("publint", "run", built, "--strict", "--level", "warning")).toMatchObject({
      code: 0,
      said: expect.stringContaining("All good") as string,
    });
  });

  test("its types resolve as its modules do", async () => {
    const { code, said } = await checked("attw", tarball, "--profile", "esm-only", "--format", "ascii");
    expect(said).toContain('"tidegate/client"');
    expect([code, said]).toEqual([0, said]);
  });

  test("every file that it names is there, and the command can be run", async () => {
    const named = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry),
    );
    expect(named.length).toBeGreaterThan(8);
    for (const file of named) await access(join(built, file));
    expect((await stat(join(built, manifest.bin["tidegate"] as string))).mode & 0o111).not.toBe(0);
    const { stdout } = await run(process.execPath, [join(built, manifest.bin["tidegate"] as string), "--help"]);
    expect(stdout).toContain("npx tidegate <command>");
  });

  test("is public, while the repository's own is not, and exports the same", async () => {
    const source = await manifestOf(ROOT);
    expect([manifest.private, source.private]).toEqual([undefined, true]);
    expect(Object.keys(manifest.exports)).toEqual([...Object.keys(source.exports), "./package.json"]);
    expect(manifest.version).toBe(source.version);
  });

  test("has no TypeScript but declarations, no tests and no planted mistakes", async () => {
    const { stdout } = await run("tar", ["tzf", tarball], { maxBuffer: 1 << 24 });
    const files = stdout.split("\n").filter((file) => !file.includes("/templates/"));
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((file) => /(?<!\.d)\.ts$|\/tests\/|planted/.test(file))).toEqual([]);
    expect(files.filter((file) => file.endsWith(".wasm"))).toEqual(["package/core-wasm/build/core.wasm"]);
  });
});

test("outside a Worker an app can be defined for its contracts, and serves nothing", async () => {
  const script = `
    import * as outside from "./outside.js";
    const one = outside.service(outside.contract("one", { go: outside.fn({}) }), { state: () => 0 }, { go() {} });
    const app = outside.tidegate({ services: [one] });
    class Partition extends app.Partition {}
    for (const act of [() => new Partition(), () => app.routes, () => app.handler.fetch()])
      try { act(); console.log("did not throw"); } catch (error) { console.log(error.type); }
    try { outside.tidegate({ services: [one, one] }); } catch (error) { console.log(error.message); }
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: built });
  expect(stdout.trim().split("\n")).toEqual([
    ...Array.from({ length: 3 }, () => "misconfigured"),
    'two have the service name "one"; names are unique in an app',
  ]);
});

test("the template takes this version, and the tools that this repository is tested with", async () => {
  const [template, source] = await Promise.all([manifestOf(join(ROOT, "templates/starter")), manifestOf(ROOT)]);
  const { tidegate, ...others } = template.dependencies;
  expect(tidegate).toBe(`^${source.version}`);
  const ours = { ...source.dependencies, ...source.devDependencies };
  const pinned = { ...others, ...template.devDependencies };
  expect(pinned).toEqual(Object.fromEntries(Object.keys(pinned).map((name) => [name, ours[name]])));
});
