/** What the kernels' tests run against: the Wasm core and its twin, side by side. */
import { createKernels } from "../../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../../core-wasm/reference/kernels.ts";
import type { Kernels } from "../../../core-wasm/types.ts";

export const core = loadCore();
export const wasm: Kernels = createKernels(core, [1, 2, 3, 4]);
export const twin: Kernels = createReferenceKernels();
export const both: readonly (readonly [string, Kernels])[] = [
  ["wasm", wasm],
  ["twin", twin],
];

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
