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
    if (this.#at + length > SLAB_BYTES) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#at = 0;
    }
    const copied = new Uint8Array(this.#slab, this.#at, length);
    copied.set(this.u8.subarray(at, at + length));
    // Words are taken out of here, too.
    this.#at = (this.#at + length + 7) & ~7;
    return copied;
  }

  override copyWords(from: number, to: number): Uint32Array {
    const { buffer, byteOffset } = this.copy(4 * from, 4 * (to - from));
    return new Uint32Array(buffer, byteOffset, to - from);
  }
}
