/** The engine's limits as tests want them: what one sets is undone when it is over. */
import { afterEach, beforeEach } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";

type Limits = { -readonly [Name in keyof typeof LIMITS]: number };

/**
 * For the tests of the file, or of the `describe`, that calls it.
 * @param small holds when a test begins
 * @returns the limits, which a test may set further
 */
export function useLimits(small: Partial<Limits> = {}): Limits {
  const limits: Limits = LIMITS;
  const real = { ...limits };
  beforeEach(() => void Object.assign(limits, small));
  afterEach(() => void Object.assign(limits, real));
  return limits;
}
