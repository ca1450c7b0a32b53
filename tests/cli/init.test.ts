/** `npx tidegate init`: what a new app keeps out of git. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localVars, varsIn } from "../../cli/dev-vars.ts";
import { run } from "../../cli/run.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "tidegate-init-"));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

test.each([".dev.vars", ".env", ".env.local"])("tokens that dev keeps in %s stay out of git", async (file) => {
  const stdin = (async function* () {})();
  const terminal = { cwd: parent, env: {}, stdin, out: () => undefined, err: () => undefined };
  expect(await run(["init", "shop"], terminal)).toBe(0);
  const folder = join(parent, "shop");
  await writeFile(join(folder, file), "MINE=secret\n");
  const vars = await localVars(folder);
  expect(vars.file).toBe(file);
  expect(varsIn(vars.text)).toEqual({ MINE: "secret" });
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
  const seen = execFileSync("git", ["ls-files", "--others", "--exclude-standard"], { cwd: folder, encoding: "utf8" });
  expect(seen.split("\n")).toContain("package.json");
  expect(seen.split("\n")).not.toContain(file);
});
