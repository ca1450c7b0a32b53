/** Event parsing: what becomes of sound lines, and which fault each unsound one gets. */
import { describe, expect, it } from "vitest";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { kernelsOf } from "../../core-wasm/facade/kernels.ts";
import {
  MAX_CELL_BYTES,
  MAX_EVENT_BODY_BYTES,
  MAX_EVENT_COLUMNS,
  MAX_KEPT_FRAME,
  MAX_NESTING,
  MAX_TABLE_BYTES,
} from "../../core-wasm/limits.ts";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import type { EventColumn, Kernels } from "../../core-wasm/types.ts";
import { both, core as module, utf8, wasm } from "./support/subjects.ts";

const I: EventColumn = { name: "i", type: "i64" };
const F: EventColumn = { name: "f", type: "f64" };
const T: EventColumn = { name: "t", type: "text" };

function cells(kernels: Kernels, body: string | Uint8Array, columns: readonly EventColumn[]): unknown[][] {
  const parsed = kernels.parseEvents(typeof body === "string" ? utf8(body) : body, columns);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const decoded = decodeColumns(parsed.frame);
  expect(decoded.rows).toBe(parsed.rows);
  return decoded.columns.map((column) => [...column.cells]);
}

function fault(kernels: Kernels, body: string | Uint8Array, columns: readonly EventColumn[]): unknown {
  const parsed = kernels.parseEvents(typeof body === "string" ? utf8(body) : body, columns);
  return parsed.ok ? "accepted" : parsed.fault;
}

