/** Sorted blocks: the kernels against their twin, and both against a plain map. */
import { describe, expect, it } from "vitest";
import { BLOCK_FLAG, type BlockRow, CorruptError, type Kernels, type TableSpec } from "../../core-wasm/types.ts";
import { random } from "./support/random.ts";
import { both, twin, utf8, wasm } from "./support/subjects.ts";

const SPEC: TableSpec = { kind: 18, version: 1, columns: 1, fields: 2 };
const TAIL = Uint8Array.of(1, 2, 3, 4);
const REST_TAIL = Uint8Array.of(9);
const ENTITIES = ["a\u0001x\u0001", "a\u0001é\u0001", "a\u0001\uffee\u0001", "a\u0001😀\u0001", "b\u0001\u0001"];
const NAMES = ["c\u0001sa", "c\u0001s", "c\u0001s😀", "c\u0001s\uffff", "d\u0001n0", `d\u0001s${"long".repeat(20)}`];

type Draw = ReturnType<typeof random>;

function compare(a: string, b: string): number {
  return Buffer.compare(utf8(a), utf8(b));
}

/** Rows of random keys, sorted, each once. */
function rowsOf(draw: Draw): BlockRow[] {
  const rows = new Map<string, BlockRow>();
  for (let n = draw.int(25); n > 0; n--) {
    const entity = draw.pick(ENTITIES);
    const isValue = draw.int(3) === 0;
    const key = isValue ? entity : entity + draw.pick(NAMES);
    const deleted = draw.int(3) === 0 ? BLOCK_FLAG.deleted : 0;
    const cleared = isValue && draw.int(3) === 0 ? BLOCK_FLAG.cleared : 0;
    rows.set(key, { flags: deleted | cleared, key, text: deleted ? "" : `t${"é".repeat(draw.int(30))}` });
  }
  return [...rows.values()].sort((a, b) => compare(a.key, b.key));
}

function seal(kernels: Kernels, rows: readonly BlockRow[]): ReturnType<Kernels["sealBlock"]> {
  return kernels.sealBlock(SPEC, {
    flags: rows.map(({ flags }) => flags),
    keys: rows.map(({ key }) => key),
    texts: rows.map(({ text }) => text),
    tail: TAIL,
  });
}

function cut(draw: Draw, rows: readonly BlockRow[]): Uint8Array[] {
  if (rows.length < 2 || draw.int(2) === 0) return rows.length === 0 ? [] : [seal(twin, rows).bytes];
  const at = 1 + draw.int(rows.length - 1);
  return [seal(twin, rows.slice(0, at)).bytes, seal(twin, rows.slice(at)).bytes];
}

const ALL = { from: "", to: "\u{10ffff}", limit: 1_000, reverse: false };

describe.each(both)("%s", (_name, kernels) => {
  it("finds each row by its key, and ranges in both directions", () => {
    const draw = random(1);
    for (let round = 0; round < 60; round++) {
      const rows = rowsOf(draw);
      const { bytes } = seal(kernels, rows);
      for (const entity of ENTITIES) {
        for (const key of [entity, ...NAMES.map((name) => entity + name)]) {
          expect(kernels.findInBlock(SPEC, bytes, key)).toEqual(rows.find((row) => row.key === key) ?? null);
        }
      }
      const [from, to] = [draw.pick(ENTITIES), draw.pick(ENTITIES) + draw.pick(NAMES)];
      const [limit, reverse] = [draw.int(6), draw.int(2) === 0];
      const within = rows.filter(({ key }) => compare(key, from) >= 0 && compare(key, to) < 0);
      const expected = (reverse ? within.reverse() : within).slice(0, limit);
      expect(kernels.rowsOfBlock(SPEC, bytes, { from, to, limit, reverse })).toEqual(expected);
    }
  });

  it("has a filter that lets every key and every clear pass, and few others", () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => `s\u0001key-${n}\u0001`).sort(compare);
    const { filter } = seal(
      kernels,
      keys.map((key, n) => ({ flags: n % 5 === 0 ? BLOCK_FLAG.cleared : 0, key, text: "" })),
    );
    for (const [n, key] of keys.entries()) {
      expect(kernels.mayHold(filter, key, false)).toBe(true);
      if (n % 5 === 0) expect(kernels.mayHold(filter, key, true)).toBe(true);
    }
    const others = Array.from({ length: 10_000 }, (_, n) => `s\u0001other-${n}\u0001`);
    expect(others.filter((key) => kernels.mayHold(filter, key, false)).length).toBeLessThan(200);
    expect(keys.filter((key, n) => n % 5 !== 0 && kernels.mayHold(filter, key, true)).length).toBeLessThan(40);
  });

  it("refuses a block with any byte changed", () => {
    const { bytes } = seal(kernels, rowsOf(random(3)));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ (1 << (at & 7));
      expect(() => kernels.findInBlock(SPEC, damaged, "a")).toThrow(CorruptError);
      expect(() => kernels.rowsOfBlock(SPEC, damaged, ALL)).toThrow(CorruptError);
    }
  });
});

