/** The documentation's examples: every block of TypeScript compiles as it stands, and every npm script and link that is named exists. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);
/** By path, since the compiler looks for types beside its configuration. */
const TYPES = ["@cloudflare/workers-types", "@types/node"].map((name) => join(ROOT, "node_modules", name));

/** Of modules that no package has. */
const DECLARATIONS = ["core-wasm/wasm.d.ts", "tests/workerd/support/cloudflare-test.d.ts"].map((file) =>
  join(ROOT, file),
);

interface Block {
  readonly page: string;
  /** File that the block's first line names, so that later blocks of the page can import it. */
  readonly file: string;
  readonly text: string;
}

/** Blocks of TypeScript; @throws for two of one name in a page. */
function blocksOf(page: string, markdown: string): Block[] {
  const blocks = Array.from(markdown.matchAll(/^```ts\n(.*?)^```$/gms), (match, at) => {
    const text = match[1] ?? "";
    return { page, text, file: /^\/\/ ((?:[\w-]+\/)*[\w.-]+\.ts)\n/.exec(text)?.[1] ?? `block-${at}.ts` };
  });
  const names = new Set(blocks.map(({ file }) => file));
  if (names.size !== blocks.length) throw new Error(`two examples in ${page} have one name`);
  return blocks;
}

async function pages(): Promise<ReadonlyMap<string, string>> {
  const inDocs = await readdir(join(ROOT, "docs"), { recursive: true });
  const names = ["README.md", ...inDocs.filter((name) => name.endsWith(".md")).map((name) => join("docs", name))];
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(ROOT, name), "utf8")] as const)),
  );
}

/** Compiles blocks as modules of this package, so that they import "tidegate" as its users do. Returns the compiler's complaints. */
async function compile(blocks: readonly Block[]): Promise<string> {
  // Within the package, and out of sight of the repository's own type check.
  const folder = await mkdtemp(join(ROOT, "node_modules", ".examples-"));
  try {
    for (const { page, file, text } of blocks) {
      const path = join(folder, page, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${text}\nexport {};\n`);
    }
    const config = {
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: { noUnusedLocals: false, types: TYPES },
      include: [],
      exclude: [],
      files: [...DECLARATIONS, ...blocks.map(({ page, file }) => join(folder, page, file))],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const { stdout } = await run(tsc, ["-p", folder], { cwd: ROOT }).catch((error: { stdout: string }) => error);
    return stdout.replaceAll(`${relative(ROOT, folder)}/`, "");
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("documentation", () => {
  let texts: ReadonlyMap<string, string>;
  beforeAll(async () => {
    texts = await pages();
  });

  test("every TypeScript example compiles", { timeout: 60_000 }, async () => {
    const blocks = [...texts].flatMap(([page, text]) => blocksOf(page, text));
    expect(blocks.length).toBeGreaterThanOrEqual(8);
    expect(await compile(blocks)).toBe("");
  });

  test("an example that is wrong is noticed", { timeout: 60_000 }, async () => {
    const text =
      'import { contract, fn } from "tidegate";\nexport const A = contract("a", { go: fn({ inputs: 1 }) });\n';
    expect(await compile([{ page: "page", file: "wrong.ts", text }])).toContain("page/wrong.ts(2,");
  });

  test("every npm script that is named exists", async () => {
    const scriptsOf = async (file: string): Promise<object> =>
      (JSON.parse(await readFile(join(ROOT, file), "utf8")) as { scripts: object }).scripts;
    // An app's own scripts are those of the template.
    const scripts = { ...(await scriptsOf("package.json")), ...(await scriptsOf("templates/starter/package.json")) };
    const named = [...texts.values()].flatMap((text) =>
      Array.from(text.matchAll(/npm (?:run ([\w:-]+)|(start|test))/g), (match) => match[1] ?? match[2] ?? ""),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("every relative link leads to something", () => {
    const broken = [...texts].flatMap(([page, text]) =>
      Array.from(text.matchAll(/\]\((?!https?:|#)([^)#]+)/g), (match) => match[1] ?? "")
        .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

afterAll(async () => {
  const left = (await readdir(join(ROOT, "node_modules"))).filter((name) => name.startsWith(".examples-"));
  expect(left).toEqual([]);
});
