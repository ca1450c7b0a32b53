/** One instance of the Wasm core: its memory, its views, and how bytes go in and out. */
import { SLACK_BYTES } from "../limits.ts";

/** What every kernel needs of the core; each façade file declares its own kernels beside it. Addresses and lengths are bytes. */
interface MemoryFunctions {
  readonly memory: WebAssembly.Memory;
  alloc(bytes: number): number;
  free(block: number): void;
  heapBytes(): number;
  scratch(bytes: number): number;
  scratchReset(): void;
  seedTables(...words: readonly number[]): void;
}

const latin1 = new TextDecoder("latin1");

/**
 * Wraps one `WebAssembly.Instance`, made synchronously.
 *
 * Ordering: a kernel call begins with `resetScratch`, writes its input, calls, copies its output; no `await` in between,
 * since the next call reuses the scratch. Views come from `u8` and `u32` at each use: an allocation may grow the memory,
 * which detaches every older view, and writes to a detached view are silently lost.
 */
export class CoreInstance {
  readonly #memory: MemoryFunctions;
  readonly #exports: unknown;
  #u8 = new Uint8Array();
  #u32 = new Uint32Array();
  #view = new DataView(new ArrayBuffer(0));

  /** @param seed four words of 32 bits for its hash tables. Without them it has those that everybody knows */
  constructor(module: WebAssembly.Module, seed: Iterable<number> = []) {
    const numbers = { parseF64: (at: number, length: number): number => this.#parseF64(at, length) };
    const instance = new WebAssembly.Instance(module, { numbers });
    this.#exports = instance.exports;
    this.#memory = instance.exports as unknown as MemoryFunctions;
    this.#memory.seedTables(...seed);
    this.#derive();
  }

  /** The exports, as the shape that the caller has declared for its kernels. */
  functions<T>(): T {
    return this.#exports as T;
  }

  get u8(): Uint8Array {
    if (this.#u8.byteLength === 0) this.#derive();
    return this.#u8;
  }

  /** The same memory as 32-bit words: index = address / 4. */
  get u32(): Uint32Array {
    if (this.#u8.byteLength === 0) this.#derive();
    return this.#u32;
  }

  /** For 64-bit and unaligned values. */
  get view(): DataView {
    if (this.#u8.byteLength === 0) this.#derive();
    return this.#view;
  }

  /** Bytes of Wasm memory; never shrinks. */
  get memoryBytes(): number {
    return this.#memory.memory.buffer.byteLength;
  }

  /** Bytes in live blocks. */
  get heapBytes(): number {
    return this.#memory.heapBytes();
  }

  /** A block that lives until `free`. Traps when memory is exhausted. */
  alloc(bytes: number): number {
    return this.#memory.alloc(bytes);
  }

  free(block: number): void {
    this.#memory.free(block);
  }

  /** Starts a call: scratch of earlier calls is gone. */
  resetScratch(): void {
    this.#memory.scratchReset();
  }

  /** `bytes` bytes of scratch, 16-byte aligned, not cleared, with slack behind for SIMD. */
  scratch(bytes: number): number {
    return this.#memory.scratch(bytes);
  }

  /** Copies `bytes` into fresh scratch, clears the slack behind them, and returns their address. */
  writeScratch(bytes: Uint8Array): number {
    const at = this.#memory.scratch(bytes.length + SLACK_BYTES);
    const memory = this.u8;
    memory.set(bytes, at);
    memory.fill(0, at + bytes.length, at + bytes.length + SLACK_BYTES);
    return at;
  }

  /** Copies bytes out of Wasm memory. */
  copy(at: number, length: number): Uint8Array {
    return this.u8.slice(at, at + length);
  }

  /** Copies 32-bit words out of Wasm memory. @param from index in `u32` */
  copyWords(from: number, to: number): Uint32Array {
    return this.u32.slice(from, to);
  }

  #derive(): void {
    const { buffer } = this.#memory.memory;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#view = new DataView(buffer);
  }

  /** Host function of numbers.ts: the correctly rounded value of a number whose grammar is already checked. */
  #parseF64(at: number, length: number): number {
    return Number(latin1.decode(this.u8.subarray(at, at + length)));
  }
}
