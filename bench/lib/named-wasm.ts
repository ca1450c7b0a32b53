/** For profiles: the kernels compiled as for release, but with the names of their functions kept. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Bundle } from "../../scripts/lib/bundle.ts";

const run = promisify(execFile);

/** The bundle with its one Wasm module replaced. */
export async function namedWasm(bundle: Bundle): Promise<Bundle> {
  const root = join(import.meta.dirname, "..", "..");
  const folder = await mkdtemp(join(tmpdir(), "tidegate-wasm-"));
  try {
    const file = join(folder, "core.wasm");
    const args = ["core-wasm/assembly/index.ts", "--config", "asconfig.json", "--target", "release", "--debug"];
    await run("asc", [...args, "--outFile", file], { cwd: root });
    const contents = await readFile(file);
    const modules = bundle.modules.map((module) => (module.type === "CompiledWasm" ? { ...module, contents } : module));
    return { modules };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
