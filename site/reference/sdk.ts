/** The SDK reference: what the package exports, with its docstrings, as the compiler declares it. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ENTRIES: ReadonlyArray<readonly [name: string, file: string]> = [
  ["tidegate", "index.ts"],
  ["tidegate/client", "sdk/client/index.ts"],
  ["tidegate/testing", "testing/index.ts"],
  ["tidegate/testing/worker", "testing/worker.ts"],
  ["tidegate/verify", "verify/index.ts"],
];

/** Declarations by their names: the docstring in front of each, and its text. */
interface Declared {
  readonly name: string;
  readonly doc: string;
  readonly text: string;
}

export async function sdkReference(root: string): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "tidegate-reference-"));
  try {
    const tsc = join(root, "node_modules/.bin/tsc");
    await run(tsc, ["-p", "tsconfig.package.json", "--outDir", out, "--emitDeclarationOnly"], { cwd: root });
    const all = await declarations(out);
    const parts: string[] = [];
    for (const [name, file] of ENTRIES) {
      const names = await exportedFrom(join(out, file.replace(/\.ts$/, ".d.ts")));
      const known = names.map((one) => all.get(one)).filter((one) => one !== undefined);
      parts.push(`## ${name}\n`, ...known.map(shown));
    }
    return `# SDK reference\n\nWhat each entry of the package exports, as its declarations say it. How it is used is told in the guides.\n\n${parts.join("\n")}`;
  } finally {
    await rm(out, { recursive: true });
  }
}

const DECLARATION =
  /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?export (?:declare )?(?:abstract )?(function|class|interface|type|const) (\w+)[^]*?(?=\n(?:export|\/\*\*|declare|interface|type|import|class|function|const)\b|\n\/\*\*|$)/g;

async function declarations(folder: string): Promise<Map<string, Declared>> {
  const found = new Map<string, Declared>();
  const names = (await readdir(folder, { recursive: true })).filter((name) =>
    /^(?:index|sdk|testing|verify|outside)/.test(name),
  );
  for (const file of names.filter((name) => name.endsWith(".d.ts"))) {
    const text = await readFile(join(folder, file), "utf8");
    for (const [whole, doc = "", , name = ""] of text.matchAll(DECLARATION)) {
      const declared = whole.replace(/^\/\*\*[^]*?\*\/\n/, "").trim();
      const known = found.get(name);
      // Overloads stand one after the other.
      if (known) found.set(name, { ...known, text: `${known.text}\n${declared}` });
      else found.set(name, { name, doc: plain(doc), text: declared });
    }
  }
  return found;
}

/** Names that a module exports itself, hands on by name, or hands on with everything of another. */
async function exportedFrom(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8");
  const own = Array.from(
    text.matchAll(/export (?:declare )?(?:function|class|interface|type|const) (\w+)/g),
    ([, name]) => name ?? "",
  );
  const listed = Array.from(text.matchAll(/export (?:type )?\{([^}]*)\}/g), ([, names = ""]) =>
    names.split(",").map((name) =>
      name
        .replace(/^.*\bas /, "")
        .replace(/^\s*type /, "")
        .trim(),
    ),
  ).flat();
  const stars = Array.from(text.matchAll(/export \* from "([^"]+)"/g), ([, target = ""]) => target);
  const others = await Promise.all(
    stars.map((target) => exportedFrom(join(file, "..", target.replace(/\.[jt]s$/, ".d.ts")))),
  );
  return [...new Set([...own, ...listed, ...others.flat()])].filter((name) => name !== "").sort();
}

/** A docstring as Markdown. */
function plain(doc: string): string {
  return doc
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").replace(/\{@link (\w+)\}/g, "`$1`"))
    .join("\n")
    .trim()
    .replaceAll(/^@(\w+) ?/gm, "\n*$1* ");
}

function shown({ name, doc, text }: Declared): string {
  return `### ${name}\n\n${doc}\n\n\`\`\`ts\n${text.replaceAll(/^export (?:declare )?/gm, "")}\n\`\`\`\n`;
}