describe.each(both)("%s", (_name, kernels) => {
  it("takes members in any order, undeclared ones aside", () => {
    const body =
      '{"i":1,"f":2.5,"t":"x"}\n{"t":"y","x":[1,{"y":null}],"f":-1,"i":-2}\n{"f":0,"i":3,"z":true,"t":"x"}\n';
    expect(cells(kernels, body, [I, F, T])).toEqual([
      [1n, -2n, 3n],
      [2.5, -1, 0],
      ["x", "y", "x"],
    ]);
  });

  it("skips blank lines, and takes CRLF and a last line without LF", () => {
    expect(cells(kernels, '\n \t\r\n{"i":1}\r\n\r\n  {"i":2}  \n\n{"i":3}', [I])).toEqual([[1n, 2n, 3n]]);
  });

  it.each(["", "\n", " ", "\r\n\r\n"])("gives no rows for the body %j", (body) => {
    expect(cells(kernels, body, [I, F, T])).toEqual([[], [], []]);
  });

  it("counts rows when no column is declared", () => {
    expect(kernels.parseEvents(utf8('{}\n{"a":1}\n'), [])).toMatchObject({ ok: true, rows: 2 });
  });

  it("matches names that are written with escapes, to their last character only", () => {
    const price: EventColumn = { name: "price", type: "i64" };
    expect(cells(kernels, '{"pr\\u0069ce":1}\n{"\\u0070\\u0072\\u0069\\u0063\\u0065":2}', [price])).toEqual([[1n, 2n]]);
    expect(fault(kernels, '{"pric\\u0065s":1,"pric":1,"Price":1,"price\\u0000":1}', [price])).toMatchObject({
      code: "missing",
    });
  });

  it("never takes a raw quote or backslash for part of a name", () => {
    const column: EventColumn = { name: 'a":1,"b', type: "i64" };
    expect(fault(kernels, '{"a":1,"b":2}', [column])).toMatchObject({ code: "missing" });
    const escaped = '{"a\\":1,\\"b":2}';
    expect(cells(kernels, escaped, [column])).toEqual([[2n]]);
    // Nor when the name, once met, is expected again.
    expect(fault(kernels, `${escaped}\n{"a":1,"b":2}`, [column])).toMatchObject({ line: 2, code: "missing" });
  });

  it.each([13, 14, 16, 17, 45, 77, 78, 200])("matches names of %i bytes and tells them from their like", (length) => {
    const name = "n".repeat(length);
    const like = `${"n".repeat(length - 1)}m`;
    const body = `{"${like}":1,"${name}":2}\n{"${name}":3,"${like}":4}\n{"${name}n":5,"${name.slice(1)}":6,"${name}":7}\n`;
    expect(cells(kernels, body, [{ name, type: "i64" }])).toEqual([[2n, 3n, 7n]]);
  });

  it("takes the last of duplicate members, whatever the earlier ones were", () => {
    const body =
      '{"i":1,"i":2}\n{"i":"x","i":3}\n{"t":1,"i":4,"t":"b","t":"c"}\n{"t":"\\ud800","i":null,"i":5,"t":"d"}';
    expect(
      cells(kernels, body.replaceAll('{"i":1,', '{"t":"a","i":1,').replaceAll('{"i":"x"', '{"t":"a","i":"x"'), [I, T]),
    ).toEqual([
      [2n, 3n, 4n, 5n],
      ["a", "a", "c", "d"],
    ]);
    expect(fault(kernels, '{"i":1,"i":"x"}', [I])).toEqual({ line: 1, offset: 11, code: "wrong-type", field: "i" });
  });

  it("turns text into its value, each distinct one once in the frame", () => {
    const body = [
      '"a\\u00e9\\n\\"\\\\\\/\\ud83d\\ude00"',
      '"aé\\u000a\\u0022\\u005c/😀"',
      '""',
      '"\\u0000"',
      '"\ufeff"',
    ];
    const value = 'aé\n"\\/😀';
    const lines = body.map((text) => `{"t":${text}}`).join("\n");
    expect(cells(kernels, lines, [T])).toEqual([[value, value, "", "\0", "\ufeff"]]);
    const parsed = kernels.parseEvents(utf8(lines), [T]);
    const strings = parsed.ok ? new DataView(parsed.frame.buffer, parsed.frame.byteOffset).getUint32(32 + 8, true) : 0;
    expect(strings).toBe(4);
  });

  it("has the fingerprint of the body's checksum", () => {
    for (const length of [0, 3, 31, 32, 33, 100, 300_000]) {
      const body = utf8("\n".repeat(length));
      const parsed = kernels.parseEvents(body, [I]);
      const [low, high] = parsed.ok ? parsed.fingerprint : [0, 0];
      expect(high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0")).toBe(kernels.checksum(body));
    }
  });

  it.each([
    ['{"i":1}\n{"i":1.5}', { line: 2, offset: 13, code: "wrong-type", field: "i" }],
    ['\n\n  {"i":"1"}', { line: 3, offset: 9, code: "wrong-type", field: "i" }],
    ['{"i":null}', { line: 1, offset: 5, code: "wrong-type", field: "i" }],
    ['{"i":[1]}', { line: 1, offset: 5, code: "wrong-type", field: "i" }],
    ['{"i":9223372036854775808}', { line: 1, offset: 5, code: "out-of-range", field: "i" }],
    ['{"i":-9223372036854775809}', { line: 1, offset: 5, code: "out-of-range", field: "i" }],
    [' {"j":1}', { line: 1, offset: 1, code: "missing", field: "i" }],
    ["{}", { line: 1, offset: 0, code: "missing", field: "i" }],
    ['{"i":1}\n[{"i":1}]', { line: 2, offset: 8, code: "not-object" }],
    ["nonsense", { line: 1, offset: 0, code: "not-object" }],
    ["\ufeff{}", { line: 1, offset: 0, code: "not-object" }],
    ['{"i":1', { line: 1, offset: 6, code: "unexpected-end" }],
    ['{"i":1\n}', { line: 1, offset: 6, code: "unexpected-end" }],
    ['{"i":1,}', { line: 1, offset: 7, code: "unexpected-byte" }],
    ['{"i" 1}', { line: 1, offset: 5, code: "unexpected-byte" }],
    ['{"i":01}', { line: 1, offset: 6, code: "bad-number" }],
    ['{"i":1.}', { line: 1, offset: 7, code: "bad-number" }],
    ['{"i":-}', { line: 1, offset: 6, code: "bad-number" }],
    ['{"i":1}x', { line: 1, offset: 7, code: "trailing-bytes" }],
    ['{"i":1}{"i":2}', { line: 1, offset: 7, code: "trailing-bytes" }],
    ['{"i":1,"x":"a\nb"}', { line: 1, offset: 13, code: "unterminated-string" }],
    ['{"i":1,"x":"\u0001"}', { line: 1, offset: 12, code: "control-character" }],
    ['{"i":1,"x":"\\x"}', { line: 1, offset: 12, code: "bad-escape" }],
    ['{"i":1,"x":[1,\n2]}', { line: 1, offset: 14, code: "unexpected-end" }],
    // What is wrong with the JSON comes before what is wrong with a field.
    ['{"i":"x","y":tru}', { line: 1, offset: 13, code: "unexpected-byte" }],
  ])("refuses %j", (body, expected) => {
    expect(fault(kernels, body, [I])).toEqual(expected);
  });

  it("refuses by the first declared column, not by the first member", () => {
    expect(fault(kernels, '{"t":1,"f":"x"}', [I, F, T])).toMatchObject({ code: "missing", field: "i" });
    expect(fault(kernels, '{"t":1,"f":"x","i":1}', [I, F, T])).toMatchObject({
      code: "wrong-type",
      field: "f",
      offset: 11,
    });
  });

  it("refuses lone surrogates in a text column only", () => {
    const body = '{"t":"ok","x":"\\udc00"}\n{"x":1,"t":"a\\ud800b"}';
    expect(fault(kernels, body, [T])).toEqual({ line: 2, offset: 37, code: "bad-surrogate", field: "t" });
    expect(fault(kernels, body.replace('"a\\ud800b"', '"\\ud800\\u0061"'), [T])).toMatchObject({
      code: "bad-surrogate",
    });
    expect(fault(kernels, body.replace('"a\\ud800b"', '"\\udc00\\ud800"'), [T])).toMatchObject({
      code: "bad-surrogate",
    });
  });

  it("reports an escape of an earlier text unchanged when a later byte of the line is wrong", () => {
    expect(fault(kernels, '{"t":"a\\"\\u0022","x":}', [T])).toEqual({ line: 1, offset: 21, code: "unexpected-byte" });
  });

  it("refuses bad UTF-8 wherever it stands", () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      for (const [before, after] of [
        ['{"t":"', '"}'],
        ['{"x":"', '"}'],
        ['{"', '":1}'],
      ] as const) {
        const body = Uint8Array.from([...utf8(before), ...bad, ...utf8(after)]);
        expect(fault(kernels, body, [T])).toEqual({ line: 1, offset: before.length, code: "bad-utf8" });
      }
    }
  });

  it("refuses what is nested deeper than the limit, the event itself counted", () => {
    const nested = (depth: number): string => `{"i":1,"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(cells(kernels, nested(MAX_NESTING), [I])).toEqual([[1n]]);
    expect(fault(kernels, nested(MAX_NESTING + 1), [I])).toMatchObject({ code: "too-deep", offset: 10 + MAX_NESTING });
  });

  it("refuses columns that it cannot tell apart, know or hold", () => {
    const refuse = (columns: readonly EventColumn[]) =>
      expect(() => kernels.parseEvents(utf8("{}"), columns)).toThrow(/^bad-columns: /);
    refuse([I, { name: "i", type: "text" }]);
    refuse([{ name: "\ud800", type: "i64" }]);
    refuse([{ name: "x", type: "date" as "i64" }]);
    refuse(Array.from({ length: MAX_EVENT_COLUMNS + 1 }, (_, i) => ({ name: `c${i}`, type: "i64" as const })));
  });

  it("takes as many columns as the limit allows", () => {
    const columns = Array.from({ length: MAX_EVENT_COLUMNS }, (_, i) => ({ name: `c${i}`, type: "i64" as const }));
    const line = JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, i])));
    expect(cells(kernels, `${line}\n${line}`, columns)).toEqual(columns.map((_, i) => [BigInt(i), BigInt(i)]));
    expect(fault(kernels, line.replace('"c31"', '"d31"'), columns)).toMatchObject({ code: "missing", field: "c31" });
  });

  it("refuses a body above the limit before looking at it", () => {
    const body = new Uint8Array(MAX_EVENT_BODY_BYTES + 1);
    expect(() => kernels.parseEvents(body, [I])).toThrow(/^body-too-large: /);
  });
});

it("takes a body as large as the limit, and a line as long", () => {
  const line = utf8('{"i":1234567,"t":"some text"}\n');
  const body = new Uint8Array(MAX_EVENT_BODY_BYTES).fill(0x0a);
  const count = Math.floor(body.length / line.length);
  for (let i = 0; i < count; i++) body.set(line, i * line.length);
  expect(wasm.parseEvents(body, [I, T])).toMatchObject({ ok: true, rows: count });
  body.fill(0x20);
  body.set(utf8('{"i":1,'), 0);
  body.set(utf8('"t":"x"}'), body.length - 8);
  expect(cells(wasm, body, [I, T])).toEqual([[1n], ["x"]]);
});

it("leaves a frame alone once it is returned", () => {
  const first = wasm.parseEvents(utf8('{"t":"first"}'), [T]);
  const copy = first.ok ? first.frame.slice() : null;
  wasm.parseEvents(utf8('{"t":"other"}\n'.repeat(5000)), [T]);
  expect(first.ok && first.frame).toEqual(copy);
});

it("keeps 300,000 distinct texts of one length apart, whose hashes are bound to collide", () => {
  const count = 300_000;
  const lines = Array.from({ length: count }, (_, i) => `{"t":"${String(i).padStart(8, "0")}"}`);
  const parsed = wasm.parseEvents(utf8(lines.join("\n")), [T]);
  const strings = parsed.ok ? new DataView(parsed.frame.buffer, parsed.frame.byteOffset).getUint32(32 + 8, true) : 0;
  expect(strings).toBe(count);
});

/** The twin would take a minute for it. */
it("puts a long frame together as a short one", () => {
  const columns: readonly EventColumn[] = [T, { ...I, optional: true }, { name: "u", type: "text" }, F];
  const line = (n: number) =>
    `{"t":"${String(n).padStart(120_000, "é")}","f":${n}.5,"u":"${n % 3}"${n % 5 ? `,"i":${n}` : ""}}`;
  const body = utf8(Array.from({ length: 45 }, (_, n) => line(n)).join("\n"));
  const parsed = wasm.parseEvents(body, columns);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  expect(parsed.frame.length).toBeGreaterThan(MAX_KEPT_FRAME);
  const [texts, integers, few, floats] = decodeColumns(parsed.frame).columns.map((column) => column.cells);
  expect(texts?.map((text) => Number(String(text).replaceAll("é", "")))).toEqual(
    Array.from({ length: 45 }, (_, n) => n),
  );
  expect(integers?.filter((cell) => cell === null)).toHaveLength(9);
  expect([few?.[4], floats?.[44]]).toEqual(["1", 44.5]);
  // It can be used as any other.
  expect(wasm.splitEvents(parsed.frame, columns, 2, new Uint16Array(1))).toMatchObject([{ rows: 45 }]);
});

describe("columns that are longer than their events", () => {
  const wide: readonly EventColumn[] = Array.from({ length: MAX_EVENT_COLUMNS }, (_, i) => ({
    name: `c${i}`,
    type: "i64",
    optional: true,
  }));
  /** Eight bytes and a bit each. */
  const most = Math.floor((8 * MAX_TABLE_BYTES) / (65 * MAX_EVENT_COLUMNS));

  it.each(both)("%s: are refused at the event that is too much, whatever it is", { timeout: 60_000 }, (_, kernels) => {
    const event = (line: number, offset: number) => ({ line, offset, code: "columns-too-large" });
    expect(fault(kernels, `${"{}\n".repeat(most)}\n {"`, wide)).toEqual(event(most + 2, 3 * most + 2));
    const array = kernels.parseEvents(utf8(`[${"{},".repeat(most)}{}]`), wide, "json");
    expect(array).toEqual({ ok: false, fault: event(1, 3 * most + 1) });
  });

  it("are taken up to there, and from there on the kernels go on as before", () => {
    expect(wasm.parseEvents(utf8("{}\n".repeat(most)), wide)).toMatchObject({ ok: true, rows: most });
    expect(fault(wasm, "{}\n".repeat(10_000_000), wide)).toMatchObject({ line: most + 1, code: "columns-too-large" });
    expect(wasm.parseEvents(utf8('{"c1":3}\n'), wide)).toMatchObject({ ok: true, rows: 1 });
  });

  it("may be more where the frame is not to have them, as far as there is memory", () => {
    const all = Math.floor((8 * MAX_CELL_BYTES) / (65 * MAX_EVENT_COLUMNS));
    const parse = (rows: number) => wasm.parseEvents(utf8("{}\n".repeat(rows)), wide, "ndjson", { only: ["c7"] });
    expect(parse(all)).toMatchObject({ ok: true, rows: all });
    expect(parse(all + 1)).toMatchObject({ ok: false, fault: { line: all + 1, code: "columns-too-large" } });
  });

  it("get no room for rows that short ones before long ones seem to announce", () => {
    const core = new CoreInstance(module);
    const columns: readonly EventColumn[] = [...wide.slice(1), { ...T, optional: true }];
    const body = utf8("{}\n".repeat(1_100) + `{"t":"${"x".repeat(25_000)}"}\n`.repeat(1_000));
    expect(kernelsOf(core).parseEvents(body, columns)).toMatchObject({ ok: true, rows: 2_100 });
    expect(core.memoryBytes).toBeLessThan(40 * 1024 * 1024);
  });
});
