/** The complete plain-TypeScript twin of the Wasm core: the oracle of its tests, clear rather than fast. */
import type { Kernels } from "../types.ts";
import { filterMayHold } from "../block-filter.ts";
import { FILTER_CLEARED_SALT } from "../limits.ts";
import { findInBlock, mergeBlocks, readBlock, rowsOfBlock, sealBlock } from "./blocks.ts";
import { routeBatch } from "./batch.ts";
import { parseEvents } from "./events.ts";
import { openGroups, readGroups } from "./groups.ts";
import { checkJson } from "./json.ts";
import { murmur3 } from "./murmur3.ts";
import { runProgram } from "./programs.ts";
import { splitEvents } from "./split.ts";
import { pack, unpack } from "./table.ts";
import { countInTexts, splitTexts } from "./texts.ts";
import { openWindow } from "./window.ts";
import { hex64, xxh64 } from "./xxh64.ts";

/** Makes kernels that need no Wasm. */
export function createReferenceKernels(): Kernels {
  return {
    hashKey: murmur3,
    checksum: (bytes) => hex64(xxh64(bytes)),
    pack,
    unpack,
    checkJson,
    routeBatch: (body, options) => routeBatch(body, options),
    parseEvents,
    splitEvents,
    splitTexts,
    countInTexts,
    runProgram,
    openWindow,
    readGroups,
    openGroups,
    sealBlock,
    checkBlock: (spec, bytes) => void readBlock(spec, bytes),
    findInBlock,
    rowsOfBlock,
    mergeBlocks,
    mayHold: (filter, key, cleared) =>
      filterMayHold(filter, (murmur3(key) ^ (cleared ? FILTER_CLEARED_SALT : 0)) >>> 0),
  };
}
