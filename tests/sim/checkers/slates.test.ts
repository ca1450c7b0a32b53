import { describe, expect, it } from "vitest";
import { checkSlates, type SlateCall } from "../../../sim/checkers/slates.ts";

const call = (n: number, name: SlateCall["name"], ...found: number[]): SlateCall => {
  return { key: "k", name, n, text: "t", order: n, entries: entriesOf(found), sum: sumOf(found) };
};
const entriesOf = (numbers: readonly number[]) => numbers.map((n) => [`e${n}`, "t"] as const);
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);

function anomalies(calls: readonly SlateCall[], end: readonly number[], unknown: readonly string[] = []): string[] {
  const final = new Map([["k", { entries: entriesOf(end), sum: sumOf(end) }]]);
  return checkSlates({ calls, unknown: new Set(unknown), final }).map(({ anomaly }) => anomaly);
}

describe("keys that are written to and cleared", () => {
  it.each<[string, SlateCall[], number[], string[]]>([
    ["all is found", [call(1, "write"), call(2, "write", 1), call(3, "wipe", 1, 2)], [3], []],
    ["in whatever order it is told", [call(2, "write", 1), call(1, "write")], [1, 2], []],
    ["nothing is left", [call(1, "write"), call(2, "clear", 1)], [], []],
    ["what was cleared comes back", [call(1, "write"), call(2, "clear", 1)], [1], ["cleared-seen", "slate-otherwise"]],
    ["one is lost", [call(1, "write"), call(2, "write")], [1, 2], ["entry-lost", "slate-otherwise"]],
    ["one was never written", [call(1, "write", 7)], [1], ["slate-otherwise"]],
  ])("%s", (_, calls, end, expected) => {
    expect(anomalies(calls, end)).toEqual(expected);
  });

  it("says nothing of a key that somebody may have touched", () => {
    expect(anomalies([call(1, "write", 7)], [1], ["k"])).toEqual([]);
  });
});
