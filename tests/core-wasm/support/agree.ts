/**
 * What JSON.parse says of a body of events: the judge of the fuzzing, which shares no code with the kernels or their twins but the
 * reading of a number's text. Known differences, all of them to the stricter side and in docs/formats.md:
 *
 * - bytes that are not UTF-8 are refused, where a decoder would put U+FFFD;
 * - nesting above MAX_NESTING is refused;
 * - in a declared text field a lone surrogate is refused, since UTF-8 has none;
 * - a declared int64 field is judged by the decimal value as it is written, not by the double nearest to it, and a declared float64 field
 *   beyond the doubles is refused instead of becoming infinite.
 */
import { pathOf } from "../../../core-wasm/event-tree.ts";
import { MAX_NESTING } from "../../../core-wasm/limits.ts";
import type { Cell } from "../../../core-wasm/reference/columns.ts";
import { exactInteger } from "../../../core-wasm/reference/events.ts";
import type { EventColumn, EventFormat } from "../../../core-wasm/types.ts";

/** A number as it is written, beside its double. */
class Written {
  readonly text: string;
  readonly value: number;
  constructor(text: string, value: number) {
    this.text = text;
    this.value = value;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const REFUSED = Symbol("refused");

/** Cells by column, or null when the body is to be refused. */
export function judged(body: Uint8Array, columns: readonly EventColumn[], format: EventFormat): Cell[][] | null {
  let events: unknown[];
  try {
    events = eventsIn(strict.decode(body), format);
  } catch {
    return null;
  }
  const cells: Cell[][] = columns.map(() => []);
  for (const event of events) {
    if (!isObject(event)) return null;
    const enveloped = format === "cloudevent" || format === "cloudevents";
    if (enveloped && !isCloudEvent(event)) return null;
    for (const [c, column] of columns.entries()) {
      const cell = cellOf(event, enveloped ? ["data", ...pathOf(column)] : pathOf(column), column);
      if (cell === REFUSED) return null;
      cells[c]?.push(cell as Cell);
    }
  }
  return cells;
}

function eventsIn(text: string, format: EventFormat): unknown[] {
  if (format === "ndjson") {
    const lines = text.split("\n").filter((line) => !/^[ \t\r]*$/.test(line));
    return lines.map((line) => parse(line, 0));
  }
  const value = parse(text, 0);
  if (!Array.isArray(value)) {
    if (format === "cloudevents") throw new SyntaxError("no array");
    return [value];
  }
  if (format !== "json" && format !== "cloudevents") throw new SyntaxError("an array");
  return value;
}

/** JSON.parse, with numbers as they are written. @throws SyntaxError also for what is nested too deeply */
function parse(text: string, outside: number): unknown {
  const value: unknown = JSON.parse(text, (_name, member: unknown, context?: { source?: string }) =>
    typeof member === "number" ? new Written(context?.source ?? "", member) : member,
  );
  if (deeper(text, MAX_NESTING - outside)) throw new SyntaxError("too deep");
  return value;
}

/** Whether sound JSON text has more than so many containers open at once. */
function deeper(text: string, most: number): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth--;
    if (depth > most) return true;
  }
  return false;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Written);
}

const member = (object: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

function isCloudEvent(event: Record<string, unknown>): boolean {
  const filled = (name: string) => {
    const value = member(event, name);
    return typeof value === "string" && value !== "";
  };
  const type = member(event, "datacontenttype") ?? "application/json";
  return (
    member(event, "specversion") === "1.0" &&
    ["id", "source", "type"].every(filled) &&
    typeof type === "string" &&
    /[/+]json *$/i.test(type.split(";", 1)[0] ?? "") &&
    (member(event, "data_base64") ?? null) === null
  );
}

function cellOf(event: Record<string, unknown>, path: readonly string[], column: EventColumn): Cell | typeof REFUSED {
  const absent = column.optional === true ? null : REFUSED;
  let value: unknown = event;
  for (const name of path) {
    if (value === null) return absent;
    if (!isObject(value)) return REFUSED;
    value = member(value, name);
    if (value === undefined) return absent;
  }
  if (value === null) return absent;
  switch (column.type) {
    case "bool":
      return typeof value === "boolean" ? value : REFUSED;
    case "text":
      return typeof value === "string" && value.isWellFormed() ? value : REFUSED;
    case "f64":
      return value instanceof Written && Number.isFinite(value.value) ? value.value : REFUSED;
    case "i64": {
      const integer = value instanceof Written ? exactInteger(value.text) : "wrong-type";
      return typeof integer === "bigint" ? integer : REFUSED;
    }
  }
}
