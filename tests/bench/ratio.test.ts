/** Comparisons of benchmarks: that a difference is seen where there is one, and none where there is none. */
import { describe, expect, test } from "vitest";
import { compare } from "../../bench/compare/ratio.ts";
import { createRandom } from "../../sim/random.ts";

const TURNS = 100;

/** Figures of two kinds in turns on a machine whose speed drifts, whose turns vary by a tenth, and that is now and then three times as slow. */
function figures(seed: number, ratio: number): [number[], number[]] {
  const random = createRandom(seed);
  const of = (base: number, drift: number) => base * drift * (0.9 + 0.2 * random.next()) * (random.oneIn(20) ? 3 : 1);
  const drifts = Array.from({ length: TURNS }, (_, turn) => 1 + 0.5 * Math.sin(turn / 7));
  return [drifts.map((drift) => of(100 * ratio, drift)), drifts.map((drift) => of(100, drift))];
}

/** Whether the true ratio is within so many standard errors. */
function holds(seed: number, ratio: number, errors: number): boolean {
  const found = compare(...figures(seed, ratio));
  return Math.abs(Math.log(found.ratio / ratio)) <= errors * found.error;
}

describe("the ratio of figures in turns", () => {
  test.each([1, 0.95, 1.2])("of %d lies within two standard errors as often as it should", (ratio) => {
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    const share = seeds.filter((seed) => holds(seed, ratio, 2)).length / seeds.length;
    expect(share).toBeGreaterThan(0.9);
    expect(seeds.filter((seed) => holds(seed, ratio, 0.5)).length / seeds.length).toBeLessThan(0.6);
  });

  test("shows a difference of a twentieth", () => {
    for (let seed = 0; seed < 50; seed++) {
      const { ratio, error } = compare(...figures(seed, 0.95));
      expect(ratio * Math.exp(2 * error)).toBeLessThan(1);
    }
  });

  test("is none of a few turns", () => {
    expect(() => compare([1, 2, 3], [1, 2, 3])).toThrow("needs 8 turns of each, not 3");
  });
});
