/** What one turn of folding or merging does is bounded, with the limits as they are. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { SPACE } from "../../protocol/state/blocks/block.ts";
import { entityKey } from "../../protocol/state/state-key.ts";
import { Folding } from "./support/folding.ts";

const KEYS = 40_000;
const MiB = 1024 * 1024;
/** Rows of SQLite for a thousand keys that change, folded and merged again and again. */
const ROWS = 60;

test("turns are bounded in bytes and in time, and rows are few", () => {
  const folding = new Folding(1, 1 * MiB);
  const text = "x".repeat(200);
  let [turns, rows, changed] = [0, 0, 0];
  const times: number[] = [];
  for (let round = 0; round < 24; round++) {
    for (let record = 0; record < 40; record++) {
      const writes = Array.from({ length: 500 }, () => ({
        op: "put" as const,
        key: entityKey("s", `key-${folding.random.int(KEYS)}`),
        text,
      }));
      folding.commit(writes);
      changed += writes.length;
    }
    while (folding.folder.isActive || folding.folder.isDue(folding.now)) {
      const [began, merging] = [performance.now(), !folding.folder.isActive];
      folding.turn();
      if (merging && !folding.folder.isActive) times.push(performance.now() - began);
      turns += 1;
      const ops = folding.lastOps;
      rows += ops.length;
      const bytes = ops.reduce((sum, op) => sum + ("bytes" in op ? op.bytes.length : 0), 0);
      const backlog = Math.max(1, Math.ceil(folding.folder.unfoldedBytes / LIMITS.foldBytes) + 1);
      const fold = LIMITS.foldBytesPerTurn * backlog + 2 * LIMITS.blockBytes;
      expect(bytes).toBeLessThan(Math.max(fold, LIMITS.mergeBytes + 3 * LIMITS.blockBytes));
    }
  }
  expect(turns).toBeGreaterThan(100);
  expect(folding.blocks.trees[SPACE.state].runs.length).toBeLessThan(LIMITS.maxRuns);
  expect((rows / changed) * 1000).toBeLessThan(ROWS);
  // On a busy machine single turns wait for others.
  times.sort((a, b) => a - b);
  expect(times[times.length >> 1]).toBeLessThan(LIMITS.storageTurnMs);
  console.log(
    `${turns} turns, ${((rows / changed) * 1000).toFixed(1)} rows for 1,000 changed keys, merges ${times.length}, median ${times[times.length >> 1]?.toFixed(2)} ms`,
  );
});
