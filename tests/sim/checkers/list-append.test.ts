/** Each anomaly by its name, in the notation of history-notation.ts. The lists of names are complete: a history shows no others. */
import { describe, expect, it } from "vitest";
import { parseHistory } from "../../../sim/checkers/history-notation.ts";
import { checkListAppend } from "../../../sim/checkers/list-append.ts";

type Case = readonly [fact: string, history: string, anomalies: readonly string[]];

function anomalies(history: string, realtime = true): string[] {
  return checkListAppend(parseHistory(history), { realtime }).map(({ anomaly }) => anomaly);
}

function cases(name: string, list: readonly Case[]): void {
  describe(name, () => {
    it.each(list)("%s", (_, history, expected) => {
      expect(anomalies(history).sort()).toEqual([...expected].sort());
    });
  });
}

cases("strictly serializable histories", [
  ["nothing happened", "", []],
  ["one after the other", "T1: ax1 rx[1]\nT2: rx[1] ax2 rx[1 2]\nT3: rx[1 2]", []],
  ["overlapping reads see either state", "T1: ax1 ay1 || T2: rx[] ry[] || T3: rx[1] ry[1]", []],
  ["overlapping appends in the order opposite to that of their beginnings", "T1: ax1 || T2: ax2\nT3: rx[2 1]", []],
  ["an append that nobody read", "T1: ax1\nT2: rx[1]\nT3: ax2 ay2\nT4: ry[2]", []],
  ["appends that nobody read, with readers of what was before", "T1: rx[] || T2: rx[] ax1 || T3: ax2 || T4: ax3", []],
  ["an aborted one that nobody saw", "T1: ax1 fail\nT2: rx[]\nT3: ax2 rx[2]", []],
  ["what an aborted one read does not count", "T1: ax1\nT2: rx[] ry[9] fail\nT3: rx[1]", []],
  ["what an aborted one read of itself does not count", "T1: ax1 rx[] fail\nT2: rx[]", []],
  ["an unknown one that committed", "T1: ax1 lost\nT2: rx[1]", []],
  ["an unknown one that never committed", "T1: ax1 lost\nT2: rx[]\nT3: rx[]", []],
  [
    "an unknown one that commits long after its client gave up",
    "T1: ax1 lost\nT2: rx[] ax2\nT3: rx[2]\nT4: rx[2 1]",
    [],
  ],
  ["what an unknown one read does not count", "T1: ax1\nT2: rx? ay2 lost\nT3: rx[1] ry[2]", []],
  ["what an unknown one says that it read does not count", "T1: ax1\nT2: rx[] lost\nT3: rx[1]", []],
  ["reads of its own several appends", "T1: ax1 rx[1] ax2 rx[1 2]\nT2: rx[1 2]", []],
  ["an open transaction orders itself after what it saw", "T1 begin\nT2: ax2\nT1: rx[2] ax1 end\nT3: rx[2 1]", []],
]);

cases("duplicate-elements", [
  ["a value twice in a list", "T1: ax1\nT2: rx[1 1]", ["duplicate-elements"]],
  ["a value again after others", "T1: ax1\nT2: ax2\nT3: rx[1 2 1]", ["duplicate-elements"]],
  ["besides a good read of the same key", "T1: ax1\nT2: rx[1]\nT3: rx[1 1]", ["duplicate-elements"]],
  ["near miss: equal values of different keys", "T1: ax1 ay1\nT2: rx[1] ry[1]", []],
]);

cases("incompatible-order", [
  ["two orders of the same appends", "T1: ax1 || T2: ax2\nT3: rx[1 2]\nT4: rx[2 1]", ["incompatible-order"]],
  ["a value vanishes from the middle", "T1: ax1\nT2: ax2\nT3: rx[1 2]\nT4: rx[2]", ["incompatible-order"]],
  ["two branches", "T1: ax1 || T2: ax2 || T3: rx[1] || T4: rx[2]", ["incompatible-order"]],
  ["near miss: a shorter prefix", "T1: ax1 || T2: ax2 || T4: rx[1]\nT3: rx[1 2]", []],
]);

