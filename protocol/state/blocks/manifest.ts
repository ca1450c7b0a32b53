/** How many blocks there are, and the exclusive or of the checksums of their heads: so that none can be missing, or be an older one, unnoticed. */
import { CorruptError } from "../../../core-wasm/types.ts";
import type { Block } from "./block.ts";

const VERSION = 1;

export class Manifest {
  #count = 0;
  #low = 0;
  #high = 0;

  add({ mark }: Block): void {
    this.#count += 1;
    this.#low ^= mark.low;
    this.#high ^= mark.high;
  }

  remove({ mark }: Block): void {
    this.#count -= 1;
    this.#low ^= mark.low;
    this.#high ^= mark.high;
  }

  /** As stored: version, number of blocks, the two words. */
  encode(): string {
    return `${VERSION} ${this.#count} ${this.#low >>> 0} ${this.#high >>> 0}`;
  }

  /** @throws CorruptError when this is not what was stored with the last change; undefined is none so far */
  check(stored: string | undefined): void {
    const [version, count] = (stored ?? "").split(" ");
    if (stored !== undefined && Number(version) !== VERSION) {
      throw new CorruptError("version", `blocks of version ${version}; this code reads ${VERSION}`);
    }
    if (this.encode() === (stored ?? new Manifest().encode())) return;
    throw new CorruptError("length", `${this.#count} blocks of state, where ${count || "0"} others should be`);
  }
}
