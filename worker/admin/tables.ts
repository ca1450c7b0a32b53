/** Tables of pinned partitions, from all of them in turn, so that none keeps its images long; and tables out of a stream of bytes. */
import { MAX_TABLE_BYTES } from "../../core-wasm/limits.ts";
import { NO_TABLE } from "../../protocol/backup/asks.ts";
import { LIMITS } from "../limits.ts";
import { refuse } from "../problems.ts";
import type { Domain } from "./domain.ts";

/**
 * Who reads slowly keeps all of them waiting, and those longest whose turn is last: they are told that they are read on, as long as somebody reads.
 * @throws ProblemError when a pin is lost
 */
export async function* pinnedTables(domain: Domain, id: string): AsyncGenerator<Uint8Array> {
  let keptAt = Date.now();
  let waiting = domain.partitions.map((partition) => ({ partition, number: 0 }));
  while (waiting.length > 0) {
    const now = waiting.slice(0, LIMITS.backupsAtOnce);
    const tables = await Promise.all(now.map(({ partition, number }) => domain.table(partition, id, number)));
    const further = now.filter((_, at) => (tables[at] as Uint8Array).length > 0);
    waiting = [
      ...waiting.slice(now.length),
      ...further.map(({ partition, number }) => ({ partition, number: number + 1 })),
    ];
    for (const table of tables) {
      if (table.length === 0) continue;
      yield table;
      if (Date.now() < keptAt + LIMITS.pinKeepMs) continue;
      keptAt = Date.now();
      // One that keeps nothing any more says so when it is asked for its next table.
      await Promise.allSettled(waiting.map(({ partition }) => domain.table(partition, id, NO_TABLE)));
    }
  }
}

const HEADER = 32;
const TOO_SHORT = "the backup is cut short";

/**
 * The packed tables that bytes consist of, each whole.
 * @param broken is told why the stream broke off, and throws what is to be said of that
 * @throws ProblemError `invalid-backup` for bytes that are none, or that end within one
 */
export async function* tablesIn(
  stream: ReadableStream<Uint8Array>,
  broken: (error: unknown) => never = thrown,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const bytes = new Gathered(reader, broken);
  try {
    while (await bytes.have(1)) {
      if (!(await bytes.have(HEADER))) throw refuse("invalid-backup", TOO_SHORT);
      const length = tableLength(bytes.peek(HEADER));
      if (length > MAX_TABLE_BYTES) throw refuse("invalid-backup", "this is no backup, or it is damaged");
      if (!(await bytes.have(length))) throw refuse("invalid-backup", TOO_SHORT);
      yield bytes.take(length);
    }
  } finally {
    // Others may read what is left.
    reader.releaseLock();
  }
}

function thrown(error: unknown): never {
  throw error;
}

/** See docs/formats.md, "Packed table". */
function tableLength(header: Uint8Array): number {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const cells = view.getUint16(12, true) + view.getUint16(14, true);
  return HEADER + 4 * view.getUint32(8, true) * cells + view.getUint32(16, true) + view.getUint32(20, true);
}

/** Bytes of a stream, as many as were asked for. */
class Gathered {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #broken: (error: unknown) => never;
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, broken: (error: unknown) => never) {
    this.#reader = reader;
    this.#broken = broken;
  }

  /** False when the stream ends before. */
  async have(length: number): Promise<boolean> {
    while (this.#length < length) {
      const { done, value } = await this.#reader.read().catch(this.#broken);
      if (done) return false;
      this.#chunks.push(value);
      this.#length += value.length;
    }
    return true;
  }

  peek(length: number): Uint8Array {
    return this.#joined().subarray(0, length);
  }

  take(length: number): Uint8Array {
    const joined = this.#joined();
    const rest = joined.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return joined.slice(0, length);
  }

  #joined(): Uint8Array {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const joined = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [joined];
    return joined;
  }
}
