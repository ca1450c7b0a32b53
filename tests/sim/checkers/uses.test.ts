import { describe, expect, it } from "vitest";
import { checkUses, type Use, type UseHistory } from "../../../sim/checkers/uses.ts";

let order = 0;
const use = (name: Use["name"], at: number, found: number | null, change: Partial<Use> = {}): Use => {
  return { key: "k", n: at, name, order: ++order, at, ms: at, found, ...change };
};

function anomalies(uses: readonly Use[], history: Partial<UseHistory> = {}): string[] {
  const none = { unknown: new Set<string>(), ttlMs: 100, skewMs: 0 };
  return checkUses({ ...none, uses, ...history }).map(({ anomaly }) => anomaly);
}

describe("state that lives while it is used", () => {
  it.each<[string, readonly Use[], Partial<UseHistory>, string[]]>([
    ["ends in time", [use("touch", 0, null), use("look", 100, null)], {}, []],
    ["goes on by looks", [use("touch", 0, null), use("look", 90, 0), use("peek", 180, 0), use("look", 270, 0)], {}, []],
    ["is not kept by a refusal", [use("touch", 0, null), use("refuse", 90, 0), use("look", 120, null)], {}, []],
    [
      "is other state when it is written again",
      [use("touch", 0, null), use("touch", 50, 0), use("look", 60, 50)],
      {},
      [],
    ],
    ["ends early by a clock that is ahead", [use("touch", 0, null), use("look", 97, null)], { skewMs: 3 }, []],
    [
      "is perhaps kept by a snapshot",
      [use("touch", 0, null), use("peek", 50, 0, { isSnapshot: true }), use("look", 120, 0)],
      {},
      [],
    ],
    [
      "is not kept by a snapshot",
      [use("touch", 0, null), use("peek", 50, 0, { isSnapshot: true }), use("look", 120, null)],
      {},
      [],
    ],
    ["is nobody's when one is not known", [use("look", 5, 7)], { unknown: new Set(["k"]) }, []],
    [
      "is kept by the latest of its uses, whoever came last",
      [use("touch", 50, null), use("look", 0, 50), use("look", 140, 50)],
      {},
      [],
    ],
    [
      "is gone by the time of one that came late",
      [use("touch", 50, null), use("look", 0, 50), use("look", 120, null)],
      {},
      ["removed-early"],
    ],
    ["is seen too long", [use("touch", 0, null), use("look", 100, 0)], {}, ["expired-seen"]],
    ["is kept by a refusal", [use("touch", 0, null), use("refuse", 90, 0), use("look", 120, 0)], {}, ["expired-seen"]],
    ["is gone early", [use("touch", 0, null), use("look", 99, null)], {}, ["removed-early"]],
    [
      "is gone though it was looked at",
      [use("touch", 0, null), use("peek", 90, 0), use("look", 120, null)],
      {},
      ["removed-early"],
    ],
    ["comes back", [use("touch", 0, null), use("look", 100, null), use("look", 110, 0)], {}, ["expired-seen"]],
    [
      "is there still by a clock that is behind",
      [use("touch", 0, null), use("look", 100, null), use("look", 99, 0)],
      { skewMs: 5 },
      [],
    ],
    ["is there without having been written", [use("look", 5, 7)], {}, ["use-otherwise"]],
    [
      "is older than what was written",
      [use("touch", 0, null), use("touch", 10, 0), use("look", 20, 0)],
      {},
      ["use-otherwise"],
    ],
  ])("%s", (_, uses, history, expected) => {
    expect(anomalies(uses, history)).toEqual(expected);
  });
});
