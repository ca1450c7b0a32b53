/** Fuzzing of the check of one JSON text, a function's input: sound as JSON.parse has it, and at fault where the twin says. */
import { MAX_NESTING } from "../../core-wasm/limits.ts";
import { checkJson } from "../../core-wasm/reference/json.ts";
import { mutate, type Random } from "../core-wasm/support/random.ts";
import { utf8 } from "../core-wasm/support/subjects.ts";
import { differ, type Target, withoutBytes } from "./target.ts";

const SCALARS = [
  "0",
  "-0.0e-0",
  "1E+2",
  "123456789012345678901234567890",
  '""',
  '"\\u0000\\ud800\\"\\\\\\/\\b\\f\\n\\r\\t"',
  '"\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"',
  '"0123456789abcdef0123456789abcdef"',
  "true",
  "null",
];
const ALPHABET = utf8('{}[]",:\\u0123eE+-. \n\ttruefalsn/é漢😀');
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function value(random: Random, depth: number): string {
  const space = random.pick(["", "", " ", "\r\n\t"]);
  if (depth === 0 || random.int(2) === 0) return space + random.pick(SCALARS) + space;
  const members = Array.from({ length: random.int(4) }, () => value(random, depth - 1));
  if (random.int(2) === 0) return `${space}[${members.join(",")}]`;
  return `{${members.map((member, at) => `"${"k".repeat(at * 8)}é"${space}:${member}`).join(",")}}${space}`;
}

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(strict.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

export const inputs: Target<Uint8Array> = {
  make(random) {
    if (random.int(20) === 0) return random.bytes(random.int(100));
    if (random.int(100) > 0) return mutate(utf8(value(random, 4)), 3, random, ALPHABET);
    const [depth, closed] = [MAX_NESTING - 3 + random.int(6), random.int(2)];
    return utf8(random.pick(["[", '{"a":']).repeat(depth) + "]".repeat(depth * closed));
  },
  check({ kernels }, bytes) {
    const fault = kernels.checkJson(bytes);
    // Deeper than JSON.parse minds.
    const judge = fault?.code === "too-deep" ? null : differ(fault === null, parses(bytes));
    return differ(fault, checkJson(bytes)) ?? judge;
  },
  smaller: withoutBytes,
  show: (bytes) => `${JSON.stringify(Buffer.from(bytes).toString("latin1"))} (as Latin-1)`,
};
