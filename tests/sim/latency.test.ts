/** What a transaction waits for, in a model where a message takes 1 ms, a confirmation 10 ms and nothing else any time. */
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { measureLoad } from "../../sim/latency/load.ts";
import { measureLone } from "../../sim/latency/lone.ts";

const kernels = createKernels(loadCore());

test("alone, nothing waits for more than it must", async () => {
  const lone = await measureLone(kernels);
  const found = Object.fromEntries(
    lone.map(({ what, ms, messages, confirmations }) => [what, { ms, messages, confirmations }]),
  );
  expect(found).toEqual({
    "local transfer": { ms: 12, messages: 2, confirmations: 1 },
    // Edge, call, answer, finish with the sole member's order, prepared, decide, edge.
    "transfer between two partitions": { ms: 16, messages: 6, confirmations: 1 },
    "query over two partitions": { ms: 16, messages: 6, confirmations: 1 },
    "snapshot over two partitions": { ms: 4, messages: 4, confirmations: 0 },
    // No boundary is young enough: it takes locks instead.
    "snapshot over two partitions, stale": { ms: 16, messages: 6, confirmations: 1 },
  });
});

test("under load an epoch's messages grow with its partitions, and transactions share them", async () => {
  const of = (partitions: number) =>
    measureLoad({ kernels, partitions, accounts: 16 * partitions, clients: 16 * partitions, ms: 1_500 });
  const [four, eight] = [await of(4), await of(8)];
  expect(eight.perSecond).toBeGreaterThan(1.6 * four.perSecond);
  expect(eight.messagesPerEpoch).toBeLessThan(2.6 * four.messagesPerEpoch);
  for (const { refused, epochs } of [four, eight]) expect([refused, epochs > 20]).toEqual([0, true]);
});
