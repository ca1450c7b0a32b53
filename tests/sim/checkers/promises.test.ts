import { describe, expect, it } from "vitest";
import { checkPromises, type PromiseHistory } from "../../../sim/checkers/promises.ts";

const made = [
  { n: 1, id: "a", deadline: null, ms: 10, knownMs: 20 },
  { n: 2, id: "b", deadline: 90, ms: 10, knownMs: 20 },
];
const heard = (n: number, how: string, ms = 95) => ({ n, how, ms });
const whole = [heard(1, "value 7"), heard(2, "deadline")];
const asked = [
  { id: "a", how: "value 7", invokedMs: 30 },
  { id: "a", how: "reason no", invokedMs: 30 },
];
const seen = (id: string, how: string | null | undefined, from: number, snapshot = false) => {
  return { id, how, invokedMs: from, completedMs: from + 5, snapshot };
};

function anomalies(history: Partial<PromiseHistory>): string[] {
  const none: PromiseHistory = { made, heard: whole, asked, seen: [], keptMs: 500, skewMs: 0 };
  return checkPromises({ ...none, ...history }).map(({ anomaly }) => anomaly);
}

describe("promises", () => {
  it.each<[string, Partial<PromiseHistory>, string[]]>([
    ["one event, one deadline", {}, []],
    ["one never ends", { heard: whole.slice(1) }, ["promise-unended"]],
    ["one ends twice", { heard: [...whole, heard(2, "deadline")] }, ["promise-ended-twice"]],
    ["one that nobody made ends", { heard: [...whole, heard(3, "value 1")] }, ["promise-unmade"]],
    ["one ends as nobody said", { heard: [heard(1, "value 8"), heard(2, "deadline")] }, ["promise-unsettled"]],
    ["a deadline is early", { heard: [heard(1, "value 7"), heard(2, "deadline", 89)] }, ["promise-early"]],
    ["by clocks that are off", { heard: [heard(1, "value 7"), heard(2, "deadline", 86)], skewMs: 2 }, []],
    ["one without a deadline comes to it", { heard: [heard(1, "deadline"), heard(2, "deadline")] }, ["promise-early"]],
    ["who asks is told the same", { seen: [seen("a", undefined, 30), seen("a", "value 7", 60)] }, []],
    ["who asks is told another end", { seen: [seen("a", "reason no", 60)] }, ["promise-two-ends"]],
    ["it is not known before, and when it is forgotten", { seen: [seen("a", null, 5), seen("a", null, 600)] }, []],
    ["it is not known though somebody knew", { seen: [seen("a", null, 30)] }, ["promise-unknown"]],
    ["a snapshot may be old", { seen: [seen("a", null, 30, true), seen("a", undefined, 100, true)] }, []],
    ["it waits when it has ended", { seen: [seen("a", undefined, 100)] }, ["promise-stale"]],
    [
      "an id is used again",
      { made: [...made, { ...made[0]!, n: 3, ms: 700, knownMs: 710 }], heard: [...whole, heard(3, "value 7", 800)] },
      [],
    ],
    [
      "an id is used again by who had asked before and ran when the first was forgotten",
      { made: [...made, { ...made[0]!, n: 3, ms: 50, knownMs: 710 }], heard: [...whole, heard(3, "value 7", 800)] },
      [],
    ],
    [
      "an id is used again by who ran before, and came to make it when the other was forgotten",
      {
        made: [...made, { ...made[0]!, n: 3, deadline: 40, ms: 5, knownMs: 710 }],
        heard: [...whole, heard(3, "deadline", 700)],
      },
      [],
    ],
    [
      "an id is used while there is one",
      { made: [...made, { ...made[0]!, n: 3, ms: 50, knownMs: 60 }], heard: [...whole, heard(3, "value 7")] },
      ["promise-made-twice"],
    ],
    [
      "an id is used again, and what ended the first had waited since long before",
      {
        made: [{ ...made[0]!, ms: 600 }, made[1]!, { ...made[0]!, n: 3, ms: 700, knownMs: 710 }],
        heard: [heard(1, "value 7", 601), whole[1]!, heard(3, "value 7", 800)],
      },
      [],
    ],
  ])("%s", (_, history, expected) => {
    expect(anomalies(history)).toEqual(expected);
  });
});
