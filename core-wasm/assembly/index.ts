/** Entry of the Wasm core: everything that the façade may call. */
export { alloc, blockBytes, free, heapBytes, scratch, scratchReset } from "./memory";
export { faultAddress, faultCode } from "./json/fault";
export { checkJson } from "./json/check";
// Compiled in so that the abort hook of asconfig.json resolves.
export { trap } from "./abort";
