/** What is taken back of a value, and of entries, that somebody else has changed since. */
import { describe, expect, test } from "vitest";
import { entriesTakenBack, takenBack } from "../../protocol/state/take-back.ts";
import { shapeOf } from "../../sdk/shape.ts";

describe("a value", () => {
  const back = (live: unknown, before: unknown, after: unknown) => takenBack(live, before, after, null);
  test.each([
    ["is as it was where nobody else has changed it", { a: 2 }, { a: 1 }, { a: 2 }, { a: 1 }],
    ["keeps members of others", { a: 2, b: 5 }, { a: 1 }, { a: 2 }, { a: 1, b: 5 }],
    [
      "keeps what others have within one",
      { a: { x: 1, y: 2 } },
      { a: { x: 0 } },
      { a: { x: 1 } },
      { a: { x: 0, y: 2 } },
    ],
    ["has again what was deleted", { b: 5 }, { a: 1 }, {}, { a: 1, b: 5 }],
    ["has no more what was added", { a: 1, b: 5 }, {}, { a: 1 }, { b: 5 }],
    ["lacks what others have deleted since", { b: 5 }, { a: 1 }, { a: 2 }, { b: 5 }],
    ["has again a member that was given no value", { a: undefined, b: 5 }, { a: 1 }, {}, { a: 1, b: 5 }],
    ["stays where it is as before already", { a: 1, b: 5 }, { a: 1 }, { a: 2 }, { a: 1, b: 5 }],
  ])("%s", (_, live, before, after, expected) => {
    expect(back(live, before, after)).toEqual({ value: expected });
  });

  test.each([
    ["a member", { a: 3 }, { a: 1 }, { a: 2 }],
    ["a list", { a: [1, 2, 3] }, { a: [1] }, { a: [1, 2] }],
    ["a member that was added", { a: 3 }, {}, { a: 2 }],
    ["a member that was deleted, and is another now", { a: 3 }, { a: 1 }, {}],
    ["what is no object", 3, 1, 2],
  ])("is none where both have changed it: %s", (_, live, before, after) => {
    expect(back(live, before, after)).toBeNull();
  });

  test("takes in again the very objects that it had", () => {
    const part = { x: 0 };
    const before: Record<string, unknown> = { part };
    const shape = shapeOf(before);
    const text = structuredClone(before);
    const live: Record<string, unknown> = { part: { x: 1 }, own: 1 };
    const value = takenBack(live, text, { part: { x: 1 } }, shape)?.value as typeof live;
    expect(value).toEqual({ part: { x: 0 }, own: 1 });
    expect(value["part"]).toBe(part);
  });

  test("has a member called __proto__ as any other", () => {
    const of = (text: string): unknown => JSON.parse(text);
    expect(back(of('{"b":1}'), of('{"__proto__":1}'), of("{}"))).toEqual({ value: of('{"b":1,"__proto__":1}') });
  });
});

describe("entries", () => {
  type Entries = Readonly<Record<string, string | null>>;
  const back = (live: Entries, before: Entries, after: Entries): unknown => {
    const [one, two, three] = [live, before, after].map((entries) => new Map(Object.entries(entries)));
    const taken = entriesTakenBack(
      one as Map<string, string>,
      two as Map<string, string>,
      three as Map<string, string>,
    );
    return taken === null ? null : Object.fromEntries(taken);
  };
  test.each<[string, Entries, Entries, Entries, Entries]>([
    ["that were put go", { a: "1", b: "5" }, {}, { a: "1" }, { b: "5" }],
    ["that were changed are as before", { a: "2" }, { a: "1" }, { a: "2" }, { a: "1" }],
    ["that a clear has dropped are there again", { b: "5" }, { a: "1" }, {}, { b: "5", a: "1" }],
    ["that others have deleted since stay so", { a: null }, {}, { a: "1" }, { a: null }],
    ["that were deleted are there again", { a: null }, { a: "1" }, { a: null }, { a: "1" }],
    ["that are as before already stay", { a: "1" }, { a: "1" }, { a: "2" }, { a: "1" }],
  ])("%s", (_, live, before, after, expected) => expect(back(live, before, after)).toEqual(expected));

  test("are none where both have written one", () => {
    expect(back({ a: "3" }, {}, { a: "2" })).toBeNull();
    expect(back({ a: "3" }, { a: "1" }, {})).toBeNull();
  });
});
