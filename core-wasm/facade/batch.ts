/** Routing of NDJSON batches in Wasm, slice by slice so that memory follows the slice and not the body. */
import { BATCH_SLICE_BYTES, MAX_TABLE_BYTES } from "../limits.ts";
import type { BatchFault, RoutedBatch, RoutedFrame, RouteOptions } from "../types.ts";
import { EDGE_ID_CHARACTERS, SCOPE_BYTES, checkRouteOptions } from "../route-options.ts";
import type { CoreInstance } from "./instance.ts";
import { faultWord } from "./json.ts";

interface BatchFunctions {
  countLines(text: number, length: number): number;
  routeSlice(options: number, slice: number, length: number, firstLine: number, lines: number): void;
}

/** Words of the options block of assembly/batch/route.ts. */
const OPTION_WORDS = 12;
const FRAME_WORDS = 4;
const FAULT_WORDS = 4;
const MAX_U32 = 0xffffffff;
const LINE_FEED = 10;
const MEMBERS = ["service", "key", "function", "input", "id"] as const;

const encoder = new TextEncoder();

/** End of the slice that begins at `start`: behind the last LF within `sliceBytes`, or behind the first one beyond. */
export function sliceEnd(body: Uint8Array, start: number, sliceBytes: number): number {
  if (body.length - start <= sliceBytes) return body.length;
  const last = body.lastIndexOf(LINE_FEED, start + sliceBytes - 1);
  if (last >= start) return last + 1;
  const next = body.indexOf(LINE_FEED, start + sliceBytes);
  return next < 0 ? body.length : next + 1;
}

/** See {@link Kernels.routeBatch}. Frames end with their slice, so a partition may get one smaller frame per slice. */
export function routeBatch(
  core: CoreInstance,
  body: Uint8Array,
  options: RouteOptions,
  sliceBytes = BATCH_SLICE_BYTES,
): RoutedBatch {
  checkRouteOptions(options);
  const kernels = core.functions<BatchFunctions>();
  const partitions = countPartitions(options.groups);
  const frames: RoutedFrame[] = [];
  const faults: BatchFault[] = [];
  let lines = 0;
  for (let start = 0; start < body.length;) {
    const end = sliceEnd(body, start, sliceBytes);
    core.resetScratch();
    const slice = core.writeScratch(body.subarray(start, end));
    const count = kernels.countLines(slice, end - start);
    if (lines + count > options.maxLines) return tooManyLines(options);
    const block = writeOptions(core, options, partitions);
    kernels.routeSlice(block, slice, end - start, lines + 1, count);
    readFrames(core, block, frames);
    readFaults(core, block, start, faults);
    lines += count;
    start = end;
  }
  return { lines, frames, faults, tooManyLines: false };
}

/** The answer to a batch of more than `maxLines` lines; they are not counted further. */
function tooManyLines({ maxLines }: RouteOptions): RoutedBatch {
  return { lines: maxLines + 1, frames: [], faults: [], tooManyLines: true };
}

function countPartitions(groups: Uint16Array): number {
  let highest = 0;
  for (const partition of groups) if (partition > highest) highest = partition;
  return highest + 1;
}

function writeOptions(core: CoreInstance, options: RouteOptions, partitions: number): number {
  const { groups, edgeId, clientScope, spec } = options;
  const block = core.scratch(OPTION_WORDS * 4);
  const map = core.scratch(groups.byteLength);
  const edge = core.scratch(EDGE_ID_CHARACTERS);
  const scope = clientScope ? core.scratch(SCOPE_BYTES) : 0;
  const memory = core.u8;
  memory.set(new Uint8Array(groups.buffer, groups.byteOffset, groups.byteLength), map);
  encoder.encodeInto(edgeId, memory.subarray(edge, edge + EDGE_ID_CHARACTERS));
  if (clientScope) memory.set(clientScope, scope);
  const words = core.u32;
  const label = spec.kind | (spec.version << 16);
  const maxRows = Math.min(options.maxRows, MAX_U32);
  const maxBytes = Math.min(options.maxBytes, MAX_TABLE_BYTES);
  words.set([map, groups.length - 1, edge, scope, label, maxRows, maxBytes, partitions], block >>> 2);
  return block;
}

function readFrames(core: CoreInstance, block: number, frames: RoutedFrame[]): void {
  const words = core.u32;
  const count = words[(block >>> 2) + 8] as number;
  let entry = (words[(block >>> 2) + 9] as number) >>> 2;
  for (let i = 0; i < count; i++, entry += FRAME_WORDS) {
    const at = words[entry + 2] as number;
    frames.push({
      partition: words[entry] as number,
      rows: words[entry + 1] as number,
      bytes: core.copy(at, words[entry + 3] as number),
    });
  }
}

function readFaults(core: CoreInstance, block: number, start: number, faults: BatchFault[]): void {
  const words = core.u32;
  const count = words[(block >>> 2) + 10] as number;
  let entry = (words[(block >>> 2) + 11] as number) >>> 2;
  for (let i = 0; i < count; i++, entry += FAULT_WORDS) {
    const member = MEMBERS[words[entry + 3] as number];
    const fault = {
      line: words[entry] as number,
      offset: start + (words[entry + 1] as number),
      code: faultWord(words[entry + 2] as number),
    };
    faults.push(member === undefined ? fault : { ...fault, member });
  }
}
