/** Lists of numbers as text, and ids of keys of two fields: short forms say the same as long ones. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { columnOf } from "../../dataflow/columns/column.ts";
import { packNumbers, unpackNumbers, unpackWords } from "../../dataflow/columns/packed.ts";
import { Rows } from "../../dataflow/columns/rows.ts";
import { groupIds, keyText } from "../../dataflow/keys.ts";

const FINITE = { noNaN: true, noDefaultInfinity: true };
const LONG = { minLength: 48, maxLength: 200 };
const near = fc
  .record({
    least: fc.oneof(fc.integer({ min: -1_000, max: 1_000 }), fc.maxSafeInteger(), fc.constant(-(2 ** 53) + 1)),
    range: fc.constantFrom(0, 1, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40),
  })
  .chain(({ least, range }) =>
    fc.array(fc.integer({ min: 0, max: range }), LONG).map((all) => all.map((n) => least + n)),
  );
const others = fc.array(
  fc.oneof(fc.double(FINITE), fc.constantFrom(0, -0, 1.5, 2 ** 53, 2 ** 53 + 2, 1e300, -1e300), fc.integer()),
  LONG,
);

test("numbers are the same behind their text, the sign of zero too", () => {
  fc.assert(
    fc.property(fc.oneof(near, others, fc.array(fc.double(FINITE), { maxLength: 47 })), (numbers) => {
      const packed: unknown = JSON.parse(JSON.stringify(packNumbers(Float64Array.from(numbers))));
      const unpacked = unpackNumbers(packed as string);
      expect(unpacked.length).toBe(numbers.length);
      for (const [at, number] of numbers.entries()) expect(unpacked[at] === number).toBe(true);
      if (numbers.length >= 48) expect(Array.from(unpacked).map(isMinus)).toEqual(numbers.map(isMinus));
    }),
  );
});
const isMinus = (number: number): boolean => Object.is(number, -0);

test("codes are the same behind their text, and small ones are short", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 200 }), (codes) => {
      expect(Array.from(unpackWords(packNumbers(Uint32Array.from(codes))))).toEqual(codes);
    }),
  );
  const few = packNumbers(Uint32Array.from({ length: 1_000 }, (_, at) => at % 7));
  expect((few as string).length).toBeLessThan(1_400);
});

test("ids of two fields are the texts of their keys", () => {
  const cells = (kind: "int64" | "text") =>
    kind === "text"
      ? fc.constantFrom("", "a", "b", "\u0003", "\u0000x")
      : fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(2 ** 26, 2 ** 40, -(2 ** 53) + 1));
  const kinds = fc.tuple(fc.constantFrom("int64", "text"), fc.constantFrom("int64", "text")) as fc.Arbitrary<
    ["int64" | "text", "int64" | "text"]
  >;
  const both = kinds.chain(([left, right]) =>
    fc.array(fc.tuple(cells(left), cells(right)), { maxLength: 60 }).map((rows) => ({ left, right, rows })),
  );
  fc.assert(
    fc.property(both, ({ left, right, rows }) => {
      const columns = new Map([
        [
          "l",
          columnOf(
            { kind: left },
            rows.map(([cell]) => cell),
          ),
        ],
        [
          "r",
          columnOf(
            { kind: right },
            rows.map(([, cell]) => cell),
          ),
        ],
      ]);
      const idOf = groupIds(new Rows(columns, new Float64Array(rows.length)), ["l", "r"]);
      for (const [row, pair] of rows.entries()) expect(idOf(row)).toBe(keyText(pair));
    }),
  );
});
