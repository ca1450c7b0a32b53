/** Packed tables: layout, round trips, and the refusal of everything damaged. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_TABLE_BYTES, MAX_TABLE_TAIL_INSIDE } from "../../core-wasm/limits.ts";
import { xxh64 } from "../../core-wasm/reference/xxh64.ts";
import { CorruptError } from "../../core-wasm/types.ts";
import type { Kernels, TableInput, TableSpec } from "../../core-wasm/types.ts";
import { random } from "./support/random.ts";
import { both, twin, utf8, wasm } from "./support/subjects.ts";

const SPEC: TableSpec = { kind: 0x1234, version: 7, columns: 2, fields: 3 };
const SMALL: TableInput = {
  rows: 2,
  columns: [1, 0xffffffff, 3, 4],
  fields: ["ab", "", "é", "漢", "😀", "\ufeffx"],
  tail: Uint8Array.of(9, 8, 7),
};

function reasonOf(kernels: Kernels, spec: TableSpec, bytes: Uint8Array): string {
  try {
    kernels.unpack(spec, bytes);
  } catch (error) {
    if (error instanceof CorruptError) return error.reason;
    throw error;
  }
  return "accepted";
}

/** The table with bytes changed and the checksum made right again. */
function forge(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  change(view);
  view.setBigUint64(24, xxh64(copy.subarray(32), xxh64(copy.subarray(0, 24))), true);
  return copy;
}

