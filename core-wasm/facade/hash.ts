/** Hashes in Wasm: the key hash that decides key groups, and the checksum of stored bytes. */
import { HASH_SLICE_BYTES, MAX_KEY_BYTES } from "../limits.ts";
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
const LOOP_UNITS = 48;

const encoder = new TextEncoder();

/** Hashes in one instance. */
export class HashKernels {
  readonly #core: CoreInstance;
  readonly #kernels: HashFunctions;
  /** A block of its own for keys of sound length: hashing them must not cost two more calls. */
  readonly #key: number;

  constructor(core: CoreInstance) {
    this.#core = core;
    this.#kernels = core.functions<HashFunctions>();
    this.#key = core.alloc(MAX_KEY_BYTES * MAX_UTF8_PER_UNIT);
  }

  /** See {@link Kernels.hashKey}. */
  hashKey(key: string): number {
    const units = key.length;
    if (units > LOOP_UNITS) return this.#hashLong(key);
    const at = this.#key;
    const memory = this.#core.u8;
    for (let i = 0; i < units; i++) {
      const unit = key.charCodeAt(i);
      if (unit > MAX_ASCII) return this.#hashLong(key);
      memory[at + i] = unit;
    }
    return this.#kernels.murmur3(at, units) >>> 0;
  }

  #hashLong(key: string): number {
    let at = this.#key;
    if (key.length > MAX_KEY_BYTES) {
      this.#core.resetScratch();
      at = this.#core.scratch(key.length * MAX_UTF8_PER_UNIT);
    }
    const target = this.#core.u8.subarray(at, at + key.length * MAX_UTF8_PER_UNIT);
    const { written } = encoder.encodeInto(key, target);
    return this.#kernels.murmur3(at, written) >>> 0;
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
