/** The core with cheap copies: what comes out of it lies in slabs that many share. */
import { CoreInstance } from "../../core-wasm/facade/instance.ts";

const SLAB_BYTES = 65_536;
const MOST_SHARED = 4_096;

/**
 * A memory of its own costs each array of more than 64 bytes half a microsecond and its part of every collection, and a run makes tens of thousands.
 * Objects on the platform must pay: what they give away is sent, or kept, with all of the memory behind it.
 */
export class SlabCore extends CoreInstance {
  #slab = new ArrayBuffer(SLAB_BYTES);
  #at = 0;

  override copy(at: number, length: number): Uint8Array {
    if (length > MOST_SHARED) return super.copy(at, length);
    const place = this.#take(length);
    const copied = new Uint8Array(this.#slab, place, length);
    copied.set(this.u8.subarray(at, at + length));
    return copied;
  }

  override copyWords(from: number, to: number): Uint32Array {
    const bytes = (to - from) * 4;
    if (bytes > MOST_SHARED) return super.copyWords(from, to);
    const place = this.#take(bytes);
    const copied = new Uint32Array(this.#slab, place, to - from);
    copied.set(this.u32.subarray(from, to));
    return copied;
  }

  /** @returns where so many bytes are free; in another slab, perhaps */
  #take(bytes: number): number {
    if (this.#at + bytes > SLAB_BYTES) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = (at + bytes + 7) & ~7;
    return at;
  }
}
