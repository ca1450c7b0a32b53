/** Batches of events, as the edge has parsed them, read as rows. */
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import { readFrame } from "../../dataflow/columns/frame.ts";
import { Rows } from "../../dataflow/columns/rows.ts";
import type { StreamDefinition } from "../../sdk/stream.ts";

const encoder = new TextEncoder();

export class Frames {
  readonly #kernels: Kernels;
  readonly #hashes = new Map<string, number>();

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** Their time is not looked at yet. @throws CorruptError for columns that are not the stream's */
  read({ columns }: StreamDefinition, frame: Uint8Array): Rows {
    try {
      const read = readFrame(frame, columns, (name) => this.#hashOf(name));
      return new Rows(read.columns, new Float64Array(read.rows));
    } catch (error) {
      if (error instanceof RangeError) throw new CorruptError("kind", error.message);
      throw error;
    }
  }

  #hashOf(name: string): number {
    const known = this.#hashes.get(name);
    if (known !== undefined) return known;
    const hash = Number.parseInt(this.#kernels.checksum(encoder.encode(name)).slice(8), 16);
    this.#hashes.set(name, hash);
    return hash;
  }
}
