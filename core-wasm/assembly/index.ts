/** Entry of the Wasm core: everything that the façade may call. */
export { alloc, blockBytes, free, heapBytes, scratch, scratchReset } from "./memory";
export { murmur3 } from "./murmur3";
export { digestBegin, digestEnd, digestHigh, digestLow, xxh64Stripes } from "./xxh64";
export { sealTable, unitsToBytes, verifyTable } from "./table";
export { faultAddress, faultCode } from "./json/fault";
export { checkJson } from "./json/check";
export { countLines } from "./batch/copy";
export { routeSlice } from "./batch/route";
// Compiled in so that the abort hook of asconfig.json resolves.
export { trap } from "./abort";
