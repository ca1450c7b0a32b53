import { describe, expect, it } from "vitest";
import { checkLedger } from "../../../sim/checkers/ledger.ts";
import type { Outcome } from "../../../sim/checkers/history.ts";

function anomalies(outcome: Outcome, ...entries: string[]): string[] {
  return checkLedger({ requests: [{ id: "i", outcome }], entries }).map(({ anomaly }) => anomaly);
}

describe("the ledger", () => {
  it.each<[string, Outcome, string[], string[]]>([
    ["an acknowledged id is there once", "ok", ["i"], []],
    ["an acknowledged id is not there", "ok", [], ["lost"]],
    ["an acknowledged id is there twice", "ok", ["i", "i"], ["duplicated"]],
    ["an unknown id is not there", "info", [], []],
    ["an unknown id is there once", "info", ["i"], []],
    ["an unknown id is there twice", "info", ["i", "i"], ["duplicated"]],
    ["a refused id is not there", "fail", [], []],
    ["a refused id is there", "fail", ["i"], ["refused-applied"]],
    ["an id that nobody sent is there", "ok", ["i", "j", "j"], ["unasked"]],
  ])("%s", (_, outcome, entries, expected) => {
    expect(anomalies(outcome, ...entries)).toEqual(expected);
  });

  it("names the id", () => {
    const [finding] = checkLedger({ requests: [{ id: "i", outcome: "ok" }], entries: ["i", "i"] });
    expect(finding).toEqual({
      anomaly: "duplicated",
      operations: ["i"],
      explanation: "i was applied more than once (2 times there)",
    });
  });

  it("wants one outcome for an id", () => {
    const requests = [
      { id: "i", outcome: "info" as const },
      { id: "i", outcome: "ok" as const },
    ];
    expect(() => checkLedger({ requests, entries: ["i"] })).toThrow(/twice/);
  });
});
