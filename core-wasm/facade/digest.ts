/** Checksums of bytes that are not in Wasm memory as a whole: they go through it slice by slice. */
import { HASH_SLICE_BYTES } from "../limits.ts";
import type { CoreInstance } from "./instance.ts";

interface DigestFunctions {
  digestSeeded(at: number, length: number): void;
  xxh64Stripes(at: number, length: number): void;
  digestEnd(at: number, length: number): void;
  digestLow(): number;
  digestHigh(): number;
}

/** Where frames and tables have their checksum, and where what it covers begins, apart from the header before it. */
export const CHECKSUM_AT = 24;
const BODY_AT = 32;

/** The checksum of a frame or table as two u32, low and high: the xxh64 of what is behind the header, seeded by the xxh64 of the header before the checksum. */
export function checksumOf(core: CoreInstance, bytes: Uint8Array): readonly [low: number, high: number] {
  const kernels = core.functions<DigestFunctions>();
  const at = core.scratch(HASH_SLICE_BYTES);
  core.u8.set(bytes.subarray(0, CHECKSUM_AT), at);
  kernels.digestSeeded(at, CHECKSUM_AT);
  let from = BODY_AT;
  for (; bytes.length - from > HASH_SLICE_BYTES; from += HASH_SLICE_BYTES) {
    core.u8.set(bytes.subarray(from, from + HASH_SLICE_BYTES), at);
    kernels.xxh64Stripes(at, HASH_SLICE_BYTES);
  }
  core.u8.set(bytes.subarray(from), at);
  kernels.digestEnd(at, bytes.length - from);
  return [kernels.digestLow() >>> 0, kernels.digestHigh() >>> 0];
}

/** Writes the checksum of bytes whose header and body are in place. */
export function seal(core: CoreInstance, bytes: Uint8Array): void {
  const [low, high] = checksumOf(core, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(CHECKSUM_AT, low, true);
  view.setUint32(CHECKSUM_AT + 4, high, true);
}
