/** Fuzzing of packed tables: packed byte for byte as by the twin, and read or refused like there, whole, cut anywhere, damaged, and crafted. */
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { xxh64 } from "../../core-wasm/reference/xxh64.ts";
import type { Kernels, TableInput, TableSpec } from "../../core-wasm/types.ts";
import { mutate, type Random } from "../core-wasm/support/random.ts";
import { differ, outcomeOf, plain, type Target, without, withoutBytes } from "./target.ts";

interface Row {
  readonly columns: readonly number[];
  readonly fields: readonly string[];
}
interface Case {
  readonly spec: TableSpec;
  readonly rows: readonly Row[];
  readonly tail: Uint8Array | undefined;
  /** What is read besides; null where only what was packed is. */
  readonly crafted: Uint8Array | null;
}

const twin = createReferenceKernels();
const PIECES = ["", "a", "é", "漢", "😀", "\ufeff", "\0", "\ud83d", "\ude00", "0123456789abcdef", "x".repeat(70)];
const NUMBERS = [0, 1, 7, 0xff, 0x8000_0000, 0xffff_ffff];
const ODD = Uint8Array.of(0, 1, 2, 0x7f, 0x80, 0xff);
const HEADER = 32;
const CHECKSUM_AT = 24;

function inputOf({ rows, tail }: Pick<Case, "rows" | "tail">): TableInput {
  return {
    rows: rows.length,
    columns: rows.flatMap(({ columns }) => columns),
    fields: rows.flatMap(({ fields }) => fields),
    tail,
  };
}

function textOf(random: Random): string {
  return Array.from({ length: random.int(4) }, () => random.pick(PIECES)).join("");
}

/** With the right checksum, mostly. */
function crafted(bytes: Uint8Array, random: Random): Uint8Array {
  const other = mutate(bytes, 4, random, ODD);
  if (other.length < HEADER || random.int(4) === 0) return other;
  const sealed = other.slice();
  const view = new DataView(sealed.buffer);
  view.setBigUint64(CHECKSUM_AT, xxh64(sealed.subarray(HEADER), xxh64(sealed.subarray(0, CHECKSUM_AT))), true);
  return sealed;
}

function read(kernels: Kernels, spec: TableSpec, bytes: Uint8Array): unknown {
  return outcomeOf(() => {
    const table = kernels.unpack(spec, bytes);
    // Rows of nothing may be as many as they like.
    const length = spec.columns + spec.fields === 0 ? 0 : table.rows;
    const rows = Array.from({ length }, (_, row) => ({
      columns: Array.from({ length: spec.columns }, (_cell, at) => table.column(row, at)),
      fields: Array.from({ length: spec.fields }, (_cell, at) => table.field(row, at)),
    }));
    return { length: table.rows, rows, tail: table.tail };
  });
}

/** Whether all fields are UTF-8: then what was read is packed to the same bytes. */
function isUtf8(spec: TableSpec, bytes: Uint8Array, found: unknown): boolean {
  const { length, rows, tail } = found as Pick<Case, "rows" | "tail"> & { readonly length: number };
  if (length !== rows.length) return true;
  return differ(twin.pack(spec, inputOf({ rows, tail })), bytes) === null;
}

/** How crafted bytes are read. Fields that are no UTF-8, which nobody packs, are decoded together by the one and each for itself by the other. */
function readCrafted(kernels: Kernels, spec: TableSpec, bytes: Uint8Array): string | null {
  const [found, expected] = [read(kernels, spec, bytes), read(twin, spec, bytes)];
  if (typeof expected === "string" || isUtf8(spec, bytes, expected)) return differ(found, expected);
  return typeof found === "object" ? null : differ(found, expected);
}

export const tables: Target<Case> = {
  make(random) {
    const spec = { kind: random.int(3), version: random.int(3), columns: random.int(4), fields: random.int(4) };
    const rows = Array.from({ length: random.int(random.pick([3, 40])) }, () => ({
      columns: Array.from({ length: spec.columns }, () => random.pick(NUMBERS)),
      fields: Array.from({ length: spec.fields }, () => textOf(random)),
    }));
    const item: Case = {
      spec,
      rows,
      tail: random.int(3) === 0 ? undefined : random.bytes(random.int(70)),
      crafted: null,
    };
    return random.int(3) === 0 ? item : { ...item, crafted: crafted(twin.pack(spec, inputOf(item)), random) };
  },
  check({ kernels }, item) {
    const { spec } = item;
    const packed = kernels.pack(spec, inputOf(item));
    const wrong =
      differ(packed, twin.pack(spec, inputOf(item))) ?? differ(read(kernels, spec, packed), read(twin, spec, packed));
    if (wrong !== null) return wrong;
    for (let length = 0; item.crafted === null && packed.length < 300 && length < packed.length; length++) {
      const cut = packed.subarray(0, length);
      const apart = differ(read(kernels, spec, cut), read(twin, spec, cut));
      if (apart !== null) return `cut behind ${length} bytes: ${apart}`;
    }
    return item.crafted && readCrafted(kernels, spec, item.crafted);
  },
  *smaller(item) {
    for (const rows of without(item.rows)) yield { ...item, rows };
    if (item.tail !== undefined) yield { ...item, tail: undefined };
    if (item.crafted !== null) for (const fewer of withoutBytes(item.crafted)) yield { ...item, crafted: fewer };
    for (const [at, row] of item.rows.entries()) {
      for (const [field, text] of row.fields.entries())
        for (const units of without(text.split("")))
          yield { ...item, rows: item.rows.with(at, { ...row, fields: row.fields.with(field, units.join("")) }) };
    }
  },
  show: plain,
};
