/** Bundles a Worker exactly as a deploy would: `wrangler deploy --dry-run`. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface BundledModule {
  /** Name that the main module imports it by; the main module comes first. */
  readonly name: string;
  readonly type: "ESModule" | "CompiledWasm";
  readonly contents: Buffer;
}

export interface Bundle {
  readonly modules: readonly BundledModule[];
}

/**
 * @param config path of a wrangler.jsonc
 * @param more further options of `wrangler deploy`
 * @throws with wrangler's own output when it fails
 */
export async function bundle(config: string, more: readonly string[] = []): Promise<Bundle> {
  const outdir = await mkdtemp(join(tmpdir(), "tidegate-bundle-"));
  try {
    const args = ["deploy", "--dry-run", "--config", config, "--outdir", outdir, ...more];
    await run("wrangler", args, {
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG: "error" },
    }).catch((error: { stdout?: string; stderr?: string; message: string }) => {
      throw new Error(`wrangler could not bundle ${config}:\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
    });
    const names = await readdir(outdir);
    const modules = await Promise.all(
      names
        .filter((name) => name.endsWith(".js") || name.endsWith(".wasm"))
        .sort((a, b) => Number(b.endsWith(".js")) - Number(a.endsWith(".js")))
        .map(async (name): Promise<BundledModule> => ({
          name,
          type: name.endsWith(".js") ? "ESModule" : "CompiledWasm",
          contents: await readFile(join(outdir, name)),
        })),
    );
    return { modules };
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
