/** Keys in addresses: every key arrives as it was, whatever stands between. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkKey, decodeKey, encodeKey, KEY_MAX_BYTES } from "../../sdk/keys.ts";

/** The raw segment after a URL parser had the address. */
function throughUrl(segment: string): string {
  const parts = new URL(`https://example.com/v1/services/account/${segment}/deposit?x=1`).pathname.split("/");
  expect(parts).toHaveLength(6);
  return parts[4] ?? "";
}

const wellFormed = fc
  .string({ unit: "binary", minLength: 1, maxLength: 120 })
  .filter((text) => text.isWellFormed() && new TextEncoder().encode(text).length <= KEY_MAX_BYTES);
const awkward = fc
  .array(
    fc.constantFrom(
      ".",
      "..",
      "~",
      "/",
      "\\",
      "%",
      "%2F",
      "%2e",
      "?",
      "#",
      ";",
      " ",
      "+",
      "\t",
      "\n",
      "\0",
      "é",
      "\ufeff",
      "😀",
      "a",
      "=",
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));

describe("encodeKey and decodeKey", () => {
  test("give any key back through a URL parser", () => {
    fc.assert(
      fc.property(fc.oneof(wellFormed, awkward), (key) => {
        expect(decodeKey(throughUrl(encodeKey(key)))).toBe(key);
      }),
      { numRuns: 3_000 },
    );
  });

  test("write only characters that no URL library touches", () => {
    fc.assert(
      fc.property(fc.oneof(wellFormed, awkward), (key) =>
        /^(?:[A-Za-z0-9_.!~*'()-]|%[0-9A-F]{2})+$/.test(encodeKey(key)),
      ),
    );
  });

  test.each([
    ["alice", "alice"],
    ["a b", "a%20b"],
    ["é", "%C3%A9"],
    [".", "~Lg"],
    ["..", "~Li4"],
    ["...", "..."],
    ["~x", "~fng"],
    ["a/b", "~YS9i"],
    ["100%", "~MTAwJQ"],
    ["a\\b", "~YVxi"],
    ["\0", "~AA"],
  ])("write %j as %s", (key, segment) => {
    expect(encodeKey(key)).toBe(segment);
    expect(decodeKey(segment)).toBe(key);
  });

  test("accept the tilde form of any key, with the tilde percent-encoded too", () => {
    expect(decodeKey("~YWxpY2U")).toBe("alice");
    expect(decodeKey("%7EYWxpY2U")).toBe("alice");
    expect(decodeKey("%7eYWxpY2U")).toBe("alice");
  });

  test("accept percent-encoding of any character", () => {
    expect(decodeKey("%61lice%2Fbob")).toBe("alice/bob");
    expect(decodeKey("a+b")).toBe("a+b");
  });

  test.each([
    ["a broken escape", "%zz"],
    ["a cut escape", "a%2"],
    ["bytes that are not UTF-8", "%ff"],
    ["nothing", ""],
    ["a tilde with nothing", "~"],
    ["base64 with padding", "~YQ=="],
    ["base64 with the other alphabet", "~+/8"],
    ["base64 with spare bits, a second text for one key", "~YR"],
    ["base64 of an impossible length", "~YWxpY"],
    ["base64 of bytes that are not UTF-8", "~_w"],
  ])("refuse %s", (_what, segment) => {
    expect(() => decodeKey(segment)).toThrow(expect.objectContaining({ type: "invalid-key" }));
  });
});

describe("checkKey", () => {
  test("counts bytes of UTF-8, not characters", () => {
    expect(() => checkKey("a".repeat(KEY_MAX_BYTES))).not.toThrow();
    expect(() => checkKey("é".repeat(KEY_MAX_BYTES / 2))).not.toThrow();
    expect(() => checkKey("😀".repeat(KEY_MAX_BYTES / 4))).not.toThrow();
    for (const key of ["a".repeat(KEY_MAX_BYTES + 1), "é".repeat(KEY_MAX_BYTES / 2 + 1), `${"€".repeat(170)}abc`]) {
      expect(() => checkKey(key)).toThrow(expect.objectContaining({ type: "key-too-large" }));
    }
    expect(() => checkKey(`${"€".repeat(170)}ab`)).not.toThrow();
  });

  test.each([[""], ["\ud800"], ["a\udc00b"], [7], [null], [undefined]])("refuses %j", (key) => {
    expect(() => checkKey(key)).toThrow(expect.objectContaining({ type: "invalid-key" }));
  });

  test("applies to the tilde form too", () => {
    const segment = `~${Buffer.from("a".repeat(KEY_MAX_BYTES + 1)).toString("base64url")}`;
    expect(() => decodeKey(segment)).toThrow(expect.objectContaining({ type: "key-too-large" }));
  });
});
