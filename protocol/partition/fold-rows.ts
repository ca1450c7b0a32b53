/** Gathers the rows of a fold into blocks: sorted rows go in, and whenever there are enough, a block comes out. */
import { BLOCK_FLAG } from "../../core-wasm/types.ts";
import { LIMITS } from "../limits.ts";
import type { BlockLabel } from "../state/blocks/block.ts";
import type { Blocks, Rows } from "../state/blocks/blocks.ts";
import type { StorageOp } from "./effects.ts";

/** Bytes of a row beside its texts. */
const ROW_BYTES = 12;

export class FoldRows {
  readonly #blocks: Blocks;
  readonly #label: BlockLabel;
  readonly #hasOlder: boolean;
  #rows: Rows = { flags: [], keys: [], texts: [] };
  /** At least a third of what the block will have: characters may take three bytes. */
  #bytes = 0;

  constructor(blocks: Blocks, label: BlockLabel) {
    this.#blocks = blocks;
    this.#label = label;
    this.#hasOlder = blocks.trees[label.space].runs.some(({ number }) => number < label.run);
  }

  add(flags: number, key: string, text: string): void {
    if (!this.#hasOlder) {
      // Nothing is there that it would hide.
      if ((flags & BLOCK_FLAG.deleted) !== 0) return;
      flags = 0;
    }
    this.#rows.flags.push(flags);
    this.#rows.keys.push(key);
    this.#rows.texts.push(text);
    this.#bytes += ROW_BYTES + key.length + text.length;
  }

  get isFull(): boolean {
    return this.#bytes >= LIMITS.blockBytes;
  }

  /** What stores the rows so far as a block; nothing when there are none. */
  take(): StorageOp[] {
    if (this.#rows.keys.length === 0) return [];
    const rows = this.#rows;
    this.#rows = { flags: [], keys: [], texts: [] };
    this.#bytes = 0;
    return this.#blocks.append(this.#label, rows);
  }
}
