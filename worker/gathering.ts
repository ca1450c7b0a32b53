/** Bytes that come in pieces, in one buffer that grows with them. */

export class Gathering {
  readonly #limit: number;
  #bytes = new Uint8Array(0);
  #length = 0;

  /** @param limit of all bytes together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * The piece itself is not kept: the platform hands out each in a buffer of some KiB, also where the network brought a single byte, so that a list
   * of them could take thousands of times what it holds.
   */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) this.#resize(Math.max(length, Math.min(2 * this.#bytes.length, this.#limit)));
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** All of them, in a buffer of their size; nothing is added behind that. */
  take(): Uint8Array {
    if (this.#length < this.#bytes.length) this.#resize(this.#length);
    return this.#bytes;
  }

  #resize(length: number): void {
    this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(length));
  }
}
