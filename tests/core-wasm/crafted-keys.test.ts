/** Keys that were made to have one hash, by who knows how hashes are made but not the seed: they take no longer than others, and no result shows the seed. */
import { describe, expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { type Cell, encodeColumns } from "../../core-wasm/reference/columns.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { EventColumn, Kernels, WindowPlan } from "../../core-wasm/types.ts";
import { random as seeded } from "./support/random.ts";
import { core, utf8, wasm } from "./support/subjects.ts";
import { INT64_MIN } from "./support/windows.ts";

const GOLDEN = 0x9e3779b97f4a7c15n;
const PRIME = 0xc2b2ae3d27d4eb4fn;
const TIME = 1_790_000_000_000n;
const word = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The number that gives 1 when multiplied with `odd`, modulo 2^64, by Newton's method. */
function inverse(odd: bigint): bigint {
  let found = odd;
  for (let i = 0; i < 6; i++) found = word(found * (2n - odd * found));
  return found;
}
const INVERSE = inverse(GOLDEN);

/** Their products with the golden ratio are the numbers from 0: the upper halves, of which slots were made, are all 0. */
function craftedNumbers(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt.asIntN(64, BigInt(i) * INVERSE));
}

/** 16 bytes each: the latter half takes back what the former had made of the hash. */
function craftedTexts(count: number): string[] {
  const random = seeded(1);
  const view = new DataView(new ArrayBuffer(16));
  const texts = new Set<string>();
  while (texts.size < count) {
    const low = (BigInt(random.int(2 ** 32)) << 32n) | BigInt(random.int(2 ** 32));
    const ascii = low & 0x0f0f0f0f0f0f0f0fn;
    const once = word((word(16n * GOLDEN) ^ ascii ^ GOLDEN) * PRIME);
    const high = word(once << 32n) | (once >> 32n);
    if ((high & 0x8080808080808080n) !== 0n) continue;
    view.setBigUint64(0, ascii, true);
    view.setBigUint64(8, high, true);
    texts.add(new TextDecoder().decode(view.buffer));
  }
  return [...texts];
}

function columnsOf(key: "i64" | "text"): readonly EventColumn[] {
  return [
    { name: "time", type: "i64" },
    { name: "key", type: key },
  ];
}
function planOf(key: "i64" | "text", more: Partial<WindowPlan> = {}): WindowPlan {
  return { columns: columnsOf(key), filter: [], key: 1, time: 0, size: 60_000, measures: [0], maxGroups: 1e6, ...more };
}
function frameOf(key: "i64" | "text", keys: readonly Cell[], time = (_row: number): bigint => TIME): Uint8Array {
  return encodeColumns(columnsOf(key), [keys.map((_, row) => time(row)), keys], keys.length);
}

/** The least of some times, in milliseconds: of what else runs on this machine it shows the least. */
function fastest(run: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const began = performance.now();
    run();
    return performance.now() - began;
  });
  return Math.min(...times);
}

describe("crafted keys take no longer than others", () => {
  const COUNT = 30_000;
  /** They took 500 times as long, and more. */
  const TIMES = 20;
  const numbers = craftedNumbers(COUNT);
  const plain = numbers.map((_, i) => BigInt(i) * 7919n);

  test.each([
    ["added as they are found", [0]],
    ["located before they are added to", [0, 0]],
  ])("numbers of a window, %s, and when they are loaded", (_name, measures) => {
    const times = [plain, numbers].map((keys) => {
      const frame = frameOf("i64", keys);
      return fastest(() => {
        const state = wasm.openWindow(planOf("i64", { measures }));
        expect(state.apply(frame, INT64_MIN).applied).toBe(COUNT);
        const loaded = wasm.openWindow(planOf("i64", { measures }));
        loaded.load(state.snapshot());
        expect(loaded.groups).toBe(COUNT);
        for (const each of [state, loaded]) each.free();
      });
    }) as [number, number];
    expect(times[1]).toBeLessThan(TIMES * times[0]);
  });

  test("texts, as they are read and as keys of a window", () => {
    const times = [plain.map((_, i) => String(i).padStart(16, "0")), craftedTexts(COUNT)].map((texts) => {
      // Where the first ones are alike, all are looked up.
      const lines = [...Array.from({ length: 1_024 }, () => "x"), ...texts].map((key) =>
        JSON.stringify({ time: 1, key }),
      );
      const body = utf8(lines.join("\n"));
      return fastest(() => {
        const parsed = wasm.parseEvents(body, columnsOf("text"), "ndjson", { repeats: true });
        if (!parsed.ok) throw new Error(parsed.fault.code);
        const state = wasm.openWindow(planOf("text"));
        expect(state.apply(parsed.frame, INT64_MIN).applied).toBe(COUNT + 1_024);
        state.free();
      });
    }) as [number, number];
    expect(times[1]).toBeLessThan(TIMES * times[0]);
  });
});

const NUMBERS = craftedNumbers(3_000);
const TEXTS = craftedTexts(3_000);

/** All that comes out while batches of plain and crafted keys go through windows that are closed, refused and loaded. */
function outcomes(kernels: Kernels, key: "i64" | "text", measures: readonly number[]): unknown[] {
  const random = seeded(5);
  const crafted: readonly Cell[] = key === "i64" ? NUMBERS : TEXTS;
  const plan = planOf(key, { measures, maxGroups: 6_000 });
  const state = kernels.openWindow(plan);
  const seen: unknown[] = [];
  for (let batch = 0; batch < 12; batch++) {
    const start = TIME + BigInt(batch * 20_000);
    const keys = Array.from({ length: 1_500 }, (_, row) => {
      if (batch > 3 && random.int(2) === 0) return crafted[random.int(crafted.length)] as Cell;
      return key === "i64" ? BigInt(row) : `key-${row}`;
    });
    const frame = frameOf(key, keys, () => start + BigInt(random.int(90_000)));
    try {
      seen.push(state.apply(frame, INT64_MIN));
    } catch (error) {
      seen.push(String(error));
    }
    seen.push(state.takeDelta());
    if (batch % 4 === 3) seen.push(state.close(start), state.takeDelta(), state.held, state.groups);
  }
  const loaded = kernels.openWindow(plan);
  loaded.load(state.snapshot());
  seen.push(state.snapshot(), loaded.snapshot());
  return seen;
}

const SEEDS = [[], [1, 2, 3, 4], [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [7, 0, 0, 9]];

test.each([
  ["i64", [0]],
  ["i64", [0, 0]],
  ["text", [0]],
] as const)("windows of %s keys, with measures %o, are the twin's by every seed", (key, measures) => {
  const expected = outcomes(createReferenceKernels(), key, measures);
  for (const seed of SEEDS) expect(outcomes(createKernels(core, seed), key, measures)).toEqual(expected);
  expect(outcomes(createKernels(core), key, measures)).toEqual(expected);
});

test("events are the twin's by every seed", () => {
  const body = utf8(TEXTS.map((key, i) => JSON.stringify({ time: i, key: key.slice(i % 3) })).join("\n"));
  const parsed = (kernels: Kernels) => kernels.parseEvents(body, columnsOf("text"));
  const expected = parsed(createReferenceKernels());
  for (const seed of SEEDS) expect(parsed(createKernels(core, seed))).toEqual(expected);
});
