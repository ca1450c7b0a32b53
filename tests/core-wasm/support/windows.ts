/** Random window plans and batches for them. */
import { encodeColumns } from "../../../core-wasm/reference/columns.ts";
import type { Cell } from "../../../core-wasm/reference/columns.ts";
import type { ColumnTest, ColumnType, Comparison, EventColumn, WindowPlan } from "../../../core-wasm/types.ts";
import type { Random } from "./random.ts";

export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

export const COLUMNS: readonly EventColumn[] = [
  { name: "time", type: "i64" },
  { name: "number", type: "i64" },
  { name: "text", type: "text" },
  { name: "float", type: "f64" },
];
const OPS: readonly Comparison[] = ["eq", "ne", "lt", "le", "gt", "ge"];
const LONGS = [
  0n,
  1n,
  -1n,
  5n,
  INT64_MAX,
  INT64_MIN,
  INT64_MAX - 3n,
  INT64_MIN + 3n,
  2n ** 53n + 1n,
  8_640_000_000_000_001n,
];
const FLOATS = [0, -0, 0.5, -0.5, 1e300, -1e300, 5e-324, 2 ** 53, 1.7976931348623157e308];
const TEXTS = [
  "",
  "a",
  "b",
  "aa",
  "a\0",
  "é",
  "日本",
  "\u{1f600}",
  "\uffff",
  "a longer text than sixteen",
  "a longer text than sixteeN",
];
/** Values that lie between what a column can hold, or beyond it. */
const ODD_BOUNDS = [
  0.5,
  -0.5,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  2n ** 53n + 1n,
  2n ** 70n,
  -(2n ** 70n),
  INT64_MAX,
  10n ** 400n,
];

function randomTest(random: Random): ColumnTest {
  const column = random.int(COLUMNS.length);
  if (COLUMNS[column]?.type === "text") {
    return { column, op: random.pick(["eq", "ne"] as const), value: random.pick([...TEXTS, "\ud800", "absent"]) };
  }
  return { column, op: random.pick(OPS), value: random.pick([...LONGS, ...FLOATS, ...ODD_BOUNDS]) };
}

export function randomPlan(random: Random): WindowPlan {
  return {
    columns: COLUMNS,
    filter: random.int(2) === 0 ? [] : Array.from({ length: 1 + random.int(2) }, () => randomTest(random)),
    key: 1 + random.int(2),
    time: 0,
    size: random.pick([1, 7, 10, 1000, 2 ** 40, Number.MAX_SAFE_INTEGER]),
    measures: Array.from({ length: random.int(4) }, () => random.pick([0, 1, 3])),
    maxGroups: random.int(3) === 0 ? 1 + random.int(12) : 1_000_000,
  };
}

function randomCell(type: ColumnType, random: Random, around: bigint): Cell {
  if (type === "text") return random.int(3) === 0 ? `key-${random.int(40)}` : random.pick(TEXTS);
  if (type === "f64") return random.int(3) === 0 ? random.pick(FLOATS) : random.int(2000) / 8 - 100;
  return random.int(6) === 0 ? random.pick(LONGS) : around + BigInt(random.int(60));
}

/** A batch whose times lie mostly around `time`. */
export function randomBatch(random: Random, time: bigint): Uint8Array {
  const rows = random.pick([0, 1, 3, 8, 9, 63, 64, 65, 130]);
  const cells = COLUMNS.map(({ type }, c) =>
    Array.from({ length: rows }, () => randomCell(type, random, c === 0 ? time : 0n)),
  );
  return encodeColumns(COLUMNS, cells, rows);
}