cases("unwritten", [
  ["a value of nobody", "T1: ax1\nT2: rx[1 7]", ["unwritten"]],
  ["a value of another key", "T1: ax1 ay2\nT2: rx[1 2]", ["unwritten"]],
  ["in a stray read", "T1: ax1\nT2: ax2\nT3: rx[1 2]\nT4: rx[7]", ["incompatible-order", "unwritten"]],
  ["once for each value, however many read it", "T1: rx[7]\nT2: rx[7]", ["unwritten"]],
  ["once, in stray reads too", "T1: ax1\nT2: rx[1 7]\nT3: rx[7 1]", ["incompatible-order", "unwritten"]],
  ["near miss: appended by an unknown one", "T1: ax1 ax7 lost\nT2: rx[1 7]", []],
]);

cases("internal", [
  ["its own append is missing", "T1: ax1 rx[]", ["internal"]],
  ["its own append is not at the end", "T1: ax1 || T2: ax2 rx[2 1]", ["G1c", "internal"]],
  ["a second read differs", "T1: ax1 || T2: rx[] rx[1]", ["G-single", "internal"]],
  ["something comes in between a read and its own append", "T1: ax1 || T2: rx[] ax2 rx[1 2]", ["G-single", "internal"]],
  ["near miss: an unknown past before its own append", "T1: ax1\nT2: ax2 rx[1 2] ax3 rx[1 2 3]", []],
]);

cases("future-read", [
  ["a read of an append that comes later", "T1: rx[1] ax1", ["future-read"]],
  ["together with the past", "T1: ax1\nT2: rx[1 2] ry[] ax2", ["future-read"]],
  ["near miss: a read of an append that came before", "T1: ax1 rx[1] ax2", []],
  ["near miss: the same value of another key", "T1: ay1\nT2: ry[1] ax1", []],
]);

cases("G1a, aborted read", [
  ["a read of an aborted append", "T1: ax1 fail\nT2: rx[1]", ["G1a"]],
  ["in the middle of a list", "T1: ax1\nT2: ax2 fail\nT3: rx[1 2]", ["G1a"]],
  ["while the aborted one is still open", "T1 begin\nT1: ax1\nT2: rx[1]\nT1 fail", ["G1a"]],
  ["near miss: an unknown one was read", "T1: ax1 lost\nT2: rx[1]", []],
]);

cases("dirty-update", [
  ["a commit upon an aborted append", "T1: ax1 fail\nT2: ax2\nT3: rx[1 2]", ["G1a", "dirty-update"]],
  ["a commit of an unknown one that was seen", "T1: ax1 fail || T2: ax2 lost\nT3: rx[1 2]", ["G1a", "dirty-update"]],
  ["near miss: the aborted append is the last", "T1: ax1\nT2: ax2 fail\nT3: rx[1 2]", ["G1a"]],
]);

cases("G1b, intermediate read", [
  ["a state between two appends of one transaction", "T1: ax1 ax2 || T2: rx[1]", ["G-single", "G1b"]],
  ["the same, and the final state was never read", "T1: ax1 ay1 ax2 || T2: rx[1]\nT3: ry[1]", ["G-single", "G1b"]],
  ["near miss: an own intermediate state", "T1: ax1 rx[1] ax2\nT2: rx[1 2]", []],
  ["near miss: intermediate values inside a list", "T1: ax1 ax2\nT2: ax3\nT3: rx[1 2 3]", []],
]);

