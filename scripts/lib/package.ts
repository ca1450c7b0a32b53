/** The npm package: JavaScript and declarations of all that can be imported, the Wasm core, and a manifest made from ours. */
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** Beside what the compiler writes. */
const COPIED = ["core-wasm/build/core.wasm", "README.md", "CHANGELOG.md", "LICENSE"];
const TEMPLATE = "templates/starter";
/** What of our manifest is published as it stands. */
const KEPT = ["name", "version", "description", "keywords", "license", "type", "dependencies"] as const;
const OPTIONAL_KEPT = ["peerDependencies", "peerDependenciesMeta"] as const;

/** Conditions of one export, in order. */
type Conditions = Readonly<Record<string, string>>;
interface Manifest {
  readonly exports: Readonly<Record<string, Conditions>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/**
 * Builds the package into an empty folder, ready for `npm pack` and `npm publish`. The core must have been compiled.
 * @throws with the compiler's complaints
 */
export async function buildPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await compile(folder);
  await Promise.all(COPIED.map((file) => copy(file, folder)));
  await copyTemplate(folder);
  const source = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest(source), null, 2)}\n`);
  await Promise.all(Object.values(source.bin ?? {}).map((file) => chmod(join(folder, emitted(file)), 0o755)));
}

/** Packs a built package. Returns the path of the tarball. */
export async function pack(folder: string, into: string): Promise<string> {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", into], { cwd: folder });
  const answer = JSON.parse(stdout) as PackAnswer;
  const [first] = Array.isArray(answer) ? answer : Object.values(answer);
  if (first === undefined) throw new Error(`npm pack named no tarball: ${stdout}`);
  return join(into, first.filename);
}
/** A list up to npm 11, members by name since. */
type PackAnswer = readonly Packed[] | Readonly<Record<string, Packed>>;
interface Packed {
  readonly filename: string;
}

async function compile(folder: string): Promise<void> {
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  await run(tsc, ["-p", "tsconfig.package.json", "--outDir", folder], { cwd: ROOT }).catch(
    (error: { stdout?: string; message: string }) => {
      throw new Error(`the package does not compile:\n${error.stdout ?? error.message}`);
    },
  );
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((file) => file.endsWith(".d.ts"))) await nameJavaScript(join(folder, name));
}

/** The compiler rewrites what JavaScript imports but not what declarations do, and there are no .ts files in the package. */
async function nameJavaScript(file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replaceAll(/((?:from|import|import\() ?")(\.{1,2}\/[^"]+)\.ts"/g, '$1$2.js"'));
}

async function copy(file: string, folder: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await cp(join(ROOT, file), join(folder, file));
}

/** The template, as `tidegate init` finds it: npm takes no file named .gitignore. */
async function copyTemplate(folder: string): Promise<void> {
  const target = join(folder, TEMPLATE);
  const kept = (source: string): boolean => !/node_modules|\.wrangler|worker-configuration|\.dev\.vars$/.test(source);
  await cp(join(ROOT, TEMPLATE), target, { recursive: true, filter: (source) => kept(relative(ROOT, source)) });
  await rename(join(target, ".gitignore"), join(target, "_gitignore"));
}

function manifest(source: Manifest): object {
  for (const field of KEPT) if (source[field] === undefined) throw new Error(`package.json has no ${field}`);
  return {
    ...Object.fromEntries([...KEPT, ...OPTIONAL_KEPT].map((field) => [field, source[field]])),
    engines: { node: ">=22" },
    sideEffects: false,
    bin: mapValues(source.bin ?? {}, emitted),
    exports: {
      ...mapValues(source.exports, (conditions) => mapValues(conditions, emittedFor)),
      "./package.json": "./package.json",
    },
    publishConfig: { access: "public" },
  };
}

function mapValues<A, B>(members: Readonly<Record<string, A>>, change: (value: A, name: string) => B): object {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value, name)]));
}
const emittedFor = (file: string, condition: string): string =>
  condition === "types" ? file.replace(/\.ts$/, ".d.ts") : emitted(file);
function emitted(file: string): string {
  return file.replace(/\.ts$/, ".js");
}
