/** A database that grows to its limit: nothing that writes is admitted above it, and what expires makes room. */
import { expect, test, vi } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { contract, fn, service } from "../../sdk/index.ts";
import { z } from "zod";
import { LonePartition } from "./support/lone-partition.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  const { LIMITS: small } = smallLimits(await original());
  return { LIMITS: { ...small, maxDatabaseBytes: 60_000, clientResultMs: 60_000 } };
});

const Box = contract("box", { fill: fn({ input: z.number() }) });
const box = service(
  Box,
  { state: () => ({ text: "" }), ttl: { after: "write", duration: "10m" } },
  { fill: (ctx, size) => void (ctx.state.text = "x".repeat(size)) },
);

test("a partition that is filled refuses what writes, also when it starts over, until enough has expired", async () => {
  const lone = new LonePartition([box]);
  const fill = async (key: number) =>
    (await lone.call({ service: "box", key: `k${key}`, name: "fill", input: 500 })).status;
  let filled = 0;
  while ((await fill(filled)) === 200) filled += 1;
  // One look behind: what came meanwhile is little.
  expect(filled * 500).toBeGreaterThan(LIMITS.maxDatabaseBytes / 2);
  expect(filled * 500).toBeLessThan(LIMITS.maxDatabaseBytes * 1.1);
  lone.partition.crash();
  await lone.settle();
  expect(await fill(0)).toBe(503);
  await lone.pass(12 * 60_000, 1_000);
  expect(await fill(0)).toBe(200);
});