cases("lost-update", [
  [
    "two append to the version that both read",
    "T1: rx[] ax1 || T2: rx[] ax2\nT3: rx[1 2]",
    ["G-single", "lost-update"],
  ],
  ["the same, and nobody read the result", "T1: rx[] ax1 || T2: rx[] ax2", ["G2-item", "lost-update"]],
  [
    "upon a version that is not empty",
    "T0: ax1\nT1: rx[1] ax2 || T2: rx[1] ax3\nT3: rx[1 2 3]",
    ["G-single", "lost-update"],
  ],
  ["of three, one finding", "T1: rx[] ax1 || T2: rx[] ax2 || T3: rx[] ax3", ["G2-item", "lost-update"]],
  ["near miss: of two, one is unknown and did not commit", "T1: rx[] ax1 || T2: rx? ax2 lost\nT3: rx[1]", []],
  ["near miss: the second read the first", "T1: rx[] ax1 rx[1]\nT2: rx[1] ax2", []],
]);

cases("G0, write cycle", [
  ["two keys in opposite orders", "T1: ax1 ay1 || T2: ax2 ay2\nT3: rx[1 2] ry[2 1]", ["G0"]],
  ["within one key", "T1: ax1 ax3 || T2: ax2\nT3: rx[1 2 3]", ["G0"]],
  ["of three transactions", "T1: ax1 az1 || T2: ax2 ay2 || T3: ay3 az3\nT4: rx[1 2] ry[2 3] rz[3 1]", ["G0"]],
  ["through an unknown one that was seen", "T1: ax1 ay1 || T2: ax2 ay2 lost\nT3: rx[1 2] ry[2 1]", ["G0"]],
  [
    "across an aborted append",
    "T1: ax1 ay1 || T2: ax2 ay2 || T4: ax4 fail\nT3: rx[1 4 2] ry[2 1]",
    ["G0", "G1a", "dirty-update"],
  ],
  [
    "near miss: the other one aborted",
    "T1: ax1 ay1 || T2: ax2 ay2 fail\nT3: rx[1 2] ry[2 1]",
    ["G1a", "G1a", "dirty-update"],
  ],
  ["near miss: the same order in both keys", "T1: ax1 ay1 || T2: ax2 ay2\nT3: rx[2 1] ry[2 1]", []],
]);

cases("G0-realtime", [
  ["an append lands before one that was answered", "T1: ax1\nT2: ax2\nT3: rx[2 1]", ["G0-realtime"]],
  ["through a third transaction", "T1: ax1\nT2: ay2 || T4: ax4 ay4\nT3: rx[4 1] ry[2 4]", ["G0-realtime"]],
  [
    "an unread append of an earlier one, which its reader misses",
    "T1: ax1\nT2: ax2 || T3: rx[2]",
    ["G-single-realtime", "G0-realtime"],
  ],
  ["near miss: they overlap", "T1 begin\nT2: ax2\nT1: ax1 end\nT3: rx[2 1]", []],
  ["near miss: the earlier one is unknown", "T1: ax1 lost\nT2: ax2\nT3: rx[2 1]", []],
]);

cases("G1c, circular information flow", [
  ["two read from each other", "T1: ax1 ry[1] || T2: ay1 rx[1]", ["G1c"]],
  ["of three", "T1: ax1 rz[1] || T2: rx[1] ay1 || T3: ry[1] az1", ["G1c"]],
  ["by a read and an overwrite", "T1: ax1 ry[1] || T2: ax2 ay1\nT3: rx[1 2]", ["G1c"]],
  ["through an unknown one that was read is none: nobody saw its read", "T1: ax1 ry[1] || T2: rx? ay1 lost", []],
  ["through an unknown one by its overwrite", "T1: ax1 ry[1] || T2: ax2 ay1 lost\nT3: rx[1 2]", ["G1c"]],
  ["near miss: one way only", "T1: ax1 ry[] || T2: ay1 rx[1]", []],
]);

cases("G1c-realtime", [
  ["a read of what begins later", "T1: rx[1]\nT2: ax1", ["G1c-realtime"]],
  ["a read of what an unknown one appends later", "T1: rx[1]\nT2: ax1 lost", ["G1c-realtime"]],
  ["through an answer to a third", "T1: rx[1] ay1 || T4: rz[]\nT2: ry[1] || T3: ax1", ["G1c-realtime"]],
  ["near miss: they overlap", "T1: rx[1] || T2: ax1", []],
]);

