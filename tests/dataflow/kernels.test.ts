/** Plans run by the Wasm kernels, against the naive evaluation: random flows over random batches. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { advance, evaluate, INITIAL_WATERMARK, planFlow, renderRow, rowText } from "../../dataflow/index.ts";
import type { PlainEvent } from "../../dataflow/index.ts";
import type { FlowDefinition } from "../../sdk/index.ts";
import { count, flow, max, min, sum, tumbling } from "../../sdk/index.ts";
import { Sales } from "./fixtures.ts";

const kernels = createKernels(loadCore());

/** As a partition runs a flow: apply, advance, close; then the rows of closed and open groups. */
function run(
  definition: FlowDefinition,
  batches: ReadonlyArray<readonly PlainEvent[]>,
): { rows: string[]; late: number; watermark: bigint } {
  const plan = planFlow(definition);
  const state = kernels.openWindow(plan.window);
  const rows: string[] = [];
  let watermark = INITIAL_WATERMARK;
  let late = 0;
  for (const batch of batches) {
    const parsed = kernels.parseEvents(new TextEncoder().encode(batch.map(eventText).join("\n")), plan.columns);
    if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.fault)}`);
    const outcome = state.apply(parsed.frame, watermark);
    late += outcome.late;
    watermark = advance(watermark, outcome.maxTime, plan.outOfOrderness);
    for (const group of kernels.readGroups(state.close(watermark))) rows.push(renderRow(plan, group, true));
  }
  for (const group of kernels.readGroups(state.snapshot())) rows.push(renderRow(plan, group, false));
  state.free();
  return { rows, late, watermark };
}

function eventText(event: PlainEvent): string {
  const members = Object.entries(event).map(
    ([name, value]) => `"${name}":${typeof value === "string" ? JSON.stringify(value) : value}`,
  );
  return `{${members.join()}}`;
}

const event = fc.record({
  item: fc.constantFrom("a", "b", "", "é", "😀", "\uff5e", "test"),
  amount: fc.oneof(fc.bigInt({ min: -5n, max: 5n }), fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n))),
  price: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0.1, 0.2, 1e308)),
  at: fc.oneof(
    { weight: 8, arbitrary: fc.bigInt({ min: -3_000n, max: 3_000n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }) },
  ),
});

const definition = fc
  .record({
    key: fc.constantFrom<"item" | "amount" | "at">("item", "amount", "at"),
    size: fc.integer({ min: 1, max: 2_000 }),
    outOfOrderness: fc.nat(2_000),
    least: fc.option(fc.bigInt({ min: -5n, max: 5n })),
    price: fc.option(fc.constantFrom(0, 0.1, 1e300)),
    not: fc.option(fc.constantFrom("a", "", "😀", "unseen")),
  })
  .map(({ key, size, outOfOrderness, least, price, not }): FlowDefinition => {
    let step = flow("f").from(Sales, { time: "at", outOfOrderness });
    if (least !== null) step = step.filter((e) => e.amount.ge(least));
    if (price !== null) step = step.filter((e) => e.price.lt(price));
    if (not !== null) step = step.filter((e) => e.item.ne(not));
    const outputs = {
      n: count(),
      total: sum("amount"),
      low: min("amount"),
      high: max("amount"),
      value: sum("price"),
      dear: max("price"),
      last: max("at"),
    };
    return step.keyBy(key).window(tumbling(size)).aggregate(outputs).toView("v");
  });

describe("a planned flow in the kernels", () => {
  test("gives the rows, late counts and watermark of the naive evaluation", () => {
    fc.assert(
      fc.property(
        definition,
        fc.array(fc.array(event, { maxLength: 15 }), { maxLength: 6 }),
        (flowDefinition, batches) => {
          const expected = evaluate(flowDefinition, batches);
          const actual = run(flowDefinition, batches);
          expect(actual.rows.sort()).toEqual(expected.rows.map(rowText).sort());
          expect([actual.late, actual.watermark]).toEqual([expected.late, expected.watermark]);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
