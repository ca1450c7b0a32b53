/** Makes a partition fold. */
import { call, freshKeyNear, inside } from "./app.ts";

const ROUNDS = 40;

/** Records that a key's partition has folded. */
export function foldedOf(key: string): Promise<number> {
  return inside(key, ({ storage }) => {
    const [row] = storage.sql.exec("SELECT value FROM meta WHERE name = 'folded'").raw();
    return Number(row?.[0] ?? 0);
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
