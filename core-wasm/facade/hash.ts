/** Hashes in Wasm: the key hash that decides key groups, and the checksum of stored bytes. */
import { HASH_SLICE_BYTES } from "../limits.ts";
import type { CoreInstance } from "./instance.ts";

interface HashFunctions {
  murmur3(at: number, length: number): number;
  digestBegin(): void;
  xxh64Stripes(at: number, length: number): void;
  digestEnd(at: number, length: number): void;
  digestLow(): number;
  digestHigh(): number;
}

const MAX_ASCII = 0x7f;
const MAX_UTF8_PER_UNIT = 3;
/** Up to this many units a loop beats the call of `encodeInto`. */
const SHORT_KEY_UNITS = 48;

const encoder = new TextEncoder();

/** Hashes in one instance. */
export class HashKernels {
  readonly #core: CoreInstance;
  readonly #kernels: HashFunctions;

  constructor(core: CoreInstance) {
    this.#core = core;
    this.#kernels = core.functions<HashFunctions>();
  }

  /** See {@link Kernels.hashKey}. */
  hashKey(key: string): number {
    this.#core.resetScratch();
    const at = this.#core.scratch(key.length * MAX_UTF8_PER_UNIT);
    const memory = this.#core.u8;
    let length = 0;
    if (key.length <= SHORT_KEY_UNITS) {
      while (length < key.length) {
        const unit = key.charCodeAt(length);
        if (unit > MAX_ASCII) break;
        memory[at + length++] = unit;
      }
    }
    if (length < key.length) {
      length = encoder.encodeInto(key, memory.subarray(at, at + key.length * MAX_UTF8_PER_UNIT)).written;
    }
    return this.#kernels.murmur3(at, length) >>> 0;
  }

  /** See {@link Kernels.checksum}. */
  checksum(bytes: Uint8Array): string {
    this.#core.resetScratch();
    const at = this.#core.scratch(Math.min(bytes.length, HASH_SLICE_BYTES));
    this.#kernels.digestBegin();
    let start = 0;
    for (; bytes.length - start > HASH_SLICE_BYTES; start += HASH_SLICE_BYTES) {
      this.#core.u8.set(bytes.subarray(start, start + HASH_SLICE_BYTES), at);
      this.#kernels.xxh64Stripes(at, HASH_SLICE_BYTES);
    }
    this.#core.u8.set(start === 0 ? bytes : bytes.subarray(start), at);
    this.#kernels.digestEnd(at, bytes.length - start);
    return hex(this.#kernels.digestHigh()) + hex(this.#kernels.digestLow());
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
