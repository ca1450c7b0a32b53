/** What a regular expression requires of a text: nothing that it does not. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { requiredText } from "../../dataflow/columns/required-text.ts";

test.each([
  ["(?:&|^)channel_id=([^&]*)", "", "channel_id="],
  ["^https:\\/\\/([^/]+)/item", "", "https://"],
  ["abcd?", "", "abc"],
  ["abcd*efgh", "", "efgh"],
  ["abcde+f", "", "abcde"],
  ["ab{0,3}cdef", "", "cdef"],
  ["ab{2}cdefg", "u", "cdefg"],
  ["a\\.b\\.c\\d+", "", "a.b.c"],
  ["[\\]a]bcd", "", "bcd"],
  ["(a[)]b\\)c)xyz", "", "xyz"],
  ["(?!abcdef)xyz", "", "xyz"],
  ["abc|abd", "", ""],
  ["abc", "i", ""],
  ["\\x41bcd", "", ""],
  ["ab.cd", "", ""],
  ["", "", ""],
])("%s (%s) requires %j", (source, flags, expected) => {
  expect(requiredText(source, flags)).toBe(expected);
});

const atom = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "ab", "aba", "bab") },
  fc.constantFrom("a", "b", "ab", "aba", "bab", ".", "\\.", "\\d", "\\b", "[ab]", "[^a\\]]", "^", "$", "é"),
  fc.constantFrom("(a|b)", "(?:ab)", "(?=ab)", "(?!b)", "(a(b|[)])*)", "(?<n>ba)"),
);
const quantifier = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??");
const pattern = fc
  .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.map((part) => part.join("")).join(""));

test("every text that matches has it", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "ab", "aba", "bab", ".", "1", "é"), { maxLength: 12 })
    .map((parts) => parts.join(""));
  let required = 0;
  let matches = 0;
  fc.assert(
    fc.property(
      pattern,
      fc.constantFrom("", "u", "s", "m"),
      fc.array(text, { maxLength: 20 }),
      (source, flags, texts) => {
        let expression: RegExp;
        try {
          expression = new RegExp(source, flags);
        } catch {
          return;
        }
        const needed = requiredText(source, flags);
        if (needed !== "") required++;
        for (const one of texts) {
          if (!expression.test(one)) continue;
          if (needed !== "") matches++;
          expect(one).toContain(needed);
        }
      },
    ),
    { numRuns: 5_000 },
  );
  expect(required).toBeGreaterThan(300);
  expect(matches).toBeGreaterThan(100);
});
