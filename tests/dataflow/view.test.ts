/** View rows as JSON text. */

import { describe, expect, test } from "vitest";
import { planFlow, renderRow } from "../../dataflow/index.ts";
import { flow, int64, max, stream, sum, timestamp, tumbling } from "../../sdk/index.ts";
import { perSecond } from "./fixtures.ts";

const plan = planFlow(perSecond);
const measures = [
  { sum: 30n, min: 10n, max: 20n },
  { sum: 2.5, min: 1, max: 1.5 },
];

describe("renderRow", () => {
  test("names the outputs in the flow's order", () => {
    expect(renderRow(plan, { key: 'a "pen"', start: 1_000n, count: 2n, measures }, true)).toBe(
      '{"key":"a \\"pen\\"","window":{"start":1000,"end":2000},"orders":2,"revenue":30,"dearest":1.5,"least":10,"cheapest":1,"final":true}',
    );
  });

  test("writes whole numbers exactly, whatever their size, and times before 1970", () => {
    const Numbers = stream("numbers", { id: int64(), n: int64(), at: timestamp() });
    const byId = planFlow(
      flow("f")
        .from(Numbers, { time: "at" })
        .keyBy("id")
        .window(tumbling(10))
        .aggregate({ most: max("n"), total: sum("n") })
        .toView("v"),
    );
    const group = {
      key: -(2n ** 63n),
      start: -10n,
      count: 1n,
      measures: [{ sum: 2n ** 63n - 1n, min: 0n, max: 2n ** 53n + 1n }],
    };
    expect(renderRow(byId, group, false)).toBe(
      '{"key":-9223372036854775808,"window":{"start":-10,"end":0},"most":9007199254740993,"total":9223372036854775807,"final":false}',
    );
  });

  test("writes window bounds beyond 2^53 exactly", () => {
    const row = renderRow(plan, { key: "a", start: 2n ** 60n + 1n, count: 1n, measures }, true);
    expect(row).toContain('"window":{"start":1152921504606846977,"end":1152921504606847977}');
  });

  test("writes null for a double that overflowed", () => {
    const overflowed = [measures[0], { sum: Infinity, min: -Infinity, max: Infinity }] as const;
    const row: unknown = JSON.parse(
      renderRow(plan, { key: "a", start: 0n, count: 1n, measures: overflowed as never }, false),
    );
    expect(row).toMatchObject({ dearest: null, cheapest: null, least: 10 });
  });

  test("refuses a group of another plan", () => {
    expect(() => renderRow(plan, { key: "a", start: 0n, count: 1n, measures: [] }, true)).toThrow(
      "made by another plan",
    );
  });
});
