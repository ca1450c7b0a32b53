/** What state and collections can hold, over requests and over a loss of memory. */
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { ask, call, freshKey, problemOf } from "./support/app.ts";
import { blocksOf, fold } from "./support/fold.ts";

const FILLED = [
  "at: Date 2026-11-23T00:00:00.000Z",
  "big: bigint 123456789012345678901234567890",
  "bytes: bytes 0.127.255",
  "map: Map then=Date 2026-11-23T00:00:00.000Z",
  "set: Set bigint 1,bigint 123456789012345678901234567890",
  "nested: list:list Date 1970-01-01T00:00:00.000Z,undefined",
];

describe("state", () => {
  test("keeps dates, big integers, bytes, maps and sets, also when memory is lost", async () => {
    const key = freshKey();
    await call(["values", key], "fill", { at: Date.UTC(2026, 10, 23), big: "123456789012345678901234567890" });
    expect((await ask(["values", key], "describe")).body).toEqual(FILLED);
    await abortAllDurableObjects();
    expect((await ask(["values", key], "describe")).body).toEqual(FILLED);
  });

  test("may become undefined, and stays so", async () => {
    const key = freshKey();
    await call(["values", key], "fill", { at: 0, big: "1" });
    await call(["values", key], "unset");
    expect((await ask(["values", key], "describe")).body).toEqual(["undefined"]);
    await abortAllDurableObjects();
    expect((await ask(["values", key], "describe")).body).toEqual(["undefined"]);
  });

  test("that cannot be stored fails the transaction and leaves nothing", async () => {
    const key = freshKey();
    expect(problemOf(await call(["unruly", key], "unsendable"))).toBe("internal-error");
    expect((await ask(["unruly", key], "count")).body).toBe(0);
  });

  test("above the size of a value is refused, just below it is kept", async () => {
    const key = freshKey();
    const refused = await call(["values", key], "pad", { chars: 1_100_000, fill: "x" });
    expect([refused.status, problemOf(refused)]).toEqual([500, "transaction-too-large"]);
    // Three bytes of UTF-8 each: the limit counts bytes, not characters.
    expect(problemOf(await call(["values", key], "pad", { chars: 400_000, fill: "€" }))).toBe("transaction-too-large");
    expect((await call(["values", key], "pad", { chars: 1_000_000, fill: "x" })).status).toBe(200);
    expect((await ask(["values", key], "padding")).body).toEqual({ chars: 1_000_000, first: "x" });
  });
});

describe("collections", () => {
  const NAMES = ["", "a", "a\u0000", "a\u0001b", "b", "z", "é", "\uffff", "😀"];

  test("sort text keys by their UTF-8 bytes, in both directions, within bounds and limits", async () => {
    const key = freshKey();
    await call(
      ["values", key],
      "put",
      [...NAMES].reverse().map((name) => [name, name.length]),
    );
    const names = async (input: object) =>
      ((await ask(["values", key], "range", { of: "byName", ...input })).body as Array<[string, number]>).map(
        ([name]) => name,
      );
    expect(await names({})).toEqual(NAMES);
    expect(await names({ reverse: true })).toEqual([...NAMES].reverse());
    expect(await names({ from: "a", to: "b" })).toEqual(["a", "a\u0000", "a\u0001b"]);
    expect(await names({ from: "a", to: "b", reverse: true, limit: 2 })).toEqual(["a\u0001b", "a\u0000"]);
    expect(await names({ limit: 0 })).toEqual([]);
    await abortAllDurableObjects();
    expect(await names({ from: "é", reverse: true })).toEqual(["😀", "\uffff", "é"]);
  });

  test("sort number keys by value", async () => {
    const key = freshKey();
    const numbers = [-1e308, -2.5, -1, 0, 5e-324, 1, 2, 10, 9007199254740993, 1e308];
    await call(
      ["values", key],
      "put",
      [10, -1, 1e308, 0, 2, -2.5, 1, 5e-324, -1e308, 9007199254740993].map((n) => [n, String(n)]),
    );
    const { body } = await ask(["values", key], "range", { of: "byNumber" });
    expect((body as Array<[number, string]>).map(([n]) => n)).toEqual(numbers);
    const middle = await ask(["values", key], "range", { of: "byNumber", from: -1, to: 2, reverse: true });
    expect((middle.body as Array<[number, string]>).map(([n]) => n)).toEqual([1, 5e-324, 0, -1]);
  });

  test("tell whether a deleted entry was there, and keep the rest", async () => {
    const key = freshKey();
    await call(["values", key], "put", [
      ["a", 1],
      ["b", { deep: [1] }],
      [7, null],
    ]);
    expect((await call(["values", key], "remove", ["a", "none", 7, 8])).body).toEqual([true, false, true, false]);
    expect((await ask(["values", key], "range", { of: "byName" })).body).toEqual([["b", { deep: [1] }]]);
    expect((await ask(["values", key], "range", { of: "byNumber" })).body).toEqual([]);
  });

  test("of keys that begin alike do not mix", async () => {
    const key = freshKey();
    const longer = `${key}\u0001`;
    await call(["values", key], "put", [["a", 1]]);
    await call(["values", longer], "put", [["b", 2]]);
    expect((await ask(["values", key], "range", { of: "byName" })).body).toEqual([["a", 1]]);
    await call(["values", key], "clear");
    expect((await ask(["values", longer], "range", { of: "byName" })).body).toEqual([["b", 2]]);
  });

  test("refuse a range above the limit rather than cut it", async () => {
    const answer = await ask(["values", freshKey()], "range", { of: "byName", limit: 10_001 });
    expect(answer.status).toBe(500);
  });
});

describe("clear", () => {
  test("deletes value and entries, and what is written after it stays", async () => {
    const key = freshKey();
    await call(["values", key], "fill", { at: 0, big: "1" });
    await call(["values", key], "put", [
      ["a", 1],
      [1, 1],
    ]);
    await call(["values", key], "clear");
    expect((await ask(["values", key], "describe")).body).toEqual([]);
    expect((await ask(["values", key], "range", { of: "byName" })).body).toEqual([]);
    await call(["values", key], "put", [["b", 2]]);
    await abortAllDurableObjects();
    expect((await ask(["values", key], "describe")).body).toEqual([]);
    expect((await ask(["values", key], "range", { of: "byName" })).body).toEqual([["b", 2]]);
    expect((await ask(["values", key], "range", { of: "byNumber" })).body).toEqual([]);
  });

  test("leaves nothing behind once blocks are merged", async () => {
    const key = freshKey();
    await call(["values", key], "put", [["a", "mark-of-the-cleared"]]);
    await fold(key);
    expect(await rowsLike(key, "mark-of-the-cleared")).toBe(1);
    await call(["values", key], "clear");
    for (let round = 0; round < FOLDS && (await rowsLike(key, "mark-of-the-cleared")) > 0; round++) await fold(key);
    expect(await rowsLike(key, "mark-of-the-cleared")).toBe(0);
  });
});

/** Folds until what one of them voids must have met the run in which it lies. */
const FOLDS = 8;

async function rowsLike(key: string, text: string): Promise<number> {
  const blocks = await blocksOf(key);
  return blocks.flatMap(({ rows }) => rows).filter((row) => row.text.includes(text)).length;
}

test("ctx.now is the same throughout an invocation; random and uuid are what they say", async () => {
  const before = Date.now();
  const { body } = await call(["values", freshKey()], "times");
  const { now, later, random, uuid } = body as { now: number; later: number; random: number; uuid: string };
  expect(later).toBe(now);
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
  expect(random).toBeGreaterThanOrEqual(0);
  expect(random).toBeLessThan(1);
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
