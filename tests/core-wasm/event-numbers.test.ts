/** Numbers of events: int64 exact, float64 the nearest, for every spelling. */
import { describe, expect, it } from "vitest";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import { random } from "./support/random.ts";
import { both, utf8, wasm } from "./support/subjects.ts";

const RANDOM_FLOATS = 100_000;
const RANDOM_INTEGERS = 100_000;

function read(kernels: Kernels, texts: readonly string[], type: "i64" | "f64"): (string | bigint | number)[] {
  const one = (text: string): string | bigint | number => {
    const parsed = kernels.parseEvents(utf8(`{"n":${text}}`), [{ name: "n", type }]);
    if (!parsed.ok) return parsed.fault.code;
    return (decodeColumns(parsed.frame).columns[0]?.cells[0] ?? "none") as string | bigint | number;
  };
  return texts.map(one);
}

const MAX = "9223372036854775807";
const ABOVE = "9223372036854775808";
const INTEGERS: readonly (readonly [string, bigint | string])[] = [
  ["0", 0n],
  ["-0", 0n],
  ["-0.0", 0n],
  ["0e0", 0n],
  ["0.000e-99999999999999999999", 0n],
  ["0E+99999999999999999999", 0n],
  ["-1", -1n],
  ["99999999", 99999999n],
  ["100000000", 100000000n],
  ["999999999999999", 999999999999999n],
  ["1000000000000000", 1000000000000000n],
  ["-1234567890123456", -1234567890123456n],
  ["9007199254740991", 2n ** 53n - 1n],
  ["9007199254740992", 2n ** 53n],
  ["9007199254740993", 2n ** 53n + 1n],
  ["-9007199254740993", -(2n ** 53n) - 1n],
  ["999999999999999999", 999999999999999999n],
  ["1000000000000000000", 10n ** 18n],
  [MAX, 2n ** 63n - 1n],
  [`-${ABOVE}`, -(2n ** 63n)],
  [ABOVE, "out-of-range"],
  ["-9223372036854775809", "out-of-range"],
  ["9999999999999999999", "out-of-range"],
  ["18446744073709551615", "out-of-range"],
  ["18446744073709551616", "out-of-range"],
  ["184467440737095516160", "out-of-range"],
  ["5.0", 5n],
  ["1e3", 1000n],
  ["1E+3", 1000n],
  ["12.5e1", 125n],
  ["120e-1", 12n],
  ["1.0000000000000000000000000000000", 1n],
  [`${MAX}.000`, 2n ** 63n - 1n],
  [`${ABOVE}.000`, "out-of-range"],
  ["922337203685477580.7e1", 2n ** 63n - 1n],
  ["922337203685477580.8e1", "out-of-range"],
  ["-922337203685477580.8e1", -(2n ** 63n)],
  ["92233720368547758070e-1", 2n ** 63n - 1n],
  ["92233720368547758070000000000000000000000e-22", 2n ** 63n - 1n],
  ["9223372036854775807000000000000000000001e-21", "wrong-type"],
  ["0.000000000000000000000000000001e30", 1n],
  ["1e18", 10n ** 18n],
  ["1e19", "out-of-range"],
  ["1e999999999999999999999", "out-of-range"],
  ["1e-999999999999999999999", "wrong-type"],
  ["1e-1", "wrong-type"],
  ["1.5", "wrong-type"],
  ["0.1", "wrong-type"],
  ["1.0000000000000000000000000000001", "wrong-type"],
  ["10000000000000000000000000000000.5", "wrong-type"],
  ["10000000000000000000000000000001", "out-of-range"],
  ["12345678901234567890123e-3", "wrong-type"],
  ["12345678901234567890000e-3", "out-of-range"],
  ["1234567890123456789000e-3", 1234567890123456789n],
  [`1${"0".repeat(400)}e-400`, 1n],
  [`1${"0".repeat(400)}e-401`, "wrong-type"],
  [`0.${"0".repeat(400)}1e401`, 1n],
  [`${"7".repeat(400)}e-399`, "wrong-type"],
];

