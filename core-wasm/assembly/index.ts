/** Entry of the Wasm core: everything that the façade may call. */
export { alloc, blockBytes, free, heapBytes, scratch, scratchReset } from "./memory";
export { seedTables } from "./bytes";
export { murmur3 } from "./murmur3";
export { digestBegin, digestEnd, digestSeeded, digestHigh, digestLow, xxh64Stripes } from "./xxh64";
export { sealTable, unitsToBytes, verifyHead, verifyTable } from "./table";
export { blockHas, blockOpen, blockSeek, blocksMade, blocksMerge, blocksWrite } from "./blocks";
export { firstPiece, hasPieces, keptFrame, pieceEnds, pieceHeap, pieceHeapBytes, pieceStrings } from "./builder";
export { faultAddress, faultCode } from "./json/fault";
export { checkJson } from "./json/check";
export { countLines } from "./batch/copy";
export { routeSlice } from "./batch/route";
export {
  columnHash,
  eventsAttribute,
  eventsAttributeAt,
  eventsAttributeLength,
  eventsBegin,
  eventsClose,
  eventsColumn,
  eventsEnd,
  eventsFaultAt,
  eventsFaultColumn,
  eventsFaultLine,
  eventsFingerprintHigh,
  eventsFingerprintLow,
  eventsFrame,
  eventsHeld,
  eventsObject,
  eventsRoom,
  eventsRows,
  eventsTake,
} from "./events";
export { runProgram } from "./programs";
export { countInTexts, splitTexts } from "./texts";
export { splitBound, splitOpen, splitRows, splitWrite } from "./split";
export { nameHash, windowBytes, windowFree, windowGroups, windowOpen } from "./flow";
export { packedLength, verifyGroups } from "./groups";
export {
  appliedRows,
  lateRows,
  latestTime,
  windowApply,
  windowClose,
  windowDelta,
  windowGroupBytes,
  windowGroupsOf,
  windowHeld,
  windowLoad,
  windowSnapshot,
} from "./window";
// Compiled in so that the abort hook of asconfig.json resolves.
export { trap } from "./abort";
