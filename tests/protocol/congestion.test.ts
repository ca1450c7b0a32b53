/** More in the log than may be: nothing new is admitted until folding has caught up, also right after a start. */
import { expect, test, vi } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { contract, fn, service } from "../../sdk/index.ts";
import { z } from "zod";
import { LonePartition } from "./support/lone-partition.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  const { LIMITS: small } = smallLimits(await original());
  return { LIMITS: { ...small, maxUnfoldedBytes: 4_000, maxRecordBytes: 100_000 } };
});

const Box = contract("box", { fill: fn({ input: z.number() }), size: fn({ output: z.number() }) });
const box = service(
  Box,
  { state: () => ({ text: "" }) },
  { fill: (ctx, size) => void (ctx.state.text = "x".repeat(size)), size: (ctx) => ctx.state.text.length },
);

test("a partition that starts with more than may be unfolded folds it, and then takes requests again", async () => {
  const lone = new LonePartition([box]);
  const { partition } = lone;
  const rows = Array.from({ length: 5 }, (_, n) => ({ service: "box", key: `k${n}`, name: "fill", input: 1_000 }));
  lone.send(rows);
  partition.engine.input({ kind: "flush" });
  // The last move confirms what was written; none of the others, folding, is made. The start asks for a fold too, which comes later.
  partition.moves().at(-1)?.();
  partition.crash();
  expect(partition.engine.machine.status.unfoldedBytes).toBeGreaterThan(LIMITS.maxUnfoldedBytes);
  const refused = await lone.call({ service: "box", key: "k1", name: "size" });
  expect(refused.status).toBe(503);
  const answer = await lone.call({ service: "box", key: "k1", name: "size" });
  expect([answer.status, answer.body]).toEqual([200, "1000"]);
});
