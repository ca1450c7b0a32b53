import { describe, expect, it } from "vitest";
import { checkTimers, type TimerHistory } from "../../../sim/checkers/timers.ts";

const sent = [1, 2].map((n) => ({ from: "s", n, to: "t" }));
const rung = (n: number, change: object = {}) => ({ from: "s", n, to: "t", due: 100, ms: 105, ...change });
const won = (n: number, isWon = true) => ({ from: "s", n, won: isWon });

const inTime = (n: number) => ({ ...won(n, false), inTime: true });

function anomalies(history: Partial<TimerHistory>): string[] {
  const none: TimerHistory = { sent, rung: [], dropped: [], skewMs: 0 };
  return checkTimers({ ...none, ...history }).map(({ anomaly }) => anomaly);
}

describe("delayed messages", () => {
  it.each<[string, Partial<TimerHistory>, string[]]>([
    ["all arrive", { rung: [rung(2), rung(1)] }, []],
    ["one is cancelled in time", { rung: [rung(1)], dropped: [won(2)] }, []],
    ["one is cancelled too late", { rung: [rung(1), rung(2)], dropped: [won(2, false)] }, []],
    ["one is cancelled, and then by another too late", { rung: [rung(1)], dropped: [won(2), won(2, false)] }, []],
    ["nobody knows whether one was kept", { rung: [rung(1)], sent: sent.slice(0, 1), unknown: sent.slice(1) }, []],
    ["such a one arrives", { rung: [rung(1), rung(2)], sent: sent.slice(0, 1), unknown: sent.slice(1) }, []],
    ["one never arrives", { rung: [rung(1)] }, ["timer-missing"]],
    [
      "one never arrives though its cancel came too late",
      { rung: [rung(1)], dropped: [won(2, false)] },
      ["timer-missing"],
    ],
    ["nobody heard whether it was cancelled", { rung: [rung(1)], dropped: [{ ...won(2), won: null }] }, []],
    [
      "a cancel before its time comes too late",
      { rung: [rung(1), rung(2)], dropped: [inTime(2)] },
      ["timer-cancel-lost"],
    ],
    ["a cancel before its time comes behind another", { rung: [rung(1)], dropped: [inTime(2), won(2)] }, []],
    ["one arrives twice", { rung: [rung(1), rung(2), rung(1)] }, ["timer-repeated"]],
    ["one arrives though it was cancelled", { rung: [rung(1), rung(2)], dropped: [won(2)] }, ["timer-after-cancel"]],
    ["two cancel one", { rung: [rung(1)], dropped: [won(2), won(2)] }, ["timer-cancelled-twice"]],
    ["one is early", { rung: [rung(1), rung(2, { ms: 99 })] }, ["timer-early"]],
    ["one is early by clocks that are off", { rung: [rung(1), rung(2, { ms: 96 })], skewMs: 2 }, []],
    ["one comes to another key", { rung: [rung(1), rung(2, { to: "u" })] }, ["timer-elsewhere"]],
    ["one was never sent", { rung: [rung(1), rung(2), rung(3)] }, ["timer-unsent"]],
  ])("%s", (_, history, expected) => {
    expect(anomalies(history)).toEqual(expected);
  });
});
