/** `npx tidegate dev` and `call`, with a script in the place of wrangler: what they write, and their exit codes. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localVars, varsIn } from "../../cli/dev-vars.ts";
import { run } from "../../cli/run.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-dev-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function tidegate(...args: string[]): Promise<{ readonly code: number; readonly err: string }> {
  const err: string[] = [];
  const stdin = (async function* () {})();
  const env = { ...process.env, TIDEGATE_TOKEN: "t" };
  const code = await run(args, { cwd: folder, env, stdin, out: () => undefined, err: (line) => err.push(line) });
  return { code, err: err.join("\n") };
}

async function wranglerIs(script: string): Promise<void> {
  const file = join(folder, "node_modules/.bin/wrangler");
  await mkdir(join(folder, "node_modules/.bin"), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

test("leaves what is in .dev.vars as it is, also where the last line has no end", async () => {
  await wranglerIs("exit 0");
  await writeFile(join(folder, ".dev.vars"), "MINE=secret");
  expect((await tidegate("dev")).code).toBe(0);
  const vars = varsIn(await readFile(join(folder, ".dev.vars"), "utf8"));
  expect(vars["MINE"]).toBe("secret");
  expect(vars["TIDEGATE_TOKEN"]).toMatch(/^[\w-]{24}$/);
  expect(vars["TIDEGATE_ADMIN_TOKEN"]).toMatch(/^[\w-]{24}$/);
});

test("keeps tokens in .env where wrangler reads that, and hands over those that it prints", async () => {
  await wranglerIs('for one; do echo "$one"; done > given');
  await writeFile(join(folder, ".env"), "MINE=secret\nTIDEGATE_TOKEN=first");
  await writeFile(join(folder, ".env.local"), "TIDEGATE_TOKEN=a:b # of this machine\n");
  const { code, err } = await tidegate("dev", "--", "--env", "staging");
  expect(code).toBe(0);
  expect(await readFile(join(folder, ".dev.vars"), "utf8").catch(() => null)).toBe(null);
  const vars = varsIn(await readFile(join(folder, ".env"), "utf8"));
  expect(vars).toEqual({
    MINE: "secret",
    TIDEGATE_TOKEN: "first",
    TIDEGATE_ADMIN_TOKEN: expect.stringMatching(/^[\w-]{24}$/),
  });
  expect(err).toMatch(/token +a:b\n/);
  const given = (await readFile(join(folder, "given"), "utf8")).split("\n");
  expect(given).toContain("TIDEGATE_TOKEN:a:b");
  expect(given).toContain(`TIDEGATE_ADMIN_TOKEN:${vars["TIDEGATE_ADMIN_TOKEN"]}`);
  expect((await localVars(folder)).vars["TIDEGATE_TOKEN"]).toBe("a:b");
});

test("hands over an entry point as what it is, and not as one more of the variables before it", async () => {
  await wranglerIs('for one; do echo "$one"; done > given');
  expect((await tidegate("dev", "--port", "8788", "--", "src/index.ts")).code).toBe(0);
  const given = (await readFile(join(folder, "given"), "utf8")).trim().split("\n");
  expect(given.slice(-5)).toEqual(["--port", "8788", "--ip", "127.0.0.1", "src/index.ts"]);
});

test.each([
  ["exit 3", 3],
  ["kill -TERM $$", 0],
  ["kill -KILL $$", 1],
])("says by its exit code how wrangler ended: %s", async (script, code) => {
  await wranglerIs(script);
  expect((await tidegate("dev")).code).toBe(code);
});

test.each(["exit 130", "exit 143", "exit 0"])(
  "is done when it is asked to end, also where wrangler then says %s",
  async (end) => {
    await wranglerIs(`trap "${end}" INT TERM; touch ready; while :; do sleep 0.05; done`);
    const ended = tidegate("dev");
    while (!existsSync(join(folder, "ready"))) await setTimeout(20);
    // As Ctrl-C does, but to nobody else who listens in this process.
    process.listeners("SIGINT").at(-1)?.("SIGINT");
    expect((await ended).code).toBe(0);
  },
);

test("a key that is none makes no sense, and has no stack", async () => {
  const { code, err } = await tidegate("call", "account", "", "deposit");
  expect(code).toBe(2);
  expect(err).toContain("at least one character");
  expect(err).not.toContain(".ts:");
});
