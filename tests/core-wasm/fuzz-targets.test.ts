/** The short form of `npm run fuzz` for all that is fuzzed by cases: nothing is found; and what is wrong with a kernel is found, and shown small. */
import { expect, it, test } from "vitest";
import type { Kernels } from "../../core-wasm/types.ts";
import { fuzz } from "../fuzz/run.ts";
import { type Target, targetFuzz, without } from "../fuzz/target.ts";
import { TARGETS } from "../fuzz/targets.ts";

const ROUNDS = 150;
const options = { seed: 1, rounds: ROUNDS, milliseconds: Number.POSITIVE_INFINITY };

test.each(Object.keys(TARGETS).filter((name) => name !== "json" && name !== "frames"))("%s", (name) => {
  expect(fuzz(options, (TARGETS[name] as (typeof TARGETS)[string]).begin(1)).rounds).toBe(ROUNDS);
});

/** As if a kernel was wrong wherever there is a 7. */
const sevens: Target<readonly number[]> = {
  make: (random) => Array.from({ length: 40 }, () => random.int(30)),
  check: (_subject, numbers) => (numbers.includes(7) ? "a 7" : null),
  smaller: without,
  show: (numbers) => JSON.stringify(numbers),
};

it("shows the smallest case that fails, with the seed of its round", () => {
  expect(() => fuzz(options, targetFuzz(sevens))).toThrow(/^the round with --seed \d+ failed: Error: a 7: \[7\]$/);
});

it("says so where a case fails behind others only", () => {
  const seen = new WeakSet<Kernels>();
  const second: Target<number> = {
    make: (random) => random.int(10),
    check({ kernels }) {
      const isFirst = !seen.has(kernels);
      seen.add(kernels);
      return isFirst ? null : "not the first";
    },
    smaller: () => [],
    show: String,
  };
  expect(() => fuzz({ ...options, seed: 5 }, targetFuzz(second))).toThrow(
    /--seed 6 failed: Error: not the first, behind others only \(begin with --seed 5\): \d/,
  );
});

it("takes a trap of the kernel for a failure", () => {
  const trap: Target<number> = {
    make: () => 1,
    check({ core }) {
      core.alloc(2 ** 31);
      return null;
    },
    smaller: () => [],
    show: String,
  };
  expect(() => fuzz(options, targetFuzz(trap))).toThrow(/RuntimeError/);
});
