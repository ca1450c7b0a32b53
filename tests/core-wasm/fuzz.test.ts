/** The short form of `npm run fuzz`: it finds what it should, and finds nothing. */
import { expect, it } from "vitest";
import { framesFuzz } from "../fuzz/frames.ts";
import { jsonFuzz } from "../fuzz/json.ts";
import { fuzz } from "../fuzz/run.ts";
import { judged } from "./support/agree.ts";
import { utf8 } from "./support/subjects.ts";

const UNTIL_DONE = Number.POSITIVE_INFINITY;

it("agrees with JSON.parse on event bodies, whole and cut", () => {
  const subject = jsonFuzz();
  const { documents } = fuzz({ seed: 1, rounds: 600, milliseconds: UNTIL_DONE }, (source) => subject.round(source));
  expect(documents).toBeGreaterThan(36_000);
});

it("takes or refuses deep nesting, 30 MB lines and random bytes, and does not grow by it", () => {
  const subject = jsonFuzz();
  fuzz({ seed: 1, rounds: 1, milliseconds: UNTIL_DONE }, (source) => subject.extremes(source));
}, 120_000);

it("agrees with the twin on damaged frames", () => {
  const round = framesFuzz();
  const { documents } = fuzz({ seed: 1, rounds: 150, milliseconds: UNTIL_DONE }, (source) => round(source));
  expect(documents).toBeGreaterThan(4_000);
});

it("names the seed of the round that fails", () => {
  const round = (_: unknown, seed: number): number => {
    if (seed === 9) throw new Error("planted");
    return 1;
  };
  expect(() => fuzz({ seed: 5, rounds: 10, milliseconds: UNTIL_DONE }, round)).toThrow(/--seed 9 failed.*planted/);
});

it("has a judge that knows the differences", () => {
  const columns = [{ name: "a", type: "i64" }] as const;
  const judge = (text: string) => judged(utf8(text), columns, "json");
  expect(judge('[{"a":1},{"a":9007199254740993,"a":9007199254740995}]')).toEqual([[1n, 9007199254740995n]]);
  expect(judge('[{"a":1.5}]')).toBeNull();
  expect(judge(`{"a":1,"b":${"[".repeat(512)}${"]".repeat(512)}}`)).toBeNull();
  expect(judge(`{"a":1,"b":${"[".repeat(511)}${"]".repeat(511)}}`)).toEqual([[1n]]);
});
