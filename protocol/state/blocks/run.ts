/** Runs: blocks that do not overlap, in the order of their keys. */
import { CorruptError } from "../../../core-wasm/types.ts";
import { isClientId } from "../../wire/invoke.ts";
import { compareKeys } from "../state-key.ts";
import type { Block } from "./block.ts";

export class Run {
  readonly number: number;
  /** Ascending. */
  readonly blocks: Block[];
  #bytes = 0;
  #expires: number | null = null;

  /** @throws CorruptError for blocks that overlap */
  constructor(number: number, blocks: readonly Block[] = []) {
    this.number = number;
    this.blocks = [...blocks].sort((a, b) => compareKeys(a.first, b.first));
    for (const [at, block] of this.blocks.entries()) {
      const before = this.blocks[at - 1];
      if (before && compareKeys(before.last, block.first) >= 0) {
        throw new CorruptError("kind", `blocks ${before.id} and ${block.id} of one run overlap`);
      }
      this.#bytes += block.bytes;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the last of its rows expires. */
  get expires(): number {
    return (this.#expires ??= this.blocks.reduce((latest, { expires }) => Math.max(latest, expires), 0));
  }

  /** Number of the first block that ends at or above the key. */
  seek(key: string): number {
    let [low, high] = [0, this.blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys((this.blocks[middle] as Block).last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The block that may hold the key. */
  at(key: string): Block | undefined {
    const block = this.blocks[this.seek(key)];
    return block && compareKeys(block.first, key) <= 0 ? block : undefined;
  }

  /** Puts blocks in the place of `count` others; all stay in order. */
  replace(at: number, count: number, blocks: readonly Block[]): void {
    this.#expires = null;
    for (const gone of this.blocks.splice(at, count, ...blocks)) this.#bytes -= gone.bytes;
    for (const { bytes } of blocks) this.#bytes += bytes;
  }
}

/** Whether a run of results has some of clients' ids, which come before those of messages; only what older code has merged has both. */
export function isNamed({ blocks }: Run): boolean {
  return isClientId(blocks[0]?.first ?? "");
}
