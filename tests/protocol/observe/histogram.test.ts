import fc from "fast-check";
import { expect, it } from "vitest";
import { BOUNDS, Histogram } from "../../../protocol/observe/histogram.ts";

it("counts each value in the first bucket whose bound is not below it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -10, max: 2 ** 20 })), (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const { counts, sum } = histogram.figures;
      expect(counts).toHaveLength(BOUNDS + 1);
      expect(sum).toBe(values.reduce((total, value) => total + Math.max(0, value), 0));
      for (let at = 0; at <= BOUNDS; at++) {
        const upTo = counts.slice(0, at + 1).reduce((total, count) => total + count, 0);
        const bound = at === BOUNDS ? Infinity : 2 ** at;
        expect(upTo).toBe(values.filter((value) => value <= bound).length);
      }
    }),
  );
});
