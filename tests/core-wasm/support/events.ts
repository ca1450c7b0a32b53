/** Random event streams: declared columns, and sound NDJSON lines for them in every spelling that JSON allows. */
import type { ColumnType, EventColumn } from "../../../core-wasm/types.ts";
import type { Random } from "./random.ts";

const NAMES = [
  "a",
  "id",
  "price",
  "täg",
  "x".repeat(13),
  "y".repeat(14),
  "z".repeat(77),
  "w".repeat(300),
  'q"\\\n',
  "",
  "__proto__",
  "日本語の名前",
  "a_rather_long_member_name",
];
const TYPES: readonly ColumnType[] = ["i64", "f64", "text"];

export const INTEGERS = [
  "0",
  "-0",
  "7",
  "42",
  "-13",
  "1e3",
  "5.0",
  "120e-1",
  "0e99",
  "123456789012345",
  "1234567890123456",
  "-999999999999999",
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "922337203685477580.70e1",
  "0.000000000000000000001e21",
  "1000000000000000000000e-3",
];
export const FLOATS = [
  "0.1",
  "-0.0",
  "1e22",
  "1e23",
  "5e-324",
  "2.2250738585072014e-308",
  "1.7976931348623157e308",
  "9007199254740993",
  "123456789.123456789",
  "3.14",
  "1E+2",
  "0.30000000000000004",
  "18446744073709551616",
  "8.5e-5",
];
export const TEXTS = [
  '""',
  '"ann"',
  '"bob"',
  '"\\u00e9"',
  '"é"',
  '"\\ud83d\\ude00 😀"',
  '"a\\"b\\\\c\\/\\n\\t"',
  '"a much longer text, beyond sixteen bytes"',
  '"a much longer text, beyond sixteen byteS"',
  '"a much longer text that does not end before it has gone past forty-eight bytes"',
  '"\\u0000"',
  '"日本語"',
];
const OTHERS = [
  "null",
  "true",
  "false",
  "[]",
  "{}",
  '[1,{"a":[null,"x\\u12aB"]},-2.5e-3]',
  '{"a":1,"b":{"c":"d"}}',
  "123456789012345678901234567890",
  '"\\ud800"',
  "-0.5",
];

/** One to `most` columns with distinct names. */
export function randomColumns(random: Random, most: number): EventColumn[] {
  const names = [...NAMES];
  return Array.from({ length: 1 + random.int(most) }, () => {
    const name = names.splice(random.int(names.length), 1)[0] as string;
    return { name, type: random.pick(TYPES) };
  });
}

function space(random: Random): string {
  return random.int(5) === 0 ? random.pick([" ", "\t", "\r", "  \t "]) : "";
}

/** A name as JSON, sometimes with needless escapes. */
function spell(name: string, random: Random): string {
  if (random.int(8) !== 0) return JSON.stringify(name);
  const units = [...name].map((character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return character.length === 1 && random.int(2) === 0 ? `\\u${code}` : JSON.stringify(character).slice(1, -1);
  });
  return `"${units.join("")}"`;
}

export function randomValue(type: ColumnType, random: Random): string {
  if (type === "i64") return random.int(2) === 0 ? String(random.int(5000) - 1000) : random.pick(INTEGERS);
  if (type === "f64") return random.pick(random.int(2) === 0 ? INTEGERS : FLOATS);
  return random.int(2) === 0 ? `"channel-${random.int(50)}"` : random.pick(TEXTS);
}

/** One event that these columns take; members in random order, undeclared and duplicate ones among them. */
export function randomEvent(columns: readonly EventColumn[], random: Random): string {
  const members = columns.map(
    ({ name, type }) => `${spell(name, random)}${space(random)}:${space(random)}${randomValue(type, random)}`,
  );
  if (random.int(3) === 0) members.sort(() => random.int(3) - 1);
  if (random.int(3) === 0) {
    const { name } = random.pick(columns);
    members.unshift(`${spell(name, random)}:${random.pick(OTHERS)}`);
  }
  for (let extras = random.int(4); extras > 0; extras--) {
    members.splice(random.int(members.length + 1), 0, `"extra${random.int(3)}":${space(random)}${random.pick(OTHERS)}`);
  }
  // An extra member is never a declared one, and what a duplicate replaces does not count.
  return `${space(random)}{${space(random)}${members.join(`${space(random)},${space(random)}`)}${space(random)}}${space(random)}`;
}

/** NDJSON of `lines` events, with blank lines, CRLF and a missing last LF now and then. */
export function randomBody(columns: readonly EventColumn[], lines: number, random: Random): string {
  const all = Array.from({ length: lines }, () =>
    random.int(12) === 0 ? space(random) : randomEvent(columns, random),
  );
  const body = all.join(random.int(3) === 0 ? "\r\n" : "\n");
  return random.int(2) === 0 ? body : `${body}\n`;
}
