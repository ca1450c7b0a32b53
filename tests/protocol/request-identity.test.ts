/** Whether a request that comes again is the one that is known. */
import { expect, test } from "vitest";
import { isAnother } from "../../protocol/partition/request-identity.ts";

const of = (fingerprintLow: number, fingerprintHigh: number) => ({ fingerprintLow, fingerprintHigh });

test.each([
  ["the same content", of(1, 2), of(1, 2), false],
  ["other content", of(1, 2), of(1, 3), true],
  ["other content that is alike in one half", of(1, 2), of(3, 2), true],
  ["what is known by its id alone", of(0, 0), of(0, 0), false],
  ["what earlier code knew by its content, too", of(1, 2), of(0, 0), false],
  ["what later code knows by its id alone", of(0, 0), of(1, 2), false],
])("%s", (_, known, sent, is) => expect(isAnother(known, sent)).toBe(is));
