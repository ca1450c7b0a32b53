/** The Wasm core as the project sees it: one instance, all kernels. */
import type { Kernels } from "../types.ts";
import { BlockKernels } from "./blocks.ts";
import { routeBatch } from "./batch.ts";
import { parseEvents } from "./events.ts";
import { HashKernels } from "./hash.ts";
import { CoreInstance } from "./instance.ts";
import { checkJson } from "./json.ts";
import { runProgram } from "./programs.ts";
import { splitEvents } from "./split.ts";
import { TableKernels } from "./table.ts";
import { countInTexts, splitTexts } from "./texts.ts";
import { openGroups, openWindow } from "./window.ts";
import { allGroups } from "../window-groups.ts";

/**
 * Makes the kernels of one object, on an instance of their own.
 *
 * ```ts
 * const kernels = createKernels(module);
 * const group = kernels.hashKey("alice") & 255;
 * ```
 * @param seed four words for its hash tables. They are drawn here, so this is not for a Worker's global scope, which has nothing random. No result
 * depends on them, only how long it takes: who knows them can make keys of one hash, of which few megabytes take many seconds
 */
export function createKernels(
  module: WebAssembly.Module,
  seed: Iterable<number> = crypto.getRandomValues(new Uint32Array(4)),
): Kernels {
  return kernelsOf(new CoreInstance(module, seed));
}

/** The kernels of an instance that is there already. */
export function kernelsOf(core: CoreInstance): Kernels {
  const hashes = new HashKernels(core);
  const tables = new TableKernels(core);
  const blocks = new BlockKernels(core, tables, hashes);
  return {
    hashKey: (key) => hashes.hashKey(key),
    checksum: (bytes) => hashes.checksum(bytes),
    pack: (spec, input) => tables.pack(spec, input),
    unpack: (spec, bytes) => tables.unpack(spec, bytes),
    checkJson: (bytes) => checkJson(core, bytes),
    routeBatch: (body, options) => routeBatch(core, body, options),
    parseEvents: (body, columns, format, options) => parseEvents(core, body, columns, format, options),
    splitEvents: (frame, columns, key, groups) => splitEvents(core, frame, columns, key, groups),
    splitTexts: (bytes, texts, separator, part) => splitTexts(core, bytes, texts, separator, part),
    countInTexts: (bytes, texts, needle, most) => countInTexts(core, bytes, texts, needle, most),
    runProgram: (program, columns, rows) => runProgram(core, program, columns, rows),
    openWindow: (plan) => openWindow(core, plan),
    readGroups: (bytes) => allGroups(openGroups(core, bytes)),
    openGroups: (bytes) => openGroups(core, bytes),
    sealBlock: (spec, input) => blocks.seal(spec, input),
    checkBlock: (spec, bytes) => blocks.check(spec, bytes),
    findInBlock: (spec, bytes, key) => blocks.find(spec, bytes, key),
    rowsOfBlock: (spec, bytes, range) => blocks.rows(spec, bytes, range),
    mergeBlocks: (input) => blocks.merge(input),
    mayHold: (filter, key, cleared) => blocks.mayHold(filter, key, cleared),
  };
}