cases("G-single, one anti-dependency", [
  ["read skew", "T1: rx[] ry[1] || T2: ax1 ay1", ["G-single"]],
  ["read skew over an overwrite", "T0: ax1 ay1\nT1: rx[1] ry[1 2] || T2: ax2 ay2", ["G-single"]],
  ["through a third", "T1: rx[] rz[1] || T2: ax1 ay1 || T3: ry[1] az1", ["G-single"]],
  ["a part of an unknown transaction", "T1: rx[] ry[1] || T2: ax1 ay1 lost\nT3: rx[1]", ["G-single"]],
  ["a part of an unknown transaction, the rest never seen", "T1: rx[] ry[1] || T2: ax1 ay1 lost", ["G-single"]],
  [
    "through an aborted append after what was read",
    "T1: rx[] ry[2] || T2: ax2 ay2 || T3: ax3 fail\nT4: rx[3 2]",
    ["G-single", "G1a", "dirty-update"],
  ],
  ["besides write skew of the same transaction", "T1: rx[] ry[1] aw1 || T3: rw[] ax3 || T2: ax1 ay1", ["G-single"]],
  ["near miss: both keys before", "T1: rx[] ry[] || T2: ax1 ay1", []],
]);

cases("G-single-realtime", [
  ["a stale read", "T1: ax1\nT2: rx[]", ["G-single-realtime"]],
  ["a stale read of a longer list", "T1: ax1\nT2: ax2\nT3: rx[1 2]\nT4: rx[1]", ["G-single-realtime"]],
  ["time between two readers", "T1 begin\nT2: rx[1]\nT3: rx[]\nT1: ax1 end", ["G-single-realtime"]],
  ["after an unknown one was seen", "T1: ax1 lost\nT2: rx[1]\nT3: rx[]", ["G-single-realtime"]],
  ["a stale read of what only its writer knows", "T1: ax1\nT2: ry[]\nT3: rx[]", ["G-single-realtime"]],
  ["near miss: the reader began before the answer", "T1 begin\nT2: ax2\nT1: rx[] end", []],
]);

cases("G2-item, several anti-dependencies", [
  ["write skew", "T1: rx[] ay1 || T2: ry[] ax1", ["G2-item"]],
  [
    "write skew upon a past",
    "T0: ax1 ay1\nT1: rx[1] ry[1] ax2 || T2: rx[1] ry[1] ay2\nT3: rx[1 2] ry[1 2]",
    ["G2-item"],
  ],
  ["of three", "T1: rx[] ay1 || T2: ry[] az1 || T3: rz[] ax1", ["G2-item"]],
  ["long fork", "T1: ax1 || T2: ay1 || T3: rx[1] ry[] || T4: rx[] ry[1]", ["G2-item"]],
  ["near miss: one of the two is unknown", "T1: rx[] ay1 || T2: ry? ax1 lost", []],
  ["near miss: one saw the other", "T1: rx[] ay1 || T2: ry[1] ax1", []],
]);

cases("G2-item-realtime", [
  [
    "an update that misses one whose follower missed it",
    "T1 begin\nT2: ay2\nT3: rz[]\nT1: ry[] az1 end",
    ["G2-item-realtime"],
  ],
  ["the same through a reader", "T1 begin\nT2: ay2 || T4: ry[2]\nT3: rz[]\nT1: ry[] az1 end", ["G2-item-realtime"]],
  [
    "near miss: a reader of the update closes the cycle without time",
    "T0: ay1 az2\nT1 begin\nT2: ry[1] ay3\nT3: rz[2] ry[1 3]\nT1: ry[1] az4 end",
    ["G2-item"],
  ],
  ["near miss: the reader saw the update", "T1 begin\nT2: ay2\nT3: rz[1]\nT1: ry[] az1 end\nT4: rz[1]", []],
  ["near miss: the follower overlaps", "T1 begin\nT2: ay2 || T3: rz[]\nT1: ry[] az1 end", []],
]);

