/** Fuzzing of sorted blocks: sealed, searched and merged as the twin does it, however rows are cut into blocks; and damaged ones. */
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { BLOCK_FLAG, type BlockRow, type Kernels, type SealedBlock, type TableSpec } from "../../core-wasm/types.ts";
import { mutate, type Random, random as seeded } from "../core-wasm/support/random.ts";
import { utf8 } from "../core-wasm/support/subjects.ts";
import { differ, outcomeOf, plain, type Target, without } from "./target.ts";

interface Case {
  readonly upper: readonly BlockRow[];
  readonly lower: readonly BlockRow[];
  /** How the rows are cut into blocks: so many in the first of each. */
  readonly cuts: readonly [upper: number, lower: number];
  readonly until: string | null;
  readonly bottom: boolean;
  readonly blockBytes: number;
  readonly range: { readonly from: string; readonly to: string; readonly limit: number; readonly reverse: boolean };
  /** Damages the bytes of the lower rows' block. */
  readonly damage: number | null;
}

const SPEC: TableSpec = { kind: 18, version: 1, columns: 1, fields: 2 };
const TAIL = Uint8Array.of(1, 2, 3, 4);
const twin = createReferenceKernels();
/** What keys are made of: few pieces, so that many begin like others; their order by UTF-8 is not that of JavaScript's strings. */
const PIECES = ["", "a", "b", "\u0001", "é", "\uffee", "😀", "long".repeat(9)];

const keyOf = (random: Random): string => Array.from({ length: random.int(5) }, () => random.pick(PIECES)).join("");
const compare = (a: string, b: string): number => Buffer.compare(utf8(a), utf8(b));

function rowsOf(random: Random): BlockRow[] {
  const rows = new Map<string, BlockRow>();
  for (let left = random.int(25); left > 0; left--) {
    const key = keyOf(random);
    const flags = random.int(3) === 0 ? random.int(1 + (BLOCK_FLAG.deleted | BLOCK_FLAG.cleared)) : 0;
    const text = (flags & BLOCK_FLAG.deleted) === 0 ? `t${"é".repeat(random.int(30))}` : "";
    rows.set(key, { flags, key, text });
  }
  return [...rows.values()].sort((a, b) => compare(a.key, b.key));
}

function seal(kernels: Kernels, rows: readonly BlockRow[]): SealedBlock {
  const [flags, keys, texts] = [rows.map((row) => row.flags), rows.map(({ key }) => key), rows.map(({ text }) => text)];
  return kernels.sealBlock(SPEC, { flags, keys, texts, tail: TAIL });
}

function blocksOf(rows: readonly BlockRow[], cut: number): Uint8Array[] {
  return [rows.slice(0, cut), rows.slice(cut)].filter((some) => some.length > 0).map((some) => seal(twin, some).bytes);
}

function merge(kernels: Kernels, { upper, lower, cuts, until, bottom, blockBytes }: Case): unknown {
  const [newer, older] = [blocksOf(upper, cuts[0]), blocksOf(lower, cuts[1])];
  const tails = { mergedTail: TAIL, restTail: Uint8Array.of(9) };
  return kernels.mergeBlocks({ spec: SPEC, upper: newer, lower: older, until, bottom, blockBytes, ...tails });
}

function search(kernels: Kernels, { upper, lower, range }: Case): unknown {
  const { bytes, filter } = seal(kernels, lower);
  const keys = [...upper, ...lower].map(({ key }) => key);
  return {
    bytes,
    filter,
    found: keys.map((key) => kernels.findInBlock(SPEC, bytes, key)),
    held: keys.map((key) => [false, true].map((cleared) => kernels.mayHold(filter, key, cleared))),
    range: kernels.rowsOfBlock(SPEC, bytes, range),
  };
}

/** What any use says of damaged bytes. */
function damaged(kernels: Kernels, bytes: Uint8Array): unknown {
  return [
    outcomeOf(() => kernels.checkBlock(SPEC, bytes)),
    outcomeOf(() => kernels.findInBlock(SPEC, bytes, "a")),
    outcomeOf(() => kernels.rowsOfBlock(SPEC, bytes, { from: "", to: "\u{10ffff}", limit: 100, reverse: false })),
  ];
}

export const blocks: Target<Case> = {
  make(random) {
    const [upper, lower] = [rowsOf(random), rowsOf(random)];
    return {
      upper,
      lower,
      cuts: [random.int(upper.length + 1), random.int(lower.length + 1)],
      until: random.int(2) === 0 ? null : keyOf(random),
      bottom: random.int(2) === 0,
      blockBytes: 50 + random.int(400),
      range: { from: keyOf(random), to: keyOf(random), limit: random.int(8), reverse: random.int(2) === 0 },
      damage: random.int(3) === 0 ? 1 + random.int(1 << 30) : null,
    };
  },
  check({ kernels }, item) {
    const wrong = differ(search(kernels, item), search(twin, item)) ?? differ(merge(kernels, item), merge(twin, item));
    if (wrong !== null || item.damage === null) return wrong;
    const bytes = seal(twin, item.lower).bytes;
    const other = mutate(bytes, 2, seeded(item.damage), Uint8Array.of(0, 1, 0xff));
    return differ(damaged(kernels, other), damaged(twin, other));
  },
  *smaller(item) {
    for (const upper of without(item.upper)) yield { ...item, upper };
    for (const lower of without(item.lower)) yield { ...item, lower };
    if (item.until !== null) yield { ...item, until: null };
    for (const [at, row] of item.lower.entries())
      if (row.text.length > 1) yield { ...item, lower: item.lower.with(at, { ...row, text: "t" }) };
  },
  show: plain,
};
