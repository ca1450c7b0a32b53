/** When messages that may have ended whoever ran them are tried again: apart from each other, or one that is innocent is lost with one that is not. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/outbox/message.ts";
import { lostTry, spread } from "../../protocol/outbox/suspects.ts";

function message(number: number, tries: number): Message {
  const requestId = `t1a3185caef${number.toString(16).padStart(20, "0")}`;
  return {
    ...{ requestId, row: "", sender: "", service: "s", key: "k", name: "f", input: "", coded: false },
    tries: Array.from({ length: tries }, () => lostTry(0)),
  };
}

test("tries are spread over a time that grows with them", () => {
  for (const [tries, doublings] of [
    [1, 0],
    [2, 1],
    [4, 3],
    [9, 3],
  ] as const) {
    const most = LIMITS.suspectSpreadMs * 2 ** doublings;
    const all = Array.from({ length: 1_000 }, (_, number) => spread(message(number, tries)));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all)).toBeLessThan(most);
    const mean = all.reduce((sum, ms) => sum + ms, 0) / all.length;
    expect(Math.abs(mean - most / 2)).toBeLessThan(most / 20);
  }
});

test("two that are tried at the same time once are not from then on", () => {
  const NEAR_MS = 300;
  let met = 0;
  for (let one = 0; one < 60; one++) {
    for (let other = 0; other < one; other++) {
      const near = (tries: number) => Math.abs(spread(message(one, tries)) - spread(message(other, tries))) < NEAR_MS;
      if ([1, 2, 3, 4, 5].every(near)) met++;
    }
  }
  // By chance alone one in some ten thousand pairs would.
  expect(met).toBeLessThan(5);
});
