/** The watermark rule, by its table. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { advance, INITIAL_WATERMARK } from "../../dataflow/index.ts";

const least = -(2n ** 63n);

describe("advance", () => {
  test.each<[string, bigint, bigint | null, number, bigint]>([
    ["stays at the start for an empty batch", INITIAL_WATERMARK, null, 0, INITIAL_WATERMARK],
    ["comes to the highest time", INITIAL_WATERMARK, 10_000n, 0, 10_000n],
    ["stays behind by the out-of-orderness", INITIAL_WATERMARK, 10_000n, 5_000, 5_000n],
    ["never goes back", 5_000n, 9_000n, 5_000, 5_000n],
    ["stays for an empty batch", 5_000n, null, 5_000, 5_000n],
    ["moves on by one millisecond", 5_000n, 10_001n, 5_000, 5_001n],
    ["goes below 1970", INITIAL_WATERMARK, -10n, 5, -15n],
    ["does not fall below int64", INITIAL_WATERMARK, least + 1n, 5_000, least],
    ["reaches the top of int64", 0n, 2n ** 63n - 1n, 0, 2n ** 63n - 1n],
  ])("%s", (_fact, previous, maxTime, outOfOrderness, expected) => {
    expect(advance(previous, maxTime, outOfOrderness)).toBe(expected);
  });

  test("is monotone, and does not depend on how batches without late events are cut", () => {
    const times = fc.array(fc.bigInt({ min: -1_000n, max: 1_000n }), { maxLength: 20 });
    fc.assert(
      fc.property(times, fc.nat(500), (list, outOfOrderness) => {
        let stepwise = INITIAL_WATERMARK;
        for (const time of list) {
          const next = advance(stepwise, time, outOfOrderness);
          expect(next >= stepwise).toBe(true);
          stepwise = next;
        }
        const highest = list.reduce<bigint | null>((top, time) => (top === null || time > top ? time : top), null);
        expect(advance(INITIAL_WATERMARK, highest, outOfOrderness)).toBe(stepwise);
      }),
    );
  });

  test.each([-1, 0.5, NaN, Infinity])("refuses an out-of-orderness of %s", (outOfOrderness) => {
    expect(() => advance(0n, 1n, outOfOrderness)).toThrow(RangeError);
  });
});
