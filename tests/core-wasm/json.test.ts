/** The JSON scanner: what it refuses and where, and its agreement with JSON.parse. */
import { describe, expect, it } from "vitest";
import { MAX_NESTING } from "../../core-wasm/limits.ts";
import { mutate, random } from "./support/random.ts";
import { both, twin, utf8, wasm } from "./support/subjects.ts";

const FUZZED_AGAINST_PARSE = 200_000;
const FUZZED_AGAINST_TWIN = 30_000;

/** What the platform says: strict UTF-8, a byte order mark kept, then JSON.parse. */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(strict.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

function bytesOf(...parts: (string | number)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...utf8(part)])));
}

const SOUND = [
  "0",
  "-0",
  "-0.0e-0",
  "1E+2",
  "10.25e307",
  "1e999",
  "123456789012345678901234567890",
  '""',
  '"\\u0000\\ud800\\"\\\\\\/\\b\\f\\n\\r\\t"',
  '"\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"',
  "true",
  " \t\r\n[ ] ",
  "{}",
  '{"a":1,"a":{"b":[null,false,[]]},"":""}',
];

// [text, code, offset, line]
const FAULTY: readonly (readonly [Uint8Array, string, number, number])[] = [
  [bytesOf(""), "empty", 0, 1],
  [bytesOf(" \n "), "empty", 3, 2],
  [bytesOf(0xef, 0xbb, 0xbf, "1"), "unexpected-byte", 0, 1],
  [bytesOf("nul"), "unexpected-byte", 0, 1],
  [bytesOf("[1,]"), "unexpected-byte", 3, 1],
  [bytesOf("{1:2}"), "unexpected-byte", 1, 1],
  [bytesOf('{"a",1}'), "unexpected-byte", 4, 1],
  [bytesOf("[1}"), "unexpected-byte", 2, 1],
  [bytesOf('{"a":1]'), "unexpected-byte", 6, 1],
  [bytesOf("[1\n,\n\v2]"), "unexpected-byte", 5, 3],
  [bytesOf("1", 0), "trailing-bytes", 1, 1],
  [bytesOf(0), "unexpected-byte", 0, 1],
  [bytesOf("'a'"), "unexpected-byte", 0, 1],
  [bytesOf("[1"), "unexpected-end", 2, 1],
  [bytesOf('{"a":'), "unexpected-end", 5, 1],
  [bytesOf('"abc'), "unterminated-string", 4, 1],
  [bytesOf('"abc\\'), "unterminated-string", 5, 1],
  [bytesOf('"a\nb"'), "control-character", 2, 1],
  [bytesOf('"a', 0, '"'), "control-character", 2, 1],
  [bytesOf('"ab\\x"'), "bad-escape", 3, 1],
  [bytesOf('"\\u12g4"'), "bad-escape", 1, 1],
  [bytesOf('"\\u12'), "bad-escape", 1, 1],
  [bytesOf("01"), "bad-number", 1, 1],
  [bytesOf("-"), "bad-number", 1, 1],
  [bytesOf("1."), "bad-number", 2, 1],
  [bytesOf("1.e1"), "bad-number", 2, 1],
  [bytesOf("[1e+]"), "bad-number", 4, 1],
  [bytesOf("-a"), "bad-number", 1, 1],
  [bytesOf("1 2"), "trailing-bytes", 2, 1],
  [bytesOf("{}\n}"), "trailing-bytes", 3, 2],
  [bytesOf('"', 0x80, '"'), "bad-utf8", 1, 1],
  [bytesOf('"a', 0xc1, 0xbf, '"'), "bad-utf8", 2, 1],
  [bytesOf('"', 0xc3, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xe0, 0x9f, 0xbf, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xed, 0xa0, 0x80, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xe2, 0x82, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xf0, 0x8f, 0xbf, 0xbf, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xf4, 0x90, 0x80, 0x80, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xf5, 0x80, 0x80, 0x80, '"'), "bad-utf8", 1, 1],
  [bytesOf('"', 0xf0, 0x9f, 0x98), "bad-utf8", 1, 1],
];

