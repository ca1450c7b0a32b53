/** The tables of flows once more, with limits so small that chunks of shares go all the time and entries stand apart. */
import { vi } from "vitest";
import type { LIMITS as Real } from "../../protocol/limits.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { LIMITS } = await original<{ LIMITS: typeof Real }>();
  const few = { operatorUnits: 400, chunkUnits: 60, chunkTextUnits: 40, cleanedUnits: 30, looseChunks: 3 };
  return { LIMITS: { ...LIMITS, ...few } };
});

await import("./flow-windows.test.ts");
await import("./flow-joins.test.ts");
await import("./flow-changes.test.ts");
