/** Makes a partition fold. */
import { createReferenceKernels } from "../../../core-wasm/reference/kernels.ts";
import type { BlockRow } from "../../../core-wasm/types.ts";
import { BLOCK, type Block, readHead } from "../../../protocol/state/blocks/block.ts";
import { call, freshKeyNear, inside } from "./app.ts";

const ROUNDS = 40;

/** Records that a key's partition has folded. */
export function foldedOf(key: string): Promise<number> {
  return inside(key, ({ storage }) => {
    const [row] = storage.sql.exec("SELECT value FROM meta WHERE name = 'folded'").raw();
    // A checksum of 8 digits stands before it.
    return Number(String(row?.[0] ?? "").slice(8));
  });
}

/** Writes under another key of the partition until everything written before is folded. */
export async function fold(key: string): Promise<void> {
  const before = await foldedOf(key);
  const other = freshKeyNear(key, true);
  for (let round = 0; (await foldedOf(key)) === before; round++) {
    if (round === ROUNDS) throw new Error("the partition does not fold");
    await call(["values", other], "pad", { chars: 900_000, fill: String(round % 10) });
    // Folding takes turns of its own, which come when the isolate has nothing else to do.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const kernels = createReferenceKernels();

export interface FoundBlock {
  readonly block: Block;
  readonly rows: BlockRow[];
}

/** Every block of a key's partition, with its rows. */
export async function blocksOf(key: string): Promise<FoundBlock[]> {
  const found = await inside(key, ({ storage }) => [...storage.sql.exec("SELECT id, head, bytes FROM blocks").raw()]);
  return found.map(([id, head, bytes]) => ({
    block: readHead(kernels, id as number, new Uint8Array(head as ArrayBuffer)),
    rows: kernels.rowsOfBlock(BLOCK, new Uint8Array(bytes as ArrayBuffer), ALL),
  }));
}

const ALL = { from: "", to: "\u{10ffff}", limit: Infinity, reverse: false };
