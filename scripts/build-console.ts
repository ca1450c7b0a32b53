/** `npm run build:console`: bundles the page for people into one module of texts, which the Worker serves. */
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../console");

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

const texts = {
  PAGE: await readFile(join(root, "index.html"), "utf8"),
  SCRIPT: await bundled("main.tsx"),
  STYLE: await bundled("app.css"),
};
await mkdir(join(root, "build"), { recursive: true });
const module = Object.entries(texts).map(([name, text]) => `export const ${name}: string = ${JSON.stringify(text)};\n`);
await writeFile(join(root, "build/assets.ts"), module.join(""));