const FLOATS = [
  "0",
  "-0",
  "0.0",
  "-0.0",
  "-0e5",
  "1",
  "-1",
  "0.1",
  "0.2",
  "0.3",
  "3.14",
  "1e22",
  "1e23",
  "1e-22",
  "1e-23",
  "123456789e22",
  "9007199254740993e22",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "9007199254740994",
  "9007199254740995",
  "-9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "18446744073709551615",
  "18446744073709551616",
  "18446744073709551617",
  "5e-324",
  "4.9e-324",
  "2.4703282292062327e-324",
  "2.4703282292062328e-324",
  "1e-400",
  "-1e-400",
  "2.2250738585072011e-308",
  "2.2250738585072014e-308",
  "1.7976931348623157e308",
  "1.7976931348623158e308",
  // Halfway between two floats, and a little to either side of it.
  "9007199254740993.0",
  "9007199254740993.00000000000000000000000000000001",
  "9007199254740992.99999999999999999999999999999999",
  "1.00000000000000011102230246251565404236316680908203125",
  "1.00000000000000011102230246251565404236316680908203126",
  "1.00000000000000011102230246251565404236316680908203124",
  "0.500000000000000166533453693773481063544750213623046875",
  "1e0",
  "1.5E+3",
  "1234567890123456789012345678901234567890",
  "0.000000000000000000000000000000000001234",
  "6.02214076e23",
  "1.602176634e-19",
  "8.5e-5",
  "179769313486231570000000000000000000000e270",
  `${"1".repeat(800)}e-700`,
  `0.${"0".repeat(330)}1e340`,
];

describe.each(both)("%s", (_name, kernels) => {
  it.each(INTEGERS)("reads %s as int64", (text, value) => {
    expect(read(kernels, [text], "i64")).toEqual([value]);
  });

  it.each(FLOATS)("reads %s as the nearest float", (text) => {
    const [value] = read(kernels, [text], "f64");
    expect(Object.is(value, Number(text)), `${value} for ${text}`).toBe(true);
  });

  it("refuses floats that would be infinite", () => {
    const beyond = ["1e309", "-1e309", "1.7976931348623159e308", "1e99999999999999999999", `${"9".repeat(310)}`];
    expect(read(kernels, beyond, "f64")).toEqual(beyond.map(() => "out-of-range"));
  });
});

/** The cells of many numbers in one body. */
function readAll(texts: readonly string[], type: "i64" | "f64"): readonly (string | bigint | number)[] {
  const parsed = wasm.parseEvents(utf8(texts.map((text) => `{"n":${text}}`).join("\n")), [{ name: "n", type }]);
  if (!parsed.ok) throw new Error(`${JSON.stringify(parsed.fault)}: ${texts[parsed.fault.line - 1]}`);
  return (decodeColumns(parsed.frame).columns[0]?.cells ?? []) as readonly (bigint | number)[];
}

/** Another spelling of the same value: the point moved, zeros added. */
function respell(text: string, int: (below: number) => number): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text);
  if (parts === null) throw new Error(text);
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  const digits = `${whole}${fraction}${"0".repeat(int(3))}`;
  const point = int(digits.length) + 1;
  const head = digits.slice(0, point).replace(/^0+(?=\d)/, "");
  const tail = digits.slice(point);
  const power = Number(exponent) + whole.length - point;
  return `${sign}${head}${tail === "" ? "" : `.${tail}`}${power === 0 ? "" : `e${power}`}`;
}

it(`reads ${RANDOM_FLOATS} random floats back as they were`, () => {
  const { int } = random(11);
  const bits = new DataView(new ArrayBuffer(8));
  const values: number[] = [];
  while (values.length < RANDOM_FLOATS) {
    bits.setUint32(0, int(2 ** 32));
    bits.setUint32(4, int(2 ** 32));
    const wild = bits.getFloat64(0);
    const tame = (int(2_000_000) - 1_000_000) / 10 ** int(8);
    const value = int(2) === 0 ? wild : tame;
    if (Number.isFinite(value)) values.push(value);
  }
  const texts = values.map((value) =>
    int(2) === 0 ? JSON.stringify(value) : respell(String(value).replace("e+", "e"), int),
  );
  const cells = readAll(texts, "f64");
  const wrong = values.findIndex((_, i) => !Object.is(cells[i], Number(texts[i])));
  expect(wrong < 0 ? "none" : `${texts[wrong]} as ${cells[wrong]}`).toBe("none");
});

it(`reads ${RANDOM_INTEGERS} random integers exactly, however they are spelled`, () => {
  const { int } = random(12);
  const values = Array.from({ length: RANDOM_INTEGERS }, () => {
    const wide = (BigInt(int(2 ** 32)) << 32n) | BigInt(int(2 ** 32));
    return BigInt.asIntN(64, wide) >> BigInt(int(64));
  });
  const texts = values.map((value) => (int(2) === 0 ? String(value) : respell(String(value), int)));
  const cells = readAll(texts, "i64");
  const wrong = values.findIndex((value, i) => cells[i] !== value);
  expect(wrong < 0 ? "none" : `${texts[wrong]} as ${cells[wrong]}`).toBe("none");
});
