/** A clock that was moved on tells another time, and dates are dates all the same. */
import { expect, test, vi } from "vitest";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { shiftClock } from "../../testing/shifted-clock.ts";

const HOUR = 3_600_000;
const Before = Date;
const before = new Date(5);
const real = Date.now();
shiftClock(HOUR);

test("the time is another", () => {
  for (const told of [Date.now(), Number(new Date()), Date.parse(Date())]) {
    expect(told).toBeGreaterThan(real + HOUR - 1_000);
    expect(told).toBeLessThan(real + HOUR + 60_000);
  }
  expect(new Date(7).getTime()).toBe(7);
  expect(new Date(2026, 0, 2).getDate()).toBe(2);
  expect(Date.UTC(1970, 0, 1)).toBe(0);
});

test("dates from before and after are of one class, which can be derived from", () => {
  class Day extends Date {
    readonly name = "day";
  }
  for (const date of [before, new Date(), structuredClone(new Date(5)), new Day()]) {
    expect([date instanceof Date, date instanceof Before]).toEqual([true, true]);
  }
  expect(new Day(9)).toMatchObject({ name: "day" });
  expect([new Day(9).getTime(), new Day(9) instanceof Day, new Date() instanceof Day]).toEqual([9, true, false]);
  expect(before.constructor).toBe(Date);
  expect(new Day().getTime()).toBeGreaterThan(real + HOUR - 1_000);
});

test("what was made before can be stored", () => {
  expect(decodeValue(encodeValue(before))).toEqual(before);
  expect(decodeValue(encodeValue(structuredClone(before)))).toEqual(before);
});

test("a test may put a time of its own in its place", () => {
  const spy = vi.spyOn(Date, "now").mockReturnValue(3);
  expect(Date.now()).toBe(3);
  spy.mockRestore();
  expect(Date.now()).toBeGreaterThan(real);
});
