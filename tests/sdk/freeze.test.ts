/** Read-only values at run time: every way to write throws, every way to read works. */

import { describe, expect, test } from "vitest";
import { freezeDeep } from "../../sdk/freeze.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";

const make = () => ({
  balance: 1,
  tags: ["a"],
  at: new Date(5),
  byDay: new Map([["monday", { n: 1 }]]),
  seen: new Set([{ n: 2 }]),
  bytes: Uint8Array.of(1, 2),
});

describe("freezeDeep", () => {
  type State = ReturnType<typeof make>;
  test.each<[string, (state: State) => unknown]>([
    ["a member", (state) => (state.balance = 2)],
    ["a new member", (state) => Object.assign(state, { more: 1 })],
    ["a deleted member", (state) => delete (state as Partial<State>).tags],
    ["an array", (state) => state.tags.push("b")],
    ["a Date", (state) => state.at.setTime(9)],
    ["a Date's year", (state) => state.at.setUTCFullYear(1999)],
    ["a Map", (state) => state.byDay.set("monday", { n: 2 })],
    ["a Map's removal", (state) => state.byDay.delete("monday")],
    ["a Map's value", (state) => (state.byDay.get("monday")!.n = 9)],
    ["a Set", (state) => state.seen.clear()],
    ["a Set's member", (state) => state.seen.forEach((member) => (member.n = 9))],
  ])("makes a write to %s throw, and leaves the value as it was", (_what, write) => {
    const state = freezeDeep(make());
    expect(() => write(state)).toThrow(TypeError);
    expect(encodeValue(state)).toBe(encodeValue(make()));
  });

  test("leaves reading, encoding and copying as they are", () => {
    const state = freezeDeep(make());
    expect(state.byDay.get("monday")?.n).toBe(1);
    expect(Array.from(state.seen, ({ n }) => n)).toEqual([2]);
    expect(state.at.toISOString()).toBe("1970-01-01T00:00:00.005Z");
    expect(decodeValue(encodeValue(state))).toStrictEqual(make());
  });

  test("passes what cannot be written anyway", () => {
    for (const value of [null, undefined, 1, "text", 1n, true]) expect(freezeDeep(value)).toBe(value);
  });
});
