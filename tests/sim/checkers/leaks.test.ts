import { expect, it } from "vitest";
import { AT_REST, findLeaks } from "../../../sim/checkers/leaks.ts";

const partition = {
  locks: 0,
  attempts: 0,
  waiting: 0,
  unacknowledged: 0,
  held: 0,
  outbox: 0,
  timers: 0,
  moving: 0,
  carrying: 0,
  seq: 17,
  cachedBytes: 900,
};
const coordinator = { undecided: 0, waiting: 0 };

it("finds nothing where nothing is left, whatever else is counted", () => {
  expect(findLeaks({ p0: partition, p1: partition, coordinator })).toEqual([]);
});

it.each(AT_REST)("finds %s that are left, and says where", (name) => {
  const [finding, ...others] = findLeaks({ p0: partition, p1: { ...partition, [name]: 2 }, coordinator });
  expect(others).toEqual([]);
  expect(finding).toEqual({ anomaly: "left-over", explanation: `p1 has 2 ${name} left`, operations: ["p1"] });
});

it("takes less than nothing and no number for leaks too", () => {
  const findings = findLeaks({ p0: { ...partition, locks: -1, held: NaN }, coordinator });
  expect(findings.map(({ explanation }) => explanation)).toEqual(["p0 has -1 locks left", "p0 has NaN held left"]);
});

it("misses a counter that nobody reports", () => {
  expect(findLeaks({ coordinator }, ["undecided", "locks"])).toEqual([
    { anomaly: "unmeasured", explanation: "nobody reports locks", operations: [] },
  ]);
});
