/** Routing of NDJSON batches: rows, request ids, fingerprints, frames and faults. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { routeBatch } from "../../core-wasm/facade/batch.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { MAX_KEY_BYTES, MAX_NESTING, MAX_TABLE_BYTES } from "../../core-wasm/limits.ts";
import { routeBatch as routeTwin } from "../../core-wasm/reference/batch.ts";
import type { BatchFault, Kernels, RoutedBatch, RouteOptions } from "../../core-wasm/types.ts";
import { mutate, random } from "./support/random.ts";
import { both, core as module, twin, utf8, wasm } from "./support/subjects.ts";

const SPEC = { kind: 3, version: 1, columns: 4, fields: 5 };
const EDGE = "0123456789abcdefEDGE4567";
const SCOPE = utf8("scope of caller!");
const OPTIONS: RouteOptions = {
  spec: SPEC,
  groups: Uint16Array.from({ length: 64 }, (_, i) => i % 5),
  edgeId: EDGE,
  clientScope: null,
  maxRows: 1000,
  maxBytes: 1_000_000,
  maxLines: 1000,
};

interface Row {
  readonly partition: number;
  readonly line: number;
  readonly flags: number;
  readonly fingerprint: string;
  readonly id: string;
  readonly service: string;
  readonly key: string;
  readonly function: string;
  readonly input: string;
}

function rowsOf({ frames }: RoutedBatch): Row[] {
  return frames.flatMap(({ partition, bytes }) => {
    const table = twin.unpack(SPEC, bytes);
    return Array.from({ length: table.rows }, (_, row) => ({
      partition,
      line: table.column(row, 0),
      flags: table.column(row, 1),
      fingerprint: [3, 2].map((i) => table.column(row, i).toString(16).padStart(8, "0")).join(""),
      id: table.field(row, 0),
      service: table.field(row, 1),
      key: table.field(row, 2),
      function: table.field(row, 3),
      input: table.field(row, 4),
    }));
  });
}

function route(kernels: Kernels, text: string, options: Partial<RouteOptions> = {}): RoutedBatch {
  return kernels.routeBatch(utf8(text), { ...OPTIONS, ...options });
}

/** The one row of a one-line batch. */
function rowOf(kernels: Kernels, line: string, options: Partial<RouteOptions> = {}): Row {
  const routed = route(kernels, line, options);
  expect(routed.faults).toEqual([]);
  return rowsOf(routed)[0] as Row;
}

/** The one fault of a one-line batch. */
function faultOf(kernels: Kernels, line: string | Uint8Array): BatchFault {
  const body = typeof line === "string" ? utf8(line) : line;
  const { faults, frames } = kernels.routeBatch(body, OPTIONS);
  expect(frames).toEqual([]);
  expect(faults.length).toBe(1);
  return faults[0] as BatchFault;
}

const LINE = '{"service":"account","key":"k1","function":"transfer","input":{"to":"k2","amount":3}}';

