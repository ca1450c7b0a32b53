import { expect, it } from "vitest";
import { type Balances, checkBank } from "../../../sim/checkers/bank.ts";

const opened = { a: 10, b: 5, c: 0 };

function anomalies(balances: Balances, end: Balances = opened): string[] {
  return checkBank({ opened, snapshots: [{ name: "S1", balances }], end }).map(({ anomaly }) => anomaly);
}

it("accepts every distribution of the same total", () => {
  for (const balances of [opened, { a: 0, b: 0, c: 15 }, { a: 7, b: 7, c: 1 }]) expect(anomalies(balances)).toEqual([]);
  expect(checkBank({ opened, snapshots: [], end: { c: 15, a: 0, b: 0 } })).toEqual([]);
});

it("finds a snapshot in the middle of a transfer", () => {
  expect(anomalies({ a: 7, b: 5, c: 0 })).toEqual(["wrong-total"]);
  expect(anomalies({ a: 10, b: 5, c: 3 })).toEqual(["wrong-total"]);
});

it("finds money lost at the end, though every snapshot was right", () => {
  const findings = checkBank({ opened, snapshots: [{ name: "S1", balances: opened }], end: { a: 9, b: 5, c: 0 } });
  expect(findings).toEqual([
    {
      anomaly: "wrong-total",
      operations: ["the end"],
      explanation: "the end shows 14 in all, 15 were opened: a 9, b 5, c 0",
    },
  ]);
});

it("finds a negative balance under the right total", () => {
  expect(anomalies({ a: 16, b: -1, c: 0 })).toEqual(["negative-balance"]);
});

it("finds an account that is missing, and one that nobody opened", () => {
  expect(anomalies({ a: 10, b: 5 })).toEqual(["missing-account"]);
  expect(anomalies({ ...opened, d: 0 })).toEqual(["unknown-account"]);
});

it("does not take what is no number for a total", () => {
  expect(anomalies({ a: NaN, b: 5, c: 0 })).toEqual(["wrong-total"]);
});