describe.each(both)("%s", (_name, kernels) => {
  it("lays a table out as docs/formats.md says", () => {
    const bytes = kernels.pack(SPEC, SMALL);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("TGT1");
    expect([view.getUint16(4, true), view.getUint16(6, true)]).toEqual([0x1234, 7]);
    expect([view.getUint32(8, true), view.getUint16(12, true), view.getUint16(14, true)]).toEqual([2, 2, 3]);
    const heap = utf8("abé漢😀\ufeffx");
    expect([view.getUint32(16, true), view.getUint32(20, true)]).toEqual([heap.length, 3]);
    const words = Array.from({ length: 10 }, (_, i) => view.getUint32(32 + 4 * i, true));
    expect(words).toEqual([1, 0xffffffff, 3, 4, 2, 0, 2, 3, 4, 4]);
    expect(bytes.subarray(72)).toEqual(Uint8Array.of(...heap, 9, 8, 7));
    expect(view.getBigUint64(24, true)).toBe(xxh64(bytes.subarray(32), xxh64(bytes.subarray(0, 24))));
  });

  it("gives back what went in", () => {
    const table = kernels.unpack(SPEC, kernels.pack(SPEC, SMALL));
    expect(table.rows).toBe(2);
    expect([0, 1].flatMap((row) => [0, 1].map((column) => table.column(row, column)))).toEqual(SMALL.columns);
    expect([0, 1].flatMap((row) => [0, 1, 2].map((field) => table.field(row, field)))).toEqual(SMALL.fields);
    expect(table.tail).toEqual(SMALL.tail);
  });

  it("packs and verifies a long tail as a short one", () => {
    const tail = Uint8Array.from({ length: MAX_TABLE_TAIL_INSIDE + 77 }, (_, i) => i * 7);
    const packed = kernels.pack(SPEC, { ...SMALL, tail });
    expect(Buffer.compare(packed, twin.pack(SPEC, { ...SMALL, tail }))).toBe(0);
    const table = kernels.unpack(SPEC, packed);
    expect([table.rows, table.column(0, 1), table.field(1, 1)]).toEqual([2, 0xffffffff, "😀"]);
    expect(Buffer.compare(table.tail, tail)).toBe(0);
    for (const at of [0, 4, 9, 20, 24, 40, 90, packed.length - 1, packed.length >> 1]) {
      const damaged = Uint8Array.from(packed);
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(() => kernels.unpack(SPEC, damaged)).toThrow(CorruptError);
    }
    for (const length of [packed.length - 1, packed.length - tail.length, 40]) {
      expect(() => kernels.unpack(SPEC, packed.subarray(0, length))).toThrow(CorruptError);
    }
  });

  it("packs nothing but a tail, and nothing at all", () => {
    const empty = { rows: 0, columns: [], fields: [] };
    expect(kernels.unpack(SPEC, kernels.pack(SPEC, empty)).rows).toBe(0);
    const tail = kernels.unpack(SPEC, kernels.pack(SPEC, { ...empty, tail: utf8("tail") })).tail;
    expect(tail).toEqual(utf8("tail"));
  });

  it("turns lone surrogates into U+FFFD, also where two halves meet at a boundary", () => {
    const spec = { kind: 1, version: 1, columns: 0, fields: 2 };
    const table = kernels.unpack(spec, kernels.pack(spec, { rows: 1, columns: [], fields: ["a\ud83d", "\ude00b"] }));
    expect([table.field(0, 0), table.field(0, 1)]).toEqual(["a\ufffd", "\ufffdb"]);
  });

  it("keeps a byte order mark at the start of the first field", () => {
    const spec = { kind: 1, version: 1, columns: 0, fields: 1 };
    expect(kernels.unpack(spec, kernels.pack(spec, { rows: 1, columns: [], fields: ["\ufeffa"] })).field(0, 0)).toBe(
      "\ufeffa",
    );
  });

  it("reads a table that lies at an odd address", () => {
    const packed = kernels.pack(SPEC, SMALL);
    const shifted = new Uint8Array(packed.length + 1);
    shifted.set(packed, 1);
    expect(kernels.unpack(SPEC, shifted.subarray(1)).field(1, 1)).toBe("😀");
  });

  it("keeps its own copy of what it has read", () => {
    const packed = kernels.pack(SPEC, SMALL);
    const table = kernels.unpack(SPEC, packed);
    packed.fill(0);
    kernels.pack(SPEC, { ...SMALL, fields: ["x", "x", "x", "x", "x", "x"] });
    expect([table.column(0, 1), table.field(1, 1), table.tail[0]]).toEqual([0xffffffff, "😀", 9]);
  });

  it("refuses every truncation, and bytes behind the end", () => {
    const packed = kernels.pack(SPEC, SMALL);
    for (let length = 0; length < packed.length; length++) {
      expect(reasonOf(kernels, SPEC, packed.subarray(0, length))).toBe("length");
    }
    expect(reasonOf(kernels, SPEC, Uint8Array.of(...packed, 0))).toBe("length");
  });

  it("refuses every single flipped bit", () => {
    const packed = kernels.pack(SPEC, SMALL);
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const damaged = packed.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(reasonOf(kernels, SPEC, damaged), `bit ${bit}`).not.toBe("accepted");
    }
  });

  it("says what is wrong", () => {
    const packed = kernels.pack(SPEC, SMALL);
    expect(reasonOf(kernels, { ...SPEC, kind: 2 }, packed)).toBe("kind");
    expect(reasonOf(kernels, { ...SPEC, version: 8 }, packed)).toBe("version");
    expect(reasonOf(kernels, { ...SPEC, columns: 3 }, packed)).toBe("length");
    expect(reasonOf(kernels, SPEC, Uint8Array.of(0, ...packed.subarray(1)))).toBe("magic");
    expect(reasonOf(kernels, SPEC, packed.with(packed.length - 1, 0))).toBe("checksum");
  });

  it("refuses lengths that overflow or do not fill the heap, though the checksum is right", () => {
    const packed = kernels.pack(SPEC, SMALL);
    const forgeries = [
      // Modulo 2^32 these two add up: 20 bytes a row times 2^30 + 2 rows, and a heap and a tail of together 2^32 more.
      forge(packed, (view) => view.setUint32(8, 0x40000002, true)),
      forge(packed, (view) => {
        view.setUint32(20, view.getUint32(20, true) + view.getUint32(16, true) + 0x100, true);
        view.setUint32(16, 0xffffff00, true);
      }),
      forge(packed, (view) => view.setUint32(16, 0xffffffff, true)),
      forge(packed, (view) => view.setUint32(20, 0xfffffff0, true)),
      forge(packed, (view) => view.setUint32(48, 0xffffffff, true)),
      forge(packed, (view) => view.setUint32(48, 1, true)),
      forge(packed, (view) => {
        view.setUint32(48, 0x80000001, true);
        view.setUint32(52, 0x80000001, true);
      }),
    ];
    for (const forged of forgeries) expect(reasonOf(kernels, SPEC, forged)).toBe("length");
  });

  it("refuses to pack what does not fit its spec or its limit", () => {
    expect(() => kernels.pack(SPEC, { ...SMALL, rows: 3 })).toThrow(RangeError);
    expect(() => kernels.pack(SPEC, { ...SMALL, fields: ["a"] })).toThrow(RangeError);
    expect(() => kernels.pack({ ...SPEC, kind: 65536 }, SMALL)).toThrow(RangeError);
    expect(() => kernels.pack(SPEC, { ...SMALL, columns: [1, 2, 3, 2 ** 32] })).toThrow(RangeError);
    expect(() => kernels.pack(SPEC, { ...SMALL, columns: [1, 2, 3, -1] })).toThrow(RangeError);
    expect(() => kernels.pack(SPEC, { ...SMALL, tail: new Uint8Array(MAX_TABLE_BYTES) })).toThrow(/too large/);
  });

  it("refuses to read a cell outside the table", () => {
    const table = kernels.unpack(SPEC, kernels.pack(SPEC, SMALL));
    for (const [row, index] of [
      [2, 0],
      [0, 3],
      [-1, 0],
      [0, -1],
      [0, Number.NaN],
    ] as const) {
      expect(() => table.field(row, index)).toThrow(RangeError);
      expect(() => table.column(row, index)).toThrow(RangeError);
    }
  });
});

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc
    .array(fc.constantFrom("\ud83d", "\ude00", "a", "é", "漢", "0123456789abcdef"), { maxLength: 8 })
    .map((parts) => parts.join("")),
);
const tables = fc
  .record({ columns: fc.nat(4), fields: fc.nat(5), rows: fc.nat(90) })
  .chain(({ columns, fields, rows }) =>
    fc.record({
      spec: fc.record({
        kind: fc.nat(65535),
        version: fc.nat(65535),
        columns: fc.constant(columns),
        fields: fc.constant(fields),
      }),
      rows: fc.constant(rows),
      columns: fc.array(fc.nat(0xffffffff), { minLength: rows * columns, maxLength: rows * columns }),
      fields: fc.array(text, { minLength: rows * fields, maxLength: rows * fields }),
      tail: fc.option(fc.uint8Array(), { nil: undefined }),
    }),
  );

