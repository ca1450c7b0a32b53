/** Columns of optional and boolean fields: what is done to columns is done to cells, null among them, and the kernels' frames are read as their twin reads them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { decodeColumns, nameHash } from "../../core-wasm/reference/columns.ts";
import {
  type Cell,
  cellAt,
  type CellKind,
  columnOf,
  concatColumns,
  gather,
  lengthOf,
} from "../../dataflow/columns/column.ts";
import { openFrame, readFrame } from "../../dataflow/columns/frame.ts";
import { Rows } from "../../dataflow/columns/rows.ts";
import { packRows, unpackRows } from "../../dataflow/columns/wire.ts";
import { keyCells, keyText, partText } from "../../dataflow/keys.ts";
import { boolean, float64, int64, nested, optional, stream, text, timestamp } from "../../sdk/index.ts";

const kernels = createKernels(loadCore());
const tools = { nameHash, kernels };

const whole = fc.oneof(
  fc.integer(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
);
const CELLS: Readonly<Record<CellKind, fc.Arbitrary<Cell>>> = {
  int64: whole,
  timestamp: whole,
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  text: fc.oneof(fc.constantFrom("", "a", "é", "😀"), fc.string({ unit: "grapheme" })),
  boolean: fc.boolean(),
};
const kinds = fc.constantFrom<CellKind>("int64", "float64", "text", "timestamp", "boolean");
const cellsOf = (kind: CellKind) => fc.array(fc.option(CELLS[kind], { freq: 3 }), { maxLength: 120 });
const someCells = kinds.chain((kind) =>
  fc.record({ kind: fc.constant(kind), left: cellsOf(kind), right: cellsOf(kind) }),
);

const shown = (column: ReturnType<typeof columnOf>): Cell[] =>
  Array.from({ length: lengthOf(column) }, (_, row) => cellAt(column, row));

test("-2^53 as a number, which state of earlier versions has, is a whole number", () => {
  for (const kind of ["int64", "timestamp"] as const) {
    expect(shown(columnOf({ kind }, [1, -(2 ** 53)]))).toEqual([1, -(2n ** 53n)]);
    expect(shown(columnOf({ kind }, [2n ** 60n, -(2 ** 53)]))).toEqual([2n ** 60n, -(2n ** 53n)]);
  }
  expect(shown(columnOf({ kind: "float64" }, [-(2 ** 53)]))).toEqual([-(2 ** 53)]);
  expect(() => columnOf({ kind: "int64" }, [2 ** 53])).toThrow(TypeError);
});

test("a column is its cells: gathered, joined, and sent", () => {
  fc.assert(
    fc.property(someCells, fc.infiniteStream(fc.nat()), ({ kind, left, right }, numbers) => {
      const [a, b] = [left, right].map((cells) => columnOf({ kind, optional: true }, cells)) as [
        ReturnType<typeof columnOf>,
        ReturnType<typeof columnOf>,
      ];
      expect(shown(a)).toEqual(left);
      expect(shown(concatColumns([a, b]))).toEqual([...left, ...right]);
      const index = Uint32Array.from([...numbers.take(left.length)], (n) => n % left.length);
      expect(shown(gather(a, index))).toEqual(Array.from(index, (row) => left[row]));
      const rows = new Rows(new Map([["a", a]]), new Float64Array(left.length));
      const sent = unpackRows(JSON.parse(JSON.stringify(packRows(rows))) as ReturnType<typeof packRows>);
      expect(shown(sent.column("a"))).toEqual(left);
    }),
  );
});

test("undefined is null in an optional column, and neither is in another", () => {
  expect(shown(columnOf({ kind: "int64", optional: true }, [1, undefined, null]))).toEqual([1, null, null]);
  expect(() => columnOf({ kind: "int64" }, [1, null])).toThrow(TypeError);
  expect(() => columnOf({ kind: "boolean" }, [1])).toThrow("a field of kind boolean cannot be number 1");
});

const Events = stream("events", {
  id: nested("event.id", text()),
  seen: boolean(),
  count: optional(nested("event.count", int64())),
  rate: optional(float64()),
  name: optional(nested(["event", "full.name"], text())),
  good: optional(boolean()),
  at: timestamp(),
});
const absent = Symbol("absent");
const maybe = <T>(some: fc.Arbitrary<T>) => fc.oneof(some, fc.constant(null), fc.constant(absent));
const event = fc.record({
  id: fc.string({ unit: "grapheme" }),
  seen: fc.boolean(),
  count: maybe(fc.integer()),
  rate: maybe(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
  name: maybe(fc.constantFrom("", "Ada", "Łukasz")),
  good: maybe(fc.boolean()),
  at: fc.integer(),
});
const without = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== absent));

test("frames are read as they were written: by path, with null for what is null or not there", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const lines = events.map(({ id, count, name, ...rest }) =>
        JSON.stringify({ ...without(rest), event: without({ id, count, "full.name": name, other: [{ id: 1 }] }) }),
      );
      const parsed = kernels.parseEvents(new TextEncoder().encode(lines.join("\n")), Events.columns);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
      const { rows, columns } = readFrame(parsed.frame, Events.columns, tools);
      expect(rows).toBe(events.length);
      for (const [at, { name }] of Events.columns.entries()) {
        const cells = shown(columns.get(name)!());
        const given = events.map((each) => each[name as keyof typeof each]);
        expect(cells).toEqual(given.map((cell) => (cell === absent ? null : cell)));
        const twin = decodeColumns(parsed.frame).columns[at]?.cells ?? [];
        expect(cells).toEqual(twin.map((cell) => (typeof cell === "bigint" ? Number(cell) : cell)));
      }
    }),
  );
});

test("parts of a frame are its rows", () => {
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 1, maxLength: 60 }),
      fc.nat(),
      fc.nat(),
      fc.nat(7),
      (events, a, b, shift) => {
        const lines = events.map(({ id, count, name, ...rest }) =>
          JSON.stringify({ ...without(rest), event: without({ id, count, "full.name": name }) }),
        );
        const parsed = kernels.parseEvents(new TextEncoder().encode(lines.join("\n")), Events.columns);
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
        // As it lies behind the head of a message: anywhere.
        const bytes = new Uint8Array(parsed.frame.length + shift).subarray(shift);
        bytes.set(parsed.frame);
        const frame = openFrame(bytes, Events.columns, tools);
        const [from, to] = [a % (events.length + 1), b % (events.length + 1)].toSorted((x, y) => x - y) as [
          number,
          number,
        ];
        const whole = frame.part(0, events.length);
        for (const [name, column] of frame.part(from, to))
          expect(shown(column())).toEqual(shown(whole.get(name)!()).slice(from, to));
      },
    ),
  );
});

test("a frame of another stream is none of this one, though only a field's option differs", () => {
  const parsed = kernels.parseEvents(new TextEncoder().encode('{"n":1}'), [{ name: "n", type: "i64" }]);
  if (!parsed.ok) throw new Error("the test's event is wrong");
  const other = [{ name: "n", type: "i64", optional: true }] as const;
  expect(() => readFrame(parsed.frame, other, tools)).toThrow("other columns");
});

test("booleans are keys, before numbers and texts; null is none", () => {
  const cells = [false, true, -1, 2, "", "b1"];
  const texts = cells.map(partText);
  expect(texts.toSorted()).toEqual(texts);
  expect(keyCells(keyText(cells))).toEqual(cells);
  expect(() => partText(null)).toThrow("no value");
});
