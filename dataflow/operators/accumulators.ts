/** Aggregates as they run: the state of each output of a group, and how rows change it. States are values that entries can hold. */

import type { EventRow, Fields, FlowOutput } from "../../sdk/index.ts";
import {
  type BigColumn,
  type Cell,
  cellAt,
  type Column,
  type NumberColumn,
  plain,
  saturated,
} from "../columns/column.ts";
import { type Rows, typedJson } from "../columns/rows.ts";

/** What is aggregated: states by the number of their output. */
export interface Slots {
  readonly slots: unknown[];
}

export interface Accumulator {
  readonly init: () => unknown;
  /** Adds rows `index[i]` to `groups[of[i]]`, whose state has number `slot`. */
  fold(groups: readonly Slots[], of: Uint32Array, rows: Rows, index: Uint32Array, slot: number): void;
  merge(left: unknown, right: unknown): unknown;
  /** A list is JSON text. */
  result(state: unknown): Cell;
}

/**
 * @param fields those of the events that come in
 * @param changes whether these are taken back, too
 */
export function accumulatorOf(output: FlowOutput, fields: Fields, changes: boolean): Accumulator {
  const names = Object.keys(fields);
  const isWhole = (field: string): boolean => fields[field]?.kind !== "float64";
  /** What comes of a group none of whose events has a value. */
  const none = (field: string): Cell => (fields[field]?.optional === true ? null : 0);
  switch (output.kind) {
    case "count":
      return COUNT;
    case "sum":
      return isWhole(output.field) ? wholeSumOf(output.field, changes ? exactly : plus) : doubleSumOf(output.field);
    case "avg":
      return averageOf(
        output.field,
        !isWhole(output.field) ? plusDouble : changes ? exactly : plus,
        none(output.field),
      );
    case "min":
    case "max":
      return extremeOf(output.field, output.kind === "min", none(output.field));
    case "first":
    case "last":
      return edgeOf(output.field, output.kind === "last", none(output.field));
    case "distinct":
      return distinctOf(output.field);
    case "top":
      return topOf(output, output.of ?? names);
    case "collect":
      return collectOf(output.of ?? names, output.limit);
    case "reduce":
      return reduceOf(output, names);
  }
}

const COUNT: Accumulator = {
  init: () => 0,
  fold(groups, of, { sign }, index, slot) {
    for (let at = 0; at < of.length; at++) {
      const { slots } = groups[of[at] as number] as Slots;
      slots[slot] = (slots[slot] as number) + (sign === null ? 1 : (sign[index[at] as number] as number));
    }
  },
  merge: (left, right) => (left as number) + (right as number),
  result: (state) => state as number,
};

/** Adds to a sum. */
type Add = (left: bigint | number, right: bigint | number) => bigint | number;

/** A sum of whole numbers: exact, and stops at the int64 bounds. */
function plus(left: bigint | number, right: bigint | number): bigint | number {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return plain(saturated(BigInt(left) + BigInt(right)));
}

/** Where events are taken back the sum goes over the bounds: had it stopped there, less would be left than they had brought. Its result stops. */
function exactly(left: bigint | number, right: bigint | number): bigint | number {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return plain(BigInt(left) + BigInt(right));
}

function plusDouble(left: bigint | number, right: bigint | number): number {
  return finite((left as number) + (right as number));
}

function doubleSumOf(field: string): Accumulator {
  return {
    init: () => 0,
    fold(groups, of, rows, index, slot) {
      const { values } = rows.column(field) as NumberColumn;
      const { sign } = rows;
      for (let at = 0; at < of.length; at++) {
        const { slots } = groups[of[at] as number] as Slots;
        const row = index[at] as number;
        const minus = sign !== null && (sign[row] as number) < 0;
        slots[slot] = finite((slots[slot] as number) + (minus ? -(values[row] as number) : (values[row] as number)));
      }
    },
    merge: (left, right) => finite((left as number) + (right as number)),
    result: (state) => state as number,
  };
}

function wholeSumOf(field: string, add: Add): Accumulator {
  return {
    init: () => 0,
    fold(groups, of, rows, index, slot) {
      const column = rows.column(field) as NumberColumn | BigColumn;
      const { sign } = rows;
      if (column.type === "number" && sign === null) return addNumbers(groups, of, column.values, index, slot, add);
      for (let at = 0; at < of.length; at++) {
        const { slots } = groups[of[at] as number] as Slots;
        const row = index[at] as number;
        const cell = cellAt(column, row) as bigint | number;
        const signed = sign !== null && (sign[row] as number) < 0 ? negative(cell) : cell;
        slots[slot] = add(slots[slot] as bigint | number, signed);
      }
    },
    merge: (left, right) => add(left as bigint | number, right as bigint | number),
    result: (state) => (typeof state === "bigint" ? saturated(state) : (state as number)),
  };
}