describe("wasm and twin", () => {
  it("pack the same bytes, and read them back alike", () => {
    fc.assert(
      fc.property(tables, ({ spec, ...input }) => {
        const packed = wasm.pack(spec, input);
        expect(packed).toEqual(twin.pack(spec, input));
        const ours = wasm.unpack(spec, packed);
        const theirs = twin.unpack(spec, packed);
        expect(ours.tail).toEqual(theirs.tail);
        for (let row = 0; row < input.rows; row++) {
          for (let i = 0; i < spec.columns; i++) expect(ours.column(row, i)).toBe(theirs.column(row, i));
          for (let i = 0; i < spec.fields; i++) expect(ours.field(row, i)).toBe(theirs.field(row, i));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("pack bodies of every length around the checksum's stripes alike", () => {
    for (let length = 0; length <= 100; length++) {
      const input = { rows: 0, columns: [], fields: [], tail: new Uint8Array(length).fill(length) };
      expect(wasm.pack(SPEC, input)).toEqual(twin.pack(SPEC, input));
    }
  });

  it("refuse random and damaged bytes alike", () => {
    const dice = random(11);
    const packed = wasm.pack(SPEC, SMALL);
    for (let i = 0; i < 3000; i++) {
      const bytes = i % 3 === 0 ? dice.bytes(dice.int(120)) : packed.slice();
      if (i % 3 > 0) for (let n = 1 + dice.int(4); n > 0; n--) bytes[dice.int(bytes.length)] = dice.int(256);
      const forged = i % 3 === 2 ? forge(bytes, () => undefined) : bytes;
      expect(reasonOf(wasm, SPEC, forged), `round ${i}`).toBe(reasonOf(twin, SPEC, forged));
    }
  });
});
