/** The Wasm core, loaded once for all tests of a file. */
import { createKernels } from "../../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../../core-wasm/load-node.ts";

export const kernels = createKernels(loadCore());