function addNumbers(
  groups: readonly Slots[],
  of: Uint32Array,
  values: Float64Array,
  index: Uint32Array,
  slot: number,
  add: Add,
): void {
  for (let at = 0; at < of.length; at++) {
    const { slots } = groups[of[at] as number] as Slots;
    const before = slots[slot] as bigint | number;
    const value = values[index[at] as number] as number;
    if (typeof before === "number") {
      const sum = before + value;
      if (sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER) {
        slots[slot] = sum;
        continue;
      }
    }
    slots[slot] = add(before, value);
  }
}

function negative(cell: bigint | number): bigint | number {
  return typeof cell === "bigint" ? plain(-cell) : -cell;
}

/** Doubles stop where they would be infinite: no entry and no JSON could hold that. */
function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  return value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE;
}

type Mean = [sum: bigint | number, count: number];

function averageOf(field: string, add: Add, none: Cell): Accumulator {
  return {
    init: () => [0, 0] satisfies Mean,
    fold(groups, of, rows, index, slot) {
      const column = rows.column(field) as NumberColumn | BigColumn;
      const { sign } = rows;
      for (let at = 0; at < of.length; at++) {
        const mean = (groups[of[at] as number] as Slots).slots[slot] as Mean;
        const row = index[at] as number;
        const cell = cellAt(column, row) as bigint | number;
        const minus = sign !== null && (sign[row] as number) < 0;
        mean[0] = add(mean[0], minus ? negative(cell) : cell);
        mean[1] += minus ? -1 : 1;
      }
    },
    merge(left, right) {
      const [a, b] = [left as Mean, right as Mean];
      return [add(a[0], b[0]), a[1] + b[1]] satisfies Mean;
    },
    result(state) {
      const [sum, count] = state as Mean;
      return count === 0 ? none : Number(sum) / count;
    },
  };
}

function extremeOf(field: string, least: boolean, none: Cell): Accumulator {
  const better = (value: bigint | number, than: unknown): boolean =>
    than === null || (least ? value < (than as number) : value > (than as number));
  return {
    init: () => null,
    fold(groups, of, rows, index, slot) {
      const column = rows.column(field);
      for (let at = 0; at < of.length; at++) {
        const { slots } = groups[of[at] as number] as Slots;
        const value = cellAt(column, index[at] as number) as bigint | number;
        if (better(value, slots[slot])) slots[slot] = value;
      }
    },
    merge: (left, right) => (right !== null && better(right as bigint | number, left) ? right : left),
    result: (state) => (state ?? none) as Cell,
  };
}

type Edge = [time: number, cell: Cell] | null;

function edgeOf(field: string, latest: boolean, none: Cell): Accumulator {
  const replaces = (time: number, edge: Edge): boolean => edge === null || (latest ? time >= edge[0] : time < edge[0]);
  return {
    init: () => null,
    fold(groups, of, rows, index, slot) {
      const column = rows.column(field);
      for (let at = 0; at < of.length; at++) {
        const { slots } = groups[of[at] as number] as Slots;
        const row = index[at] as number;
        const time = rows.time[row] as number;
        if (replaces(time, slots[slot] as Edge)) slots[slot] = [time, cellAt(column, row)];
      }
    },
    merge: (left, right) => (right !== null && replaces((right as [number, Cell])[0], left as Edge) ? right : left),
    result: (state) => (state as Edge)?.[1] ?? none,
  };
}

function distinctOf(field: string): Accumulator {
  return {
    init: () => new Set<Cell>(),
    fold(groups, of, rows, index, slot) {
      const column = rows.column(field);
      for (let at = 0; at < of.length; at++) {
        ((groups[of[at] as number] as Slots).slots[slot] as Set<Cell>).add(cellAt(column, index[at] as number));
      }
    },
    merge: (left, right) => new Set([...(left as Set<Cell>), ...(right as Set<Cell>)]),
    result: (state) => (state as Set<Cell>).size,
  };
}

/** Cells of an event that is kept, in the order of its fields; older versions stored JSON. */
type KeptCells = readonly Cell[] | string;

function cellsOf(columns: readonly Column[], row: number): Cell[] {
  return columns.map((column) => cellAt(column, row));
}

