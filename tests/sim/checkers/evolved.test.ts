import { expect, test } from "vitest";
import { checkEvolved } from "../../../sim/checkers/evolved.ts";

test("a sum that state of another form did not have is that of what it had", () => {
  const anomalies = (added: readonly number[], sum: number | null) =>
    checkEvolved(new Map([["k", { added, sum }]])).map(({ anomaly }) => anomaly);
  expect(anomalies([1, 2], 3)).toEqual([]);
  expect(anomalies([], 0)).toEqual([]);
  expect(anomalies([1, 2], 2)).toEqual(["evolved-otherwise"]);
  expect(anomalies([1, 2], null)).toEqual(["evolved-otherwise"]);
});
