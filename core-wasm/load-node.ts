/** Reads the built core in Node, for tests, benchmarks and the simulator; in workerd the module is imported instead. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// The Workers types rightly forbid compiling at run time; Node allows it.
const Compiler = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;

/** Compiles core-wasm/build/core.wasm. @throws when `npm run build:wasm` has not been run. */
export function loadCore(): WebAssembly.Module {
  const here = dirname(fileURLToPath(import.meta.url));
  return new Compiler(readFileSync(join(here, "build", "core.wasm")));
}
