/** Random event streams: declared columns, and sound NDJSON lines for them in every spelling that JSON allows. */
import { pathOf } from "../../../core-wasm/event-tree.ts";
import type { ColumnType, EventColumn, EventFormat } from "../../../core-wasm/types.ts";
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
const TYPES: readonly ColumnType[] = ["i64", "f64", "text", "bool"];
const OBJECTS = ["o", "täg", "an_object_with_a_long_name"];

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

/** One to `most` columns with distinct names, some of them optional, some in objects of the event. */
export function randomColumns(random: Random, most: number): EventColumn[] {
  const names = [...NAMES];
  return Array.from({ length: 1 + random.int(most) }, (): EventColumn => {
    const name = names.splice(random.int(names.length), 1)[0] as string;
    const optional = random.int(3) === 0 ? { optional: true } : {};
    // No name of a column is that of an object at the same place, as the first step of a longer path ends in one of OBJECTS.
    const outer = Array.from({ length: random.int(4) === 0 ? 1 + random.int(2) : 0 }, () => `${random.pick(OBJECTS)}{`);
    const path = outer.length > 0 ? { path: [...outer, name] } : {};
    return { name, type: random.pick(TYPES), ...optional, ...path };
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
  if (type === "bool") return random.pick(["true", "false"]);
  return random.int(2) === 0 ? `"channel-${random.int(50)}"` : random.pick(TEXTS);
}

/** A column with what is left of the way to its value. */
interface Member {
  readonly column: EventColumn;
  readonly path: readonly string[];
}

/** One event that these columns take; members in random order, undeclared and duplicate ones among them. */
export function randomEvent(columns: readonly EventColumn[], random: Random): string {
  const members = columns.map((column) => ({ column, path: pathOf(column) }));
  return `${space(random)}${randomObject(members, [], random)}${space(random)}`;
}

function randomObject(declared: readonly Member[], also: readonly string[], random: Random): string {
  const groups = Map.groupBy(declared, ({ path }) => path[0] as string);
  const members = [...also];
  let absent = 0;
  const some = [...groups].flatMap(([name, group]): string[] => {
    const [{ column, path }] = group as [Member, ...Member[]];
    const member = (value: string) => `${spell(name, random)}${space(random)}:${space(random)}${value}`;
    const optional = group.every((each) => each.column.optional === true);
    if (optional && random.int(4) === 0) {
      absent++;
      return random.int(2) === 0 ? [] : [member("null")];
    }
    if (path.length === 1) return [member(randomValue(column.type, random))];
    const inner = group.map((each) => ({ column: each.column, path: each.path.slice(1) }));
    // Of two objects with one name nothing of the first counts, whatever the second lacks.
    const twice = random.int(4) === 0 ? [member(randomObject(inner, [], random))] : [];
    return [...twice, member(randomObject(inner, [], random))];
  });
  members.push(...some);
  if (random.int(3) === 0) members.sort(() => random.int(3) - 1);
  if (declared.length > 0 && random.int(3) === 0 && absent === 0) {
    const name = random.pick([...groups.keys()]);
    members.unshift(`${spell(name, random)}:${random.pick(OTHERS)}`);
  }
  for (let extras = random.int(4); extras > 0; extras--) {
    members.splice(random.int(members.length + 1), 0, `"extra${random.int(3)}":${space(random)}${random.pick(OTHERS)}`);
  }
  // An extra member is never a declared one, and what a duplicate replaces does not count.
  return `{${space(random)}${members.join(`${space(random)},${space(random)}`)}${space(random)}}`;
}

/** An event in a CloudEvents envelope. */
export function randomEnvelope(columns: readonly EventColumn[], random: Random): string {
  const attributes = ['"specversion":"1.0"', `"id":"${random.int(1000)}\\u0041"`, '"source":"/till"', '"type":"sale"'];
  if (random.int(2) === 0) {
    attributes.push(
      `"datacontenttype":"${random.pick(["application/json", "text/JSON; charset=utf-8", "a/b+json ;c=d"])}"`,
    );
  }
  if (random.int(4) === 0)
    attributes.push('"data_base64":null', '"subject":[1,{"data":2}]', '"time":"2026-01-01T00:00:00Z"');
  const all = columns.map((column) => ({ column, path: ["data", ...pathOf(column)] }));
  return `${space(random)}${randomObject(all, attributes, random)}${space(random)}`;
}

export const FORMATS: readonly EventFormat[] = ["ndjson", "json", "object", "cloudevent", "cloudevents"];

/** A body of `events` events, or of one where the format has one only. */
export function randomBodyIn(
  format: EventFormat,
  columns: readonly EventColumn[],
  events: number,
  random: Random,
): string {
  if (format === "ndjson") return randomBody(columns, events, random);
  const event = format === "json" || format === "object" ? randomEvent : randomEnvelope;
  if (format === "cloudevent" || format === "object" || (format === "json" && random.int(4) === 0))
    return event(columns, random);
  const blank = () => (random.int(4) === 0 ? "\n" : space(random));
  const all = Array.from({ length: events }, () => `${blank()}${event(columns, random)}${blank()}`);
  return `${blank()}[${blank()}${all.join(",")}]${blank()}`;
}

/** NDJSON of `lines` events, with blank lines, CRLF and a missing last LF now and then. */
export function randomBody(columns: readonly EventColumn[], lines: number, random: Random): string {
  const all = Array.from({ length: lines }, () =>
    random.int(12) === 0 ? space(random) : randomEvent(columns, random),
  );
  const body = all.join(random.int(3) === 0 ? "\r\n" : "\n");
  return random.int(2) === 0 ? body : `${body}\n`;
}
