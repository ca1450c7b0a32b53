/** Batches of events, as the edge has parsed them, read as rows. */
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import { type FrameTools, openFrame } from "../../dataflow/columns/frame.ts";
import { Rows } from "../../dataflow/columns/rows.ts";
import type { StreamDefinition } from "../../sdk/stream.ts";

const encoder = new TextEncoder();

export interface Frame {
  readonly length: number;
  /** Columns of the stream that it does not have. */
  readonly lacks: ReadonlySet<string>;
  /** Events from one number to before another. Their time is not looked at yet. */
  rows(from: number, to: number): Rows;
}

export class Frames {
  readonly #kernels: Kernels;
  readonly #hashes = new Map<string, number>();
  readonly #tools: FrameTools;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
    this.#tools = { kernels, nameHash: (name) => this.#hashOf(name) };
  }

  /** @throws CorruptError for columns that are not the stream's */
  open({ columns }: StreamDefinition, bytes: Uint8Array): Frame {
    try {
      const { rows, lacks, part } = openFrame(bytes, columns, this.#tools);
      return { length: rows, lacks, rows: (from, to) => new Rows(part(from, to), new Float64Array(to - from)) };
    } catch (error) {
      if (error instanceof RangeError) throw new CorruptError("kind", error.message);
      throw error;
    }
  }

  /** All of them. @throws CorruptError */
  read(stream: StreamDefinition, bytes: Uint8Array): Rows {
    const { length, rows } = this.open(stream, bytes);
    return rows(0, length);
  }

  #hashOf(name: string): number {
    const known = this.#hashes.get(name);
    if (known !== undefined) return known;
    const hash = Number.parseInt(this.#kernels.checksum(encoder.encode(name)).slice(8), 16);
    this.#hashes.set(name, hash);
    return hash;
  }
}