describe("a merge", () => {
  it("gives the twin's bytes, and what maps would give", () => {
    const draw = random(2);
    for (let round = 0; round < 400; round++) {
      const [upper, lower] = [rowsOf(draw), rowsOf(draw)];
      const until = draw.int(2) === 0 ? null : draw.pick(ENTITIES) + (draw.int(2) === 0 ? "" : draw.pick(NAMES));
      const bottom = draw.int(2) === 0;
      const input = {
        spec: SPEC,
        upper: cut(draw, upper),
        lower: cut(draw, lower),
        until,
        bottom,
        blockBytes: 50 + draw.int(400),
        mergedTail: TAIL,
        restTail: REST_TAIL,
      };
      const found = wasm.mergeBlocks(input);
      expect(found).toEqual(twin.mergeBlocks(input));
      const all = (blocks: typeof found.merged) => blocks.flatMap(({ bytes }) => wasm.rowsOfBlock(SPEC, bytes, ALL));
      const moved = upper.filter(({ key }) => until === null || compare(key, until) < 0);
      expect(all(found.rest)).toEqual(upper.slice(moved.length));
      expect(all(found.merged)).toEqual(expected(moved, lower, bottom));
      for (const { bytes, first, last } of [...found.merged, ...found.rest]) {
        const rows = wasm.rowsOfBlock(SPEC, bytes, ALL);
        expect([first, last]).toEqual([rows[0]?.key, rows.at(-1)?.key]);
      }
    }
  });
});

it("a merge leaves out what is under a cleared key, behind others that are cleared under it too", () => {
  const upper = [
    { flags: BLOCK_FLAG.cleared, key: "a", text: "new" },
    { flags: BLOCK_FLAG.cleared, key: "ab", text: "" },
  ];
  const lower = ["aa", "ab", "abc", "ac", "b"].map((key) => ({ flags: BLOCK_FLAG.cleared, key, text: "old" }));
  for (const kernels of [wasm, twin]) {
    const input = { spec: SPEC, upper: [seal(twin, upper).bytes], lower: [seal(twin, lower).bytes], until: null };
    const tails = { mergedTail: TAIL, restTail: REST_TAIL };
    const { merged } = kernels.mergeBlocks({ ...input, ...tails, bottom: false, blockBytes: 1_000 });
    const rows = merged.flatMap(({ bytes }) => kernels.rowsOfBlock(SPEC, bytes, ALL));
    expect(rows).toEqual([...upper, lower.at(-1)]);
  }
});

function expected(upper: readonly BlockRow[], lower: readonly BlockRow[], bottom: boolean): BlockRow[] {
  const rows = new Map<string, BlockRow>(lower.map((row) => [row.key, row]));
  for (const row of upper) {
    const wasCleared = (rows.get(row.key)?.flags ?? 0) & BLOCK_FLAG.cleared;
    if ((row.flags & BLOCK_FLAG.cleared) !== 0)
      for (const key of rows.keys()) if (key.startsWith(row.key)) rows.delete(key);
    rows.set(row.key, { ...row, flags: row.flags | wasCleared });
  }
  const sorted = [...rows.values()].sort((a, b) => compare(a.key, b.key));
  if (!bottom) return sorted;
  return sorted.filter(({ flags }) => (flags & BLOCK_FLAG.deleted) === 0).map((row) => ({ ...row, flags: 0 }));
}
