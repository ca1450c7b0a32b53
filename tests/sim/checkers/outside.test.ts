/** What the checkers of effects, sagas and lifetimes find, and what they let be. */
import { describe, expect, test } from "vitest";
import { checkLifetimes, type Touch } from "../../../sim/checkers/lifetimes.ts";
import { checkOutside } from "../../../sim/checkers/outside.ts";
import { checkSagas } from "../../../sim/checkers/sagas.ts";

const anomaliesOf = (findings: ReadonlyArray<{ readonly anomaly: string }>): string[] =>
  findings.map(({ anomaly }) => anomaly);

describe("effects", () => {
  const sound = {
    asked: [1, 2],
    done: [
      { n: 1, id: "a" },
      { n: 1, id: "a" },
      { n: 2, id: "b" },
    ],
    told: [
      { n: 1, ok: true },
      { n: 2, ok: false },
    ],
  };

  test("that happen at least once and are told once are sound", () => {
    expect(checkOutside(sound)).toEqual([]);
    // One that never got through has failed.
    expect(checkOutside({ asked: [1], done: [], told: [{ n: 1, ok: false }] })).toEqual([]);
  });

  test.each([
    ["effect-uncommitted", { ...sound, done: [...sound.done, { n: 3, id: "c" }] }],
    ["effect-key-changed", { ...sound, done: [...sound.done, { n: 1, id: "c" }] }],
    [
      "effect-key-shared",
      {
        ...sound,
        done: [
          { n: 1, id: "a" },
          { n: 2, id: "a" },
        ],
      },
    ],
    ["effect-missing", { asked: [1], done: [], told: [{ n: 1, ok: true }] }],
    ["outcome-repeated", { ...sound, told: [...sound.told, { n: 2, ok: false }] }],
    ["outcome-missing", { ...sound, told: [{ n: 1, ok: true }] }],
    ["outcome-unasked", { ...sound, told: [...sound.told, { n: 3, ok: false }] }],
  ])("%s is found", (anomaly, history) => {
    expect(anomaliesOf(checkOutside(history))).toContain(anomaly);
  });
});

describe("lifetimes", () => {
  const touch = (n: number, at: number, before: Touch["before"], ms = at): Touch => ({ key: "k", n, at, ms, before });
  const check = (touches: readonly Touch[], skewMs = 0) => anomaliesOf(checkLifetimes({ touches, ttlMs: 100, skewMs }));

  test("that end in time, and are renewed, are sound", () => {
    expect(check([touch(1, 0, null), touch(2, 90, { n: 1, at: 0 }), touch(3, 190, null)])).toEqual([]);
  });

  test("that end late or early are found", () => {
    expect(check([touch(1, 0, null), touch(2, 100, { n: 1, at: 0 })])).toEqual(["expired-seen"]);
    expect(check([touch(1, 0, null), touch(2, 99, null)])).toEqual(["removed-early"]);
    expect(check([touch(1, 0, null), touch(2, 50, { n: 1, at: 0 }), touch(3, 60, { n: 1, at: 0 })])).toEqual([
      "touched-twice",
    ]);
  });

  test("are not judged where clocks leave it open, nor where two came at one moment", () => {
    expect(check([touch(1, 0, null), touch(2, 99, null)], 5)).toEqual([]);
    expect(check([touch(1, 0, null), touch(2, 50, null, 130)])).toEqual([]);
    expect(check([touch(2, 10, { n: 1, at: 10 }), touch(1, 10, null)])).toEqual([]);
  });
});

describe("sagas", () => {
  const begun = [
    { n: 1, end: "well" },
    { n: 2, end: "book" },
    { n: 3, end: "pay" },
    { n: 4, end: "go" },
  ];
  const sound = [
    ...["book 1", "go 1", "over 1 true", "over 2 false"],
    ...["book 3", "undo 3", "over 3 false", "book 4", "undo 4", "over 4 false"],
  ];
  const check = (notes: readonly string[]) => anomaliesOf(checkSagas({ begun, notes }));

  test("that end as they should are sound", () => {
    expect(check(sound)).toEqual([]);
  });

  test.each([
    ["saga-unended", sound.filter((note) => note !== "over 1 true")],
    ["saga-unended", [...sound, "over 3 false"]],
    ["saga-ended-otherwise", [...sound, "over 4 true"]],
    ["saga-step", [...sound, "book 1"]],
    ["saga-step", [...sound, "go 4"]],
    ["saga-compensation", [...sound, "undo 1"]],
    ["saga-compensation", sound.filter((note) => note !== "undo 4")],
    ["saga-unasked", [...sound, "book 9"]],
  ])("%s is found", (anomaly, notes) => {
    expect(check(notes)).toContain(anomaly);
  });
});
