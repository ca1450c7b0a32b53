/** Which operators of a flow go on in another version of it. */
import { expect, test } from "vitest";
import { count } from "../../sdk/aggregate.ts";
import { flow, lostOperators } from "../../sdk/flow.ts";
import { Visits } from "../support/visits.ts";

const operator = (name: string, follows: string[] = [], joinsLate = false) => ({
  name,
  id: "same",
  follows,
  joinsLate,
});
const kept = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "same"]));

test("what is tied to what is lost is lost, however far away and in whatever order", () => {
  const chain = [operator("a"), operator("b", ["a"]), operator("c", ["b"]), operator("d", ["c"])];
  for (const next of [chain, chain.toReversed()]) {
    expect(lostOperators(kept("a", "b", "c", "d"), next)).toEqual([]);
    expect(new Set(lostOperators({ ...kept("a", "b", "c"), d: "other" }, next).map(({ name }) => name))).toEqual(
      new Set(["d", "c", "b", "a"]),
    );
    expect(new Set(lostOperators(kept("b", "c", "d"), next).map(({ name }) => name))).toEqual(new Set(["b", "c", "d"]));
  }
});

test("what joins late goes with what it follows, and not the other way", () => {
  const next = [operator("a"), operator("view", ["a"], true)];
  expect(lostOperators(kept("a"), next)).toEqual([]);
  expect(lostOperators(kept("view"), next)).toEqual([{ name: "view", with: "a" }]);
});

test("names that objects have are names of nothing kept, and of no operator", () => {
  expect(lostOperators({}, [operator("constructor", ["a"]), operator("a")])).toEqual([]);
  expect(() =>
    flow("f").from(Visits, { time: "at" }).keyBy("page").aggregate({ n: count() }).named("constructor"),
  ).toThrow('cannot name an operator "constructor"');
});