/** Makes JSON of kept events. */
function keptJson(names: readonly string[]): (kept: KeptCells) => string {
  const members = names.map((name) => `${JSON.stringify(name)}:`);
  return (kept) => {
    if (typeof kept === "string") return kept;
    return `{${members.map((member, at) => member + typedJson(kept[at] as Cell)).join(",")}}`;
  };
}

/** A kept event: what it is ranked by, its time, and its fields. */
type Kept = [by: bigint | number, time: number, cells: KeptCells];

function topOf(
  { k, by, order, ties }: Extract<FlowOutput, { readonly kind: "top" }>,
  names: readonly string[],
): Accumulator {
  const json = keptJson(names);
  const descending = order === "descending";
  const compare = (a: Kept, b: Kept): number => {
    if (a[0] !== b[0]) return a[0] < b[0] === descending ? 1 : -1;
    return ties ? 0 : a[1] - b[1];
  };
  const cut = (kept: Kept[]): Kept[] => {
    if (kept.length <= k) return kept;
    let end = k;
    if (ties) while (end < kept.length && (kept[end] as Kept)[0] === (kept[k - 1] as Kept)[0]) end++;
    return kept.slice(0, end);
  };
  return {
    init: () => [],
    fold(groups, of, rows, index, slot) {
      const column = rows.column(by);
      const columns = names.map((name) => rows.column(name));
      for (let at = 0; at < of.length; at++) {
        const { slots } = groups[of[at] as number] as Slots;
        const kept = slots[slot] as Kept[];
        const row = index[at] as number;
        const value = cellAt(column, row) as bigint | number;
        const entry: Kept = [value, rows.time[row] as number, ""];
        const last = kept.at(-1);
        if (last !== undefined && kept.length >= k && compare(entry, last) >= (ties ? 1 : 0)) continue;
        entry[2] = cellsOf(columns, row);
        let place = kept.length;
        while (place > 0 && compare(entry, kept[place - 1] as Kept) < 0) place--;
        kept.splice(place, 0, entry);
        if (kept.length > k) slots[slot] = cut(kept);
      }
    },
    merge: (left, right) => cut([...(left as Kept[]), ...(right as Kept[])].sort(compare)),
    result: (state) => `[${(state as Kept[]).map(([, , cells]) => json(cells)).join(",")}]`,
  };
}

/** An event's fields as a JSON object, for those who read it. */
export function rowJson(fields: ReadonlyArray<readonly [name: string, column: Column]>, row: number): string {
  let text = "";
  for (const [name, column] of fields)
    text += `${text === "" ? "{" : ","}${JSON.stringify(name)}:${typedJson(cellAt(column, row))}`;
  return `${text}}`;
}

type Collected = [time: number, cells: KeptCells];

function collectOf(names: readonly string[], limit: number): Accumulator {
  const json = keptJson(names);
  const place = (list: Collected[], entry: Collected): void => {
    let at = list.length;
    while (at > 0 && (list[at - 1] as Collected)[0] > entry[0]) at--;
    list.splice(at, 0, entry);
    if (list.length > limit) list.pop();
  };
  return {
    init: () => [],
    fold(groups, of, rows, index, slot) {
      const columns = names.map((name) => rows.column(name));
      for (let at = 0; at < of.length; at++) {
        const row = index[at] as number;
        const list = (groups[of[at] as number] as Slots).slots[slot] as Collected[];
        place(list, [rows.time[row] as number, cellsOf(columns, row)]);
      }
    },
    merge(left, right) {
      const list = [...(left as Collected[])];
      for (const entry of right as Collected[]) place(list, entry);
      return list;
    },
    result: (state) => `[${(state as Collected[]).map(([, cells]) => json(cells)).join(",")}]`,
  };
}

function reduceOf(output: Extract<FlowOutput, { readonly kind: "reduce" }>, names: readonly string[]): Accumulator {
  const add = output.add as (state: unknown, event: EventRow) => unknown;
  const merge = output.merge as ((left: unknown, right: unknown) => unknown) | undefined;
  return {
    init: output.init,
    fold(groups, of, rows, index, slot) {
      for (let at = 0; at < of.length; at++) {
        const { slots } = groups[of[at] as number] as Slots;
        slots[slot] = add(slots[slot], rows.object(index[at] as number, names));
      }
    },
    merge(left, right) {
      if (merge === undefined) throw new TypeError("this reduce() has no merge");
      return merge(left, right);
    },
    result: (state) => (output.result as (state: unknown) => Cell)(state),
  };
}
