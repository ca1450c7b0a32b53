import { describe, expect, it } from "vitest";
import { checkTours, type TourHistory } from "../../../sim/checkers/tours.ts";

const begun = [{ n: 1, end: "well", isFlaky: false, hasDeadline: false }];
const steps = ["hold 1", "ask 1", "board 1", "leave 1"];
const done = [{ n: 1, id: "e1" }];
const over = (how: string) => [{ n: 1, how }];
const undone = ["hold 1", "ask 1", "board 1", "alight 1", "refund 1", "disagree 1", "release 1"];
const failed: Partial<TourHistory> = { notes: undone, over: over("cancelled"), cancelled: new Set([1]) };

function anomalies(history: Partial<TourHistory>): string[] {
  const nothing = {
    cancelled: new Set<number>(),
    cancelsWon: new Set<number>(),
    rejected: new Set<number>(),
    seen: [],
  };
  return checkTours({ begun, notes: steps, over: over("ok"), done, ...nothing, ...history }).map(
    ({ anomaly }) => anomaly,
  );
}
const without = (...gone: string[]) => undone.filter((note) => !gone.includes(note));

describe("sagas that may end anywhere", () => {
  it.each<[string, Partial<TourHistory>, string[]]>([
    ["all goes well", {}, []],
    ["all is made up for", failed, []],
    ["nothing was done", { ...failed, notes: [], done: [] }, []],
    ["the event never came", { ...failed, notes: ["hold 1", "ask 1", "release 1"], done: [] }, []],
    ["it never ends", { over: [] }, ["saga-unended"]],
    ["it ends twice", { over: [...over("ok"), ...over("ok")] }, ["saga-unended"]],
    ["a step counts twice", { notes: [...steps, "board 1"] }, ["saga-step"]],
    ["a step is left out", { notes: steps.slice(1) }, ["saga-step"]],
    ["it is cancelled behind its last step", { ...failed, notes: [...undone, "leave 1"] }, []],
    [
      "it goes on when it has failed",
      { ...failed, notes: [...undone, "leave 1"], over: over("effect-failed") },
      ["saga-step"],
    ],
    ["one is not made up for", { ...failed, notes: without("release 1") }, ["saga-compensation"]],
    ["one in the middle is not", { ...failed, notes: without("refund 1") }, ["saga-compensation"]],
    ["one is made up for twice", { ...failed, notes: [...undone, "release 1"] }, ["saga-compensation"]],
    ["one that was not done is", { ...failed, notes: without("board 1") }, ["saga-compensation"]],
    ["what goes well is made up for", { notes: [...steps, "release 1"] }, ["saga-compensation"]],
    ["two effects", { done: [...done, { n: 1, id: "e2" }] }, ["saga-effect"]],
    ["an effect twice under one key", { done: [...done, ...done] }, []],
    ["no effect", { done: [] }, ["saga-effect"]],
    ["nobody started it", { begun: [], notes: [], over: [] }, ["saga-unasked"]],
    ["what was to fail does not", { begun: [{ ...begun[0]!, end: "leave" }] }, ["saga-ended-otherwise"]],
    ["nobody cancelled it", { ...failed, cancelled: new Set() }, ["saga-ended-otherwise"]],
    ["it goes on though it is cancelled", { cancelsWon: new Set([1]) }, ["saga-after-cancel"]],
    ["somebody was told another end", { seen: [{ n: 1, completed: false }] }, ["saga-two-ends"]],
  ])("%s", (_, history, expected) => {
    expect(anomalies(history)).toEqual(expected);
  });
});