describe.each(both)("%s: rows", (_name, kernels) => {
  it("carry service, key, function and the input's own bytes to the key's partition", () => {
    const row = rowOf(kernels, LINE);
    expect(row).toMatchObject({ service: "account", key: "k1", function: "transfer", input: '{"to":"k2","amount":3}' });
    expect(row.partition).toBe(OPTIONS.groups[twin.hashKey("k1") & 63]);
    expect(row.fingerprint).toBe(twin.checksum(utf8('account\0k1\0transfer\0{"to":"k2","amount":3}')));
  });

  it("take members in any order, ignore unknown ones and let the last of a name win", () => {
    const row = rowOf(
      kernels,
      '{"function":1,"x":[{"service":"no"}],"key":"k","input":1,"service":"a","keys":"no","function":"f","input":[ 2 ]}',
    );
    expect(row).toMatchObject({ service: "a", key: "k", function: "f", input: "[ 2 ]" });
  });

  it("understand escapes in names and values, and leave the input escaped", () => {
    const row = rowOf(
      kernels,
      '{"\\u0073ervice":"\\u0061\\n\\"","k\\u0065y":"é\\u00e9\\ud83d\\ude00\\/","function":"f","\\u0069nput":"\\ud800\\u0061"}',
    );
    expect(row).toMatchObject({ service: 'a\n"', key: "éé😀/", function: "f", input: '"\\ud800\\u0061"' });
  });

  it("understand a surrogate pair at the end of a string", () => {
    expect(rowOf(kernels, '{"service":"a","key":"\\ud83d\\ude00","function":"f"}').key).toBe("😀");
  });

  it("do not take a name that merely begins like a member's", () => {
    const others = [
      '"key\\"x":"no"',
      '"k\\u0065y\\"":"no"',
      '"keyx":"no"',
      '"ke":"no"',
      '"services":"no"',
      '"functio\\u006e2":1',
      '"idx":{}',
    ];
    expect(rowOf(kernels, `{"service":"a","key":"k","function":"f",${others.join(",")}}`).key).toBe("k");
  });

  it("tell an absent input from null, and take any JSON as input", () => {
    const input = (json: string): string =>
      rowOf(kernels, `{"service":"a","key":"k","function":"f"${json === "" ? "" : `,"input":${json}`}}`).input;
    for (const json of ["", "null", "0", '""', "[]", "{}", "-1.5e3", "true"]) expect(input(json)).toBe(json);
  });

  it("number lines from 1 and count blank ones, with LF or CRLF, with or without a last LF", () => {
    for (const [feed, end] of [
      ["\n", ""],
      ["\n", "\n"],
      ["\r\n", "\r\n"],
    ] as const) {
      const routed = route(kernels, [LINE, "", " \t", `  ${LINE} `].join(feed) + end, { groups: Uint16Array.of(0) });
      expect(routed.lines).toBe(4);
      expect(rowsOf(routed).map((row) => row.line)).toEqual([1, 4]);
    }
    expect(route(kernels, "")).toEqual({ lines: 0, frames: [], faults: [], tooManyLines: false });
    expect(route(kernels, "\n\n").lines).toBe(2);
  });
});

