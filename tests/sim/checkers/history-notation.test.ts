import { describe, expect, it } from "vitest";
import { formatOperation } from "../../../sim/checkers/history.ts";
import { HistoryRecorder } from "../../../sim/checkers/history-recorder.ts";
import { parseHistory } from "../../../sim/checkers/history-notation.ts";

/** Name, first event, last event, outcome. */
function shape(text: string) {
  return parseHistory(text).map((each) => [each.name, each.invoked.index, each.completed?.index, each.outcome]);
}

describe("the notation of histories", () => {
  it("reads the steps of a transaction in their order", () => {
    expect(parseHistory("T1: ax1 rx[1] rabc[2 3,4] ry[] rz? aab12")[0]!.micro).toEqual([
      ["append", "x", 1],
      ["read", "x", [1]],
      ["read", "abc", [2, 3, 4]],
      ["read", "y", []],
      ["read", "z", null],
      ["append", "ab", 12],
    ]);
  });

  it("lets each line begin after the one above has ended", () => {
    expect(shape("T1: ax1\nT2: ax2")).toEqual([
      ["T1", 0, 1, "ok"],
      ["T2", 2, 3, "ok"],
    ]);
  });

  it("lets what stands on one line overlap", () => {
    expect(shape("T1: ax1 || T2: ax2")).toEqual([
      ["T1", 0, 2, "ok"],
      ["T2", 1, 3, "ok"],
    ]);
  });

  it("keeps a transaction open from begin to end, with its steps in between", () => {
    const text = "T1 begin\nT2: ax2\nT1: ax1\nT1: rx[1] end";
    expect(shape(text)).toEqual([
      ["T1", 0, 3, "ok"],
      ["T2", 1, 2, "ok"],
    ]);
    expect(parseHistory(text)[0]!.micro).toEqual([
      ["append", "x", 1],
      ["read", "x", [1]],
    ]);
  });

  it("knows outcomes, comments and empty lines", () => {
    expect(shape("# nothing\n\nT1: ax1 fail # aborted\nT2: ax2 lost")).toEqual([
      ["T1", 0, 1, "fail"],
      ["T2", 2, 3, "info"],
    ]);
  });

  it.each([
    ["T1: ax", /no step/],
    ["T1: rx[a]", /no step/],
    ["T1: ax1ay2", /no step/],
    ["T1: AX1", /no step/],
    [": ax1", /no transaction/],
    ["T1 begin", /no end/],
    ["T1: ax1\nT1: ax2", /has ended/],
    ["T1: ax1 || T1: ax2", /twice on a line/],
  ])("refuses %j", (text, message) => {
    expect(() => parseHistory(text)).toThrow(message);
  });

  it("shows the end only of long lists", () => {
    const [operation] = parseHistory("T1: ay9 rx[1 2 3 4 5 6 7 8 9 10] rz? lost");
    expect(formatOperation(operation!)).toBe("T1 (info): append y 9, read x [(2 more) 3 4 5 6 7 8 9 10], read z ?");
  });
});

describe("the recorder of histories", () => {
  it("numbers events as they happen and keeps what nobody completed as unknown", () => {
    let now = 5;
    const recorder = new HistoryRecorder(() => now);
    recorder.invoke("a", "p", [["read", "x", null]]);
    recorder.invoke("b", "q", [["append", "x", 1]]);
    now = 9;
    recorder.ok("a", [["read", "x", [1]]]);
    recorder.invoke("c", "p", [["append", "x", 2]]);
    recorder.fail("c");
    const [a, b, c] = recorder.history();
    expect(a).toMatchObject({ invoked: { index: 0, time: 5 }, completed: { index: 2, time: 9 }, outcome: "ok" });
    expect(a!.micro).toEqual([["read", "x", [1]]]);
    expect(b).toMatchObject({ process: "q", invoked: { index: 1 }, completed: null, outcome: "info" });
    expect(c).toMatchObject({ outcome: "fail", micro: [["append", "x", 2]] });
  });

  it("refuses a second beginning, a second end and an end without a beginning", () => {
    const recorder = new HistoryRecorder();
    recorder.invoke("a", "p", []);
    expect(() => recorder.invoke("a", "p", [])).toThrow(/twice/);
    recorder.info("a");
    expect(() => recorder.ok("a", [])).toThrow(/twice/);
    expect(() => recorder.fail("b")).toThrow(/not invoked/);
  });
});
