/** Benchmark: a condition over columns, and a part of each text, of a batch as flows have them; columns and bytes go in, results come out. */
import * as ops from "../../core-wasm/column-program.ts";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { ColumnProgram, Kernels, TextRanges } from "../../core-wasm/types.ts";
import { seeded } from "./bids.ts";
import { contest, type KernelResult } from "./harness.ts";

const ROWS = 20_000;
const RUNS = 40;
/** Calls per timed run. */
const REPEAT = 20;
const DAY = 86_400_000;
const HOUR = 3_600_000;
const EUROS = 0.908;

interface Bid {
  readonly price: number;
  readonly dateTime: number;
}

/** euros > 1,000,000 and euros < 50,000,000 and 8 <= hour <= 18 */
const CONDITION: ColumnProgram = {
  constants: Float64Array.of(EUROS, 1_000_000, 50_000_000, DAY, HOUR, 8, 18),
  code: Uint32Array.from(
    [
      [ops.MUL_FLOAT, 9, 7, 0, 0],
      [ops.GT, 10, 9, 1, 0],
      [ops.LT, 11, 9, 2, 0],
      [ops.AND, 12, 10, 11, 0],
      [ops.MODULO, 13, 8, 3, 0],
      [ops.FLOOR_DIV, 14, 13, 4, 0],
      [ops.GE, 15, 14, 5, 0],
      [ops.LE, 16, 14, 6, 0],
      [ops.AND, 17, 15, 16, 0],
      [ops.AND, 18, 12, 17, 0],
    ].flat(),
  ),
  result: 18,
  conditions: true,
};

function benchCondition(kernels: Kernels): KernelResult {
  const random = seeded(8);
  const bids = Array.from({ length: ROWS }, (): Bid => {
    const price = Math.round(10 ** (random() * 6) * 100);
    return { price, dateTime: 1_700_000_000_000 + Math.floor(random() * DAY) };
  });
  const prices = Float64Array.from(bids, ({ price }) => price);
  const times = Float64Array.from(bids, ({ dateTime }) => dateTime);
  const hourOf = (time: number): number => Math.floor((((time % DAY) + DAY) % DAY) / HOUR);
  const count = (marks: ArrayLike<number>): number => {
    let all = 0;
    for (let row = 0; row < marks.length; row++) all += marks[row] as number;
    return all;
  };
  return contest({
    name: "condition over two columns, ten instructions",
    rows: ROWS,
    target: {},
    repeat: REPEAT,
    runs: RUNS,
    wasm: { run: () => count(kernels.runProgram(CONDITION, [prices, times], ROWS) as Uint8Array) },
    idiomatic: {
      run: () =>
        bids.filter(({ price, dateTime }) => {
          const [euros, hour] = [price * EUROS, hourOf(dateTime)];
          return euros > 1_000_000 && euros < 50_000_000 && hour >= 8 && hour <= 18;
        }).length,
    },
    tuned: {
      run: () => {
        const marks = new Uint8Array(ROWS);
        for (let row = 0; row < ROWS; row++) {
          const euros = (prices[row] as number) * EUROS;
          if (euros <= 1_000_000 || euros >= 50_000_000) continue;
          const hour = hourOf(times[row] as number);
          marks[row] = hour >= 8 && hour <= 18 ? 1 : 0;
        }
        return count(marks);
      },
    },
  });
}

const SLASH = 0x2f;
const PART = 4;

function benchSplit(kernels: Kernels): KernelResult {
  const random = seeded(9);
  const word = (): string => Math.floor(random() * 1e9).toString(36);
  const urls = Array.from(
    { length: ROWS },
    () => `https://www.nexmark.com/${word()}/${word()}/${word()}/item.htm?query=1`,
  );
  const encoder = new TextEncoder();
  const bytes = encoder.encode(urls.join(""));
  const [starts, ends] = [new Uint32Array(ROWS), new Uint32Array(ROWS)];
  for (let row = 0, at = 0; row < ROWS; row++) {
    starts[row] = at;
    ends[row] = at += (urls[row] as string).length;
  }
  const texts = { starts, ends };
  const separator = encoder.encode("/");
  const lengths = (ranges: TextRanges): number => {
    let all = 0;
    for (let row = 0; row < ROWS; row++) all += (ranges.ends[row] as number) - (ranges.starts[row] as number);
    return all;
  };
  return contest({
    name: "part of a text, between separators",
    rows: ROWS,
    target: {},
    repeat: REPEAT,
    runs: RUNS,
    wasm: { run: () => lengths(kernels.splitTexts(bytes, texts, separator, PART)) },
    idiomatic: {
      run: () => urls.map((url) => url.split("/")[PART] ?? "").reduce((all, { length }) => all + length, 0),
    },
    tuned: {
      run: () => {
        const [from, to] = [new Uint32Array(ROWS), new Uint32Array(ROWS)];
        for (let row = 0; row < ROWS; row++) {
          const end = ends[row] as number;
          let at = starts[row] as number;
          for (let left = PART; left > 0 && at < end; at++) if (bytes[at] === SLASH) left--;
          from[row] = at;
          while (at < end && bytes[at] !== SLASH) at++;
          to[row] = at;
        }
        return lengths({ starts: from, ends: to });
      },
    },
  });
}

/** Runs the benchmarks. */
export function benchColumns(): KernelResult[] {
  const kernels = createKernels(loadCore());
  return [benchCondition(kernels), benchSplit(kernels)];
}