describe.each(both)("%s: request ids", (_name, kernels) => {
  const id = (member: string, options: Partial<RouteOptions> = {}): string =>
    rowOf(kernels, `{"service":"a","key":"k","function":"f"${member}}`, options).id;

  it("are the edge's prefix and the line number in hex when the client sent no key", () => {
    const routed = route(kernels, `${LINE}\n`.repeat(17), { groups: Uint16Array.of(0) });
    const rows = rowsOf(routed);
    expect(rows[0]).toMatchObject({ id: `${EDGE}00000001`, flags: 0 });
    expect(rows[16]?.id).toBe(`${EDGE}00000011`);
    expect(id(',"id":"mine"')).toBe(`${EDGE}00000001`);
  });

  it("derive from the client's scope and the line's id, wherever the line stands", () => {
    const first = rowOf(kernels, '{"service":"a","key":"k","function":"f","id":"x"}', { clientScope: SCOPE });
    expect(first.flags).toBe(1);
    expect(first.id).toMatch(/^c[0-9a-f]{31}$/);
    const second = rowOf(kernels, '\n\n{"id":"\\u0078","service":"b","key":"q","function":"g"}', {
      clientScope: SCOPE,
    });
    expect(second.id).toBe(first.id);
    const other = rowOf(kernels, '{"service":"a","key":"k","function":"f","id":"x"}', {
      clientScope: utf8("scope of caller?"),
    });
    expect(other.id).not.toBe(first.id);
  });

  it("are of a line that has a fingerprint, though its hash is 0, which is that of what has none", () => {
    const input = '"a2k:OWA^Pgbkslq"';
    expect(twin.checksum(utf8(`note\0eve\0hold\0${input}`))).toBe("0".repeat(16));
    const row = rowOf(kernels, `{"service":"note","key":"eve","function":"hold","input":${input}}`);
    expect(row.fingerprint).toBe("0000000000000001");
  });

  it("are SHA-256 of the client's scope and what the line is known by, whatever its length", () => {
    for (const length of [1, 38, 39, 40, 46, 47, 48, 63, 64, 111, 112, 500]) {
      const text = "x".repeat(length);
      const hash = createHash("sha256").update(SCOPE).update(`s${text}`).digest("hex");
      expect(id(`,"id":"${text}"`, { clientScope: SCOPE })).toBe(`c${hash.slice(0, 31)}`);
    }
  });

  it('of line 1, id 1, id -1, id "1" and no id on another line all differ', () => {
    const ids = ["", ',"id":1', ',"id":-1', ',"id":"1"', ',"id":"l1"'].map((member) =>
      id(member, { clientScope: SCOPE }),
    );
    ids.push(rowOf(kernels, '\n{"service":"a","key":"k","function":"f"}', { clientScope: SCOPE }).id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each(both)("%s: frames", (_name, kernels) => {
  const many = Array.from({ length: 40 }, (_, i) => `{"service":"s","key":"k${i}","function":"f","input":${i}}`).join(
    "\n",
  );

  it("keep the order of lines within a partition and lose none", () => {
    const rows = rowsOf(route(kernels, many));
    expect(rows.map((row) => row.line).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    for (const partition of [0, 1, 2, 3, 4]) {
      const lines = rows.filter((row) => row.partition === partition).map((row) => row.line);
      expect(lines).toEqual(lines.toSorted((a, b) => a - b));
    }
  });

  it("are one to a partition while they fit", () => {
    const { frames } = route(kernels, many);
    expect(frames.map((frame) => frame.partition)).toEqual([0, 1, 2, 3, 4]);
  });

  it("hold no more rows and bytes than asked for, but always one row", () => {
    const byRows = route(kernels, many, { groups: Uint16Array.of(7), maxRows: 16 }).frames;
    expect(byRows.map((frame) => [frame.partition, frame.rows])).toEqual([
      [7, 16],
      [7, 16],
      [7, 8],
    ]);
    const byBytes = route(kernels, many, { groups: Uint16Array.of(7), maxBytes: 400 }).frames;
    expect(byBytes.every((frame) => frame.bytes.length <= 400 && frame.rows > 1)).toBe(true);
    const single = route(kernels, many, { groups: Uint16Array.of(7), maxBytes: 1 }).frames;
    expect(single.length).toBe(40);
  });

  it("fill a byte limit exactly", () => {
    const two = `${LINE}\n${LINE}`;
    const whole = route(kernels, two).frames[0]?.bytes.length as number;
    expect(route(kernels, two, { maxBytes: whole }).frames.length).toBe(1);
    expect(route(kernels, two, { maxBytes: whole - 1 }).frames.length).toBe(2);
  });
});

// [line, code, offset, member]
const FAULTS: readonly (readonly [string, string, number, BatchFault["member"]?])[] = [
  ["[1]", "not-object", 0],
  [' "a"', "not-object", 1],
  ["{} {}", "trailing-bytes", 3],
  ["1 x", "trailing-bytes", 2],
  ["{", "unexpected-end", 1],
  ['{"service":"a",}', "unexpected-byte", 15],
  ['{"service":"a"', "unexpected-end", 14],
  ['{"service":"a', "unterminated-string", 13],
  ['{"serv', "unterminated-string", 6],
  ['{"service"x', "unexpected-byte", 10],
  ['{"service":01}', "bad-number", 12],
  ["{}", "missing", 0, "service"],
  ['{"service":"a","function":"f"}', "missing", 0, "key"],
  ['{"service":"a","key":"k"}', "missing", 0, "function"],
  ['{"service":"a","key":"k","Function":"f"}', "missing", 0, "function"],
  ['{"service":null,"key":"k","function":"f"}', "wrong-type", 11, "service"],
  ['{"service":"a","key":1,"function":"f"}', "wrong-type", 21, "key"],
  ['{"service":"a","key":"k","function":{}}', "wrong-type", 36, "function"],
  ['{"service":"a","key":"","function":"f"}', "empty-member", 21, "key"],
  ['{"service":"","key":"k","function":"f"}', "empty-member", 11, "service"],
  ['{"service":"a","key":"k\\ud800","function":"f"}', "bad-surrogate", 23, "key"],
  ['{"service":"a","key":"\\ude00\\ud83d","function":"f"}', "bad-surrogate", 22, "key"],
  ['{"service":"a","key":"\\ud83d\\ud83d\\ude00","function":"f"}', "bad-surrogate", 22, "key"],
  ['{"service":"a","key":"k","function":"f","id":1.5}', "wrong-type", 45, "id"],
  ['{"service":"a","key":"k","function":"f","id":1e3}', "wrong-type", 45, "id"],
  ['{"service":"a","key":"k","function":"f","id":null}', "wrong-type", 45, "id"],
  ['{"service":"a","key":"k","function":"f","id":""}', "empty-member", 45, "id"],
  ['{"service":"a","key":"k","function":"f","id":"\\udc00"}', "bad-surrogate", 46, "id"],
];

describe.each(both)("%s: faults", (_name, kernels) => {
  for (const [line, code, offset, member] of FAULTS) {
    it(`refuses ${line} with ${code} at ${offset}`, () => {
      expect(faultOf(kernels, line)).toEqual({ line: 1, offset, code, ...(member && { member }) });
    });
  }

  it("refuses ill-formed UTF-8 and a byte order mark", () => {
    const bad = utf8(LINE);
    bad[bad.indexOf(0x6b, 20) + 7] = 0xff;
    expect(faultOf(kernels, bad).code).toBe("bad-utf8");
    expect(faultOf(kernels, `\ufeff${LINE}`)).toEqual({ line: 1, offset: 0, code: "unexpected-byte" });
  });

  it("keeps a string from running over the end of its line", () => {
    const { faults, frames } = route(kernels, `{"service":"a\nb","key":"k"}\n${LINE}`);
    expect(faults.map(({ line, offset, code }) => [line, offset, code])).toEqual([
      [1, 13, "unterminated-string"],
      [2, 14, "unexpected-byte"],
    ]);
    expect(frames.length).toBe(1);
  });

  it("bounds the key in bytes of UTF-8, after its escapes are undone", () => {
    const line = (key: string): string => `{"service":"a","key":"${key}","function":"f"}`;
    expect(rowOf(kernels, line("é".repeat(MAX_KEY_BYTES / 2))).key.length).toBe(MAX_KEY_BYTES / 2);
    expect(rowOf(kernels, line("\\u0061".repeat(MAX_KEY_BYTES))).key.length).toBe(MAX_KEY_BYTES);
    const fault = { line: 1, offset: 21, code: "key-too-large", member: "key" };
    expect(faultOf(kernels, line("a".repeat(MAX_KEY_BYTES + 1)))).toEqual(fault);
    expect(faultOf(kernels, line(`${"é".repeat(MAX_KEY_BYTES / 2)}a`))).toEqual(fault);
  });

  it("bounds nesting, the line's own object included", () => {
    const line = (depth: number): string =>
      `{"service":"a","key":"k","function":"f","input":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(rowOf(kernels, line(MAX_NESTING - 1)).input.length).toBe(2 * (MAX_NESTING - 1));
    expect(faultOf(kernels, line(MAX_NESTING)).code).toBe("too-deep");
  });

  it("leaves the other lines routed", () => {
    const { faults, frames, lines } = route(kernels, `${LINE}\nno\n${LINE}\n`);
    expect([lines, faults.length, faults[0]?.line, frames[0]?.rows]).toEqual([3, 1, 2, 2]);
  });

  it("routes nothing of a batch with too many lines", () => {
    expect(route(kernels, `${LINE}\n\n${LINE}`, { maxLines: 3 }).tooManyLines).toBe(false);
    expect(route(kernels, `${LINE}\n\n${LINE}\n\n`, { maxLines: 3 })).toEqual({
      lines: 4,
      frames: [],
      faults: [],
      tooManyLines: true,
    });
  });

  it("refuses options that it cannot honour", () => {
    const bad: Partial<RouteOptions>[] = [
      { groups: new Uint16Array(3) },
      { groups: new Uint16Array() },
      { edgeId: "short" },
      { edgeId: "é".repeat(24) },
      { clientScope: new Uint8Array(15) },
      { spec: { ...SPEC, fields: 4 } },
      { maxRows: 0 },
    ];
    for (const options of bad) expect(() => route(kernels, LINE, options)).toThrow(RangeError);
  });
});

const SEEDS = [
  LINE,
  " \r",
  '{"k\\u0065y":"k\\u0032\\n\\ud83d\\ude00é","service":"x","service":"account","function":"f","id":12}\r',
  '{"service":"account","key":"","function":"transfer"}',
  '{"service":"account","function":"transfer","a":[1,{"b":null}],"key":"0123456789abcdef0123456789abcdef"}',
  "[1]",
  '{"service":"a","key":"x\\ud800","function":"transfer"}',
  '{"service":"a","key":"b","function":"transfer","id":"é\\u00e9","input":"s\\ud800"}',
  '{"service":"a","key":"漢字","function":"tran","input" : -1.5e3 , "id":-7}',
];
const ALPHABET = utf8('{}[]",:\\u0123eE+-. \n\r\tservickyfuntodp/é漢');

describe("large lines", () => {
  const line = (bytes: number): Uint8Array =>
    utf8(`{"service":"a","key":"k","function":"f","input":"${"x".repeat(bytes)}"}`);

  it("travel in a frame of their own up to what a table can hold", () => {
    const options = { ...OPTIONS, maxBytes: 1 };
    const { frames, faults } = wasm.routeBatch(line(MAX_TABLE_BYTES - 1000), options);
    expect(faults).toEqual([]);
    expect(wasm.unpack(SPEC, (frames[0] as { bytes: Uint8Array }).bytes).field(0, 4).length).toBe(
      MAX_TABLE_BYTES - 998,
    );
    expect(wasm.routeBatch(line(MAX_TABLE_BYTES), options).faults).toEqual([
      { line: 1, offset: 0, code: "line-too-large" },
    ]);
  });
});

describe("fuzzing", () => {
  it("routes as the twin does, whatever the slices, on 8,000 mutated batches", () => {
    const core = new CoreInstance(module);
    const dice = random(0xba7c);
    let rows = 0;
    let faults = 0;
    for (let i = 0; i < 8000; i++) {
      const text = Array.from({ length: dice.int(12) }, () => dice.pick(SEEDS)).join("\n") + (dice.int(2) ? "\n" : "");
      const body = mutate(utf8(text), 4, dice, ALPHABET);
      const options = {
        ...OPTIONS,
        clientScope: dice.int(2) === 0 ? SCOPE : null,
        maxRows: 1 + dice.int(6),
        maxBytes: 1 + dice.int(1000),
        maxLines: dice.int(20) === 0 ? 3 : 100,
      };
      const slice = dice.int(2) === 0 ? 1 << 20 : 1 + dice.int(300);
      const ours = routeBatch(core, body, options, slice);
      expect(ours, `batch ${i}`).toEqual(routeTwin(body, options, slice));
      rows += ours.frames.reduce((sum, frame) => sum + frame.rows, 0);
      faults += ours.faults.length;
    }
    expect(rows).toBeGreaterThan(8000);
    expect(faults).toBeGreaterThan(8000);
  }, 30_000);

  it("survives random bytes", () => {
    const dice = random(0xba7d);
    for (let i = 0; i < 3000; i++) {
      const body = dice.bytes(dice.int(200));
      expect(wasm.routeBatch(body, OPTIONS)).toEqual(twin.routeBatch(body, OPTIONS));
    }
  });
});
