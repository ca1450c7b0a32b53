import { describe, expect, it } from "vitest";
import { type Arrangement, checkTicks, type Tick, type TickHistory } from "../../../sim/checkers/ticks.ts";

const made = (n: number, ms: number, change: object = {}): Arrangement => {
  return { op: "arrange", n, name: "a", to: "t", every: 100, at: ms, ms, ...change };
};
const ended = (ms: number, was = true): Arrangement => ({ op: "end", name: "a", was, ms });
const tick = (due: number, change: Partial<Tick> = {}): Tick => {
  return { from: "s", n: 1, to: "t", id: `t${due}.${change.n ?? 1}`, due, ms: due + 5, ...change };
};

function anomalies(arranged: readonly Arrangement[], history: Partial<TickHistory>): string[] {
  const none: TickHistory = { arranged: new Map([["s", arranged]]), ticks: [], quiet: [], dark: [], skewMs: 0 };
  return checkTicks({ ...none, ...history }).map(({ anomaly }) => anomaly);
}

const all = [tick(100), tick(200), tick(300), tick(400)];

describe("schedules", () => {
  it.each<[string, readonly Arrangement[], Partial<TickHistory>, string[]]>([
    ["all times come", [made(1, 50)], { ticks: all, quiet: [[60, 440]] }, []],
    ["it is ended", [made(1, 50), ended(250)], { ticks: all.slice(0, 2) }, []],
    [
      "one that is late is of a time before the end",
      [made(1, 50), ended(250)],
      { ticks: [tick(200, { ms: 900 })] },
      [],
    ],
    ["it is changed", [made(1, 50), made(2, 250)], { ticks: [tick(100), tick(200), tick(300, { n: 2 })] }, []],
    ["it is none that is ended", [ended(50, false)], {}, []],
    ["some are missed while something fails", [made(1, 50)], { ticks: [tick(100), tick(400)] }, []],
    ["some are missed by all", [made(1, 50)], { ticks: [tick(100, { ms: 390 }), tick(400)], dark: [[70, 380]] }, []],
    ["it was made while nobody was up", [made(1, 90)], { ticks: [tick(400)], dark: [[80, 380]] }, []],
    ["one is missing", [made(1, 50)], { ticks: [tick(100), tick(300)], quiet: [[60, 340]] }, ["tick-missing"]],
    ["the last is missing", [made(1, 50)], { ticks: [tick(100)], quiet: [[60, 200]] }, ["tick-missing"]],
    ["those that were missed come each", [made(1, 50)], { ticks: all, dark: [[70, 380]] }, ["tick-burst"]],
    ["those that were missed never come", [made(1, 50)], { ticks: [tick(400)], dark: [[70, 380]] }, ["tick-missing"]],
    ["one comes twice", [made(1, 50)], { ticks: [tick(100), tick(100)] }, ["tick-repeated", "tick-repeated"]],
    ["one time is two messages", [made(1, 50)], { ticks: [tick(100), tick(100, { id: "u" })] }, ["tick-repeated"]],
    [
      "one time is two messages, by clocks that are off, of what was made twice",
      [made(1, 50, { isRepeated: true })],
      { ticks: [tick(100), tick(100, { id: "u" })], skewMs: 1 },
      [],
    ],
    [
      "one time is two messages of what was made twice",
      [made(1, 50, { isRepeated: true })],
      { ticks: [tick(100), tick(100, { id: "u" })] },
      ["tick-repeated"],
    ],
    ["one is early", [made(1, 50)], { ticks: [tick(100, { ms: 97 })] }, ["tick-early"]],
    ["one is early by clocks that are off", [made(1, 50)], { ticks: [tick(100, { ms: 97 })], skewMs: 3 }, []],
    ["one is of no time of it", [made(1, 50)], { ticks: [tick(150)] }, ["tick-between"]],
    [
      "one was overdue when the code changed it",
      [made(1, 50), made(2, 150, { follows: [1] })],
      { ticks: [tick(100, { n: 2, ms: 200 })] },
      [],
    ],
    [
      "one is of a time of the one before, which has sent it",
      [made(1, 50), made(2, 150, { follows: [1] })],
      { ticks: [tick(100, { ms: 110 }), tick(100, { n: 2, ms: 200, id: "other" })] },
      ["tick-repeated"],
    ],
    ["one is of a time before", [made(1, 150)], { ticks: [tick(100, { ms: 200 })] }, ["tick-before-schedule"]],
    ["one is of a time after the end", [made(1, 50), ended(250)], { ticks: [tick(300)] }, ["tick-after-schedule"]],
    ["one is of a time after a change", [made(1, 50), made(2, 250)], { ticks: [tick(300)] }, ["tick-after-schedule"]],
    ["nobody has made it", [], { ticks: [tick(100)] }, ["tick-unarranged"]],
    ["one comes to another", [made(1, 50)], { ticks: [tick(100, { to: "u" })] }, ["tick-elsewhere"]],
    ["one is ended that is not known", [made(1, 50), ended(60, false)], {}, ["schedule-unknown"]],
    ["one is ended that is over", [made(1, 50), ended(60), ended(70)], {}, ["schedule-unknown"]],
  ])("%s", (_, arranged, history, expected) => {
    expect(anomalies(arranged, history)).toEqual(expected);
  });
});