describe("without real time", () => {
  it.each([
    ["a stale read", "T1: ax1\nT2: rx[]"],
    ["a read of what begins later", "T1: rx[1]\nT2: ax1"],
    ["appends against time", "T1: ax1\nT2: ax2\nT3: rx[2 1]"],
    ["a fork closed by time", "T1: rx[] ry[1]\nT2: ay1\nT3: ax1"],
  ])("%s passes", (_, history) => {
    expect(anomalies(history, false)).toEqual([]);
    expect(anomalies(history)).not.toEqual([]);
  });

  it("what is not serializable is found and named as with it", () => {
    for (const history of ["T1: rx[] ay1 || T2: ry[] ax1", "T1: rx[] ry[1] || T2: ax1 ay1", "T1: ax1 fail\nT2: rx[1]"])
      expect(anomalies(history, false)).toEqual(anomalies(history));
  });
});

describe("findings", () => {
  it("name the transactions, the keys and the edges of the cycle", () => {
    const [finding] = checkListAppend(parseHistory("T1: rx[] ay1 || T2: ry[] ax2"));
    expect(finding).toEqual({
      anomaly: "G2-item",
      operations: ["T1", "T2"],
      explanation: [
        "T1 < T2 < T1",
        "  T1: read x [], append y 1",
        "  T2: read y [], append x 2",
        "  then T1 < T2 (rw), because T1 read x while it was empty and missed 2, which T2 appended",
        "  however T2 < T1 (rw), because T2 read y while it was empty and missed 1, which T1 appended: a contradiction",
      ].join("\n"),
    });
  });

  it("say which moments contradict each other", () => {
    const [finding] = checkListAppend(parseHistory("T1: ax1\nT2: rx[]"));
    expect(finding!.operations.toSorted()).toEqual(["T1", "T2"]);
    expect(finding!.explanation).toContain(
      "T1 < T2 (realtime), because T1 was answered at event 1 (time 1), before T2 began at event 2 (time 2)",
    );
  });

  it("leave transactions that only stand between out of a cycle of time", () => {
    const between = Array.from({ length: 50 }, (_, n) => `B${n}: ay${n}`).join("\n");
    const [finding, ...others] = checkListAppend(parseHistory(`T1: ax1\n${between}\nT2: rx[]`));
    expect(others).toEqual([]);
    expect(finding!.operations.toSorted()).toEqual(["T1", "T2"]);
  });

  it("tell of few transactions rather than of close ones", () => {
    const between = Array.from({ length: 50 }, (_, n) => `B${n}: ay${n}`).join("\n");
    const [finding] = checkListAppend(parseHistory(`T1: ax1 az1\n${between}\nC: rz[1]\nT2: rx[]`));
    expect(finding!.operations.toSorted()).toEqual(["T1", "T2"]);
  });

  it("say what a reader saw, not what others added before they aborted", () => {
    const history = "T0: ax1\nT3: ax3 fail || T1: rx[1] ay1 || T2: ry[] ax2 || T4: rx[1 3]";
    const explanations = checkListAppend(parseHistory(history)).map(({ explanation }) => explanation);
    expect(explanations.join("\n")).toContain("T1 read x up to 1 and missed 2, which T2 appended");
  });

  it("come once for each cluster of transactions that depend on each other", () => {
    const twice = "T1: rx[] ay1 || T2: ry[] ax1\nT3: ra[] ab1 || T4: rb[] aa1";
    expect(anomalies(twice)).toEqual(["G2-item", "G2-item"]);
  });
});

it("refuses a history in which a value is appended twice", () => {
  expect(() => anomalies("T1: ax1\nT2: ax1")).toThrow(/twice/);
});
