/** Stands in for core-wasm/facade/kernels.ts: the same kernels, of which one at a time may be a trap. */
import { createKernels as createReal } from "../../core-wasm/facade/kernels.ts";
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";

/** Which kernel is a trap now; `pack` and `unpack` may be one for a single kind of table. 0 is any kind. */
export const trap = { kernel: "", kind: 0, sprung: 0 };

export function createKernels(module: WebAssembly.Module): Kernels {
  const guarded: Record<string, unknown> = {};
  const kernels = Object.entries(createReal(module)) as Array<[string, (...args: unknown[]) => unknown]>;
  for (const [name, kernel] of kernels) {
    guarded[name] = (...args: unknown[]) => {
      const kind = (args[0] as TableSpec | undefined)?.kind ?? 0;
      if (trap.kernel === name && (trap.kind === 0 || trap.kind === kind)) spring(name);
      return kernel(...args);
    };
  }
  return guarded as unknown as Kernels;
}

function spring(name: string): never {
  trap.sprung += 1;
  throw new Error(`the trap in place of ${name} was sprung`);
}
