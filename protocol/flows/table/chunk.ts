/**
 * Chunks: what batches changed of a share's entries, as one text each. docs/formats.md, "Chunks".
 *
 *   JSON [[collection, [length of key, length of text or -1 for a deletion, …]], …], a line feed, then keys and texts, one behind the other
 */
import { invariant } from "../../assert.ts";

/** Null for a deletion. */
export interface ChunkRow {
  readonly collection: string;
  readonly key: string;
  readonly text: string | null;
}

const DELETED = -1;
/** Characters of a row beside its key and text, about. */
export const ROW_UNITS = 8;

/** Writes chunks. Rows of one collection are best added one behind the other. */
export class ChunkWriter {
  readonly #head: Array<[collection: string, lengths: number[]]> = [];
  readonly #texts: string[] = [];
  #units = 0;

  add(collection: string, key: string, text: string | null): void {
    let last = this.#head.at(-1);
    if (last?.[0] !== collection) this.#head.push((last = [collection, []]));
    last[1].push(key.length, text === null ? DELETED : text.length);
    this.#texts.push(key);
    if (text !== null) this.#texts.push(text);
    this.#units += ROW_UNITS + key.length + (text?.length ?? 0);
  }

  /** Characters so far, about. */
  get units(): number {
    return this.#units;
  }

  /** The rows so far as a chunk; the next one begins. */
  take(): string {
    const text = `${JSON.stringify(this.#head)}\n${this.#texts.join("")}`;
    this.#head.length = 0;
    this.#texts.length = 0;
    this.#units = 0;
    return text;
  }
}

/** The rows of a chunk, in their order. */
export function* readChunk(text: string): Generator<ChunkRow> {
  const end = text.indexOf("\n");
  const head = JSON.parse(text.slice(0, end)) as Array<[collection: string, lengths: number[]]>;
  let at = end + 1;
  const next = (length: number): string => text.slice(at, (at += length));
  for (const [collection, lengths] of head) {
    for (let row = 0; row < lengths.length; row += 2) {
      const key = next(lengths[row] as number);
      const length = lengths[row + 1] as number;
      yield { collection, key, text: length === DELETED ? null : next(length) };
    }
  }
  invariant(at === text.length, "1: a chunk is not as long as it says");
}