describe.each(both)("%s", (_name, kernels) => {
  it.each(SOUND)("accepts %j", (text) => {
    expect(parses(utf8(text))).toBe(true);
    expect(kernels.checkJson(utf8(text))).toBeNull();
  });

  it.each(FAULTY)("says where %s stops being JSON: %s", (bytes, code, offset, line) => {
    expect(parses(bytes)).toBe(false);
    expect(kernels.checkJson(bytes)).toEqual({ code, offset, line });
  });

  it("finds the end of a string, and a fault in it, at every place within a vector", () => {
    for (let length = 0; length < 50; length++) {
      const run = "x".repeat(length);
      expect(kernels.checkJson(utf8(`"${run}"`))).toBeNull();
      expect(kernels.checkJson(utf8(`"${run}é${run}"`))).toBeNull();
      expect(kernels.checkJson(utf8(`"${run}\\n"`))).toBeNull();
      expect(kernels.checkJson(utf8(`"${run}\u0001"`))?.offset).toBe(length + 1);
      expect(kernels.checkJson(utf8(`"${run}`))?.code).toBe("unterminated-string");
    }
  });

  it("accepts nesting up to the limit and refuses one more", () => {
    const nested = (depth: number): Uint8Array => utf8("[".repeat(depth) + "]".repeat(depth));
    expect(kernels.checkJson(nested(MAX_NESTING))).toBeNull();
    expect(kernels.checkJson(nested(MAX_NESTING + 1))).toEqual({ code: "too-deep", offset: MAX_NESTING, line: 1 });
    expect(kernels.checkJson(utf8('{"a":'.repeat(MAX_NESTING + 1)))?.code).toBe("too-deep");
  });

  it("reads nothing that an earlier, longer text left behind", () => {
    expect(kernels.checkJson(utf8('["0123456789","0123456789"]'))).toBeNull();
    expect(kernels.checkJson(utf8('["0123456789"'))?.code).toBe("unexpected-end");
    expect(kernels.checkJson(utf8('["01234'))?.code).toBe("unterminated-string");
  });
});

const SEEDS = [
  ...SOUND,
  '{"auction":1001,"bidder":22,"price":3.25e2,"channel":"Baidu","url":"https://x.test/?a=\\u00e9","dateTime":"2026-11-23","ok":true,"none":null}',
  '[[],{},[{"a":[-1,0.5,1e5]},"é漢😀\\ud83d\\ude00"],"0123456789abcdef0123456789abcdef"]',
].map(utf8);
const ALPHABET = utf8('{}[]",:\\u0123eE+-. \n\ttruefalsn/é漢😀');

describe("fuzzing", () => {
  it(`agrees with JSON.parse on ${FUZZED_AGAINST_PARSE} mutated documents`, () => {
    const dice = random(0x7ee1);
    let accepted = 0;
    for (let i = 0; i < FUZZED_AGAINST_PARSE; i++) {
      const bytes = mutate(dice.pick(SEEDS), 3, dice, ALPHABET);
      const sound = parses(bytes);
      if (sound) accepted++;
      if ((wasm.checkJson(bytes) === null) !== sound) expect.fail(`document ${i}: ${JSON.stringify([...bytes])}`);
    }
    // Both answers must occur often, or the agreement means little.
    expect(accepted).toBeGreaterThan(FUZZED_AGAINST_PARSE / 10);
    expect(accepted).toBeLessThan((FUZZED_AGAINST_PARSE * 9) / 10);
  }, 30_000);

  it("reports the twin's faults at the twin's places", () => {
    const dice = random(0x7ee2);
    for (let i = 0; i < FUZZED_AGAINST_TWIN; i++) {
      const bytes = mutate(dice.pick(SEEDS), 3, dice, ALPHABET);
      const ours = JSON.stringify(wasm.checkJson(bytes));
      const theirs = JSON.stringify(twin.checkJson(bytes));
      if (ours !== theirs) expect.fail(`document ${i}: ${ours} / ${theirs} for ${JSON.stringify([...bytes])}`);
    }
  }, 30_000);

  it("survives random bytes", () => {
    const dice = random(0x7ee3);
    for (let i = 0; i < 5000; i++) {
      const bytes = dice.bytes(dice.int(300));
      expect(wasm.checkJson(bytes) === null).toBe(parses(bytes));
    }
  });
});
