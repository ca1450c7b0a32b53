/** State keys: their order by UTF-8 bytes is the order of their parts, and no two things share one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterPrefix,
  collectionPrefix,
  compareKeys,
  decodeEntryKey,
  encodeEntryKey,
  entityKey,
} from "../../protocol/state/state-key.ts";

const encoder = new TextEncoder();

function compareBytes(a: string, b: string): number {
  return Buffer.compare(encoder.encode(a), encoder.encode(b));
}

/** Well-formed text with many of the characters that are special here. */
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom("\u0000", "\u0001", "\u0002", "\u0003", "a", "\uffff", "\ud7ff", "\ue000", "😀"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    ),
    maxLength: 8,
  })
  .filter((value) => value.isWellFormed());
const number = fc.double({ noNaN: true });
const runs = { numRuns: 3_000 };

describe("the order of state keys", () => {
  test("is that of their UTF-8 bytes", () => {
    fc.assert(
      fc.property(text, text, (a, b) => Math.sign(compareKeys(a, b)) === compareBytes(a, b)),
      runs,
    );
  });

  test("of entries with text keys is that of the keys", () => {
    fc.assert(
      fc.property(
        text,
        text,
        (a, b) => Math.sign(compareKeys(encodeEntryKey(a), encodeEntryKey(b))) === compareBytes(a, b),
      ),
      runs,
    );
  });

  test("of entries with number keys is that of the numbers, -0 being 0", () => {
    fc.assert(
      fc.property(
        number,
        number,
        (a, b) =>
          Math.sign(compareKeys(encodeEntryKey(a), encodeEntryKey(b))) ===
          Math.sign(a === b ? 0 : a - b || (a < b ? -1 : 1)),
      ),
      runs,
    );
    expect(encodeEntryKey(-0)).toBe(encodeEntryKey(0));
  });

  test("puts numbers before texts", () => {
    fc.assert(
      fc.property(number, text, (a, b) => compareKeys(encodeEntryKey(a), encodeEntryKey(b)) < 0),
      runs,
    );
  });

  test("holds in Uint8Array comparison of whole keys: entries of one key are one range, of nobody else", () => {
    fc.assert(
      fc.property(text, text, text, text, (key, other, name, entryKey) => {
        fc.pre(key !== other);
        const mine = entityKey("s", key);
        const theirs = collectionPrefix(entityKey("s", other), "c") + encodeEntryKey(entryKey);
        const own = collectionPrefix(mine, "c") + encodeEntryKey(name);
        const inside = (state: string) => compareBytes(state, mine) >= 0 && compareBytes(state, afterPrefix(mine)) < 0;
        return inside(own) && inside(mine) && !inside(theirs) && !inside(entityKey("s", other));
      }),
      runs,
    );
  });
});

describe("an entry key", () => {
  test("comes back as it was", () => {
    fc.assert(
      fc.property(text, (key) => decodeEntryKey(encodeEntryKey(key)) === key),
      runs,
    );
    fc.assert(
      fc.property(number, (key) => decodeEntryKey(encodeEntryKey(key)) === (key === 0 ? 0 : key)),
      runs,
    );
  });

  test("holds no separator: keys are cut at the last one", () => {
    fc.assert(
      fc.property(text, (key) => !encodeEntryKey(key).includes("\u0001") && !encodeEntryKey(key).includes("\u0000")),
      runs,
    );
  });

  test("cannot be NaN, ill-formed text, or what would be taken for a number", () => {
    for (const key of [Number.NaN, undefined, null, true, {}, [1], new Date(0), 1n] as number[])
      expect(() => encodeEntryKey(key)).toThrow("a collection's key is text or a finite number, not");
    expect(() => encodeEntryKey("\ud800")).toThrow(TypeError);
  });
});

test("different keys of a service have different prefixes, none a prefix of another", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      fc.pre(a !== b);
      const [x, y] = [entityKey("s", a), entityKey("s", b)];
      return !x.startsWith(y) && !y.startsWith(x);
    }),
    runs,
  );
});
