/** Benchmarks of windowed aggregation alone: the events are there already, as objects, as typed arrays, and as a parsed frame. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { Kernels, WindowPlan } from "../../core-wasm/types.ts";
import { MIN_PRICE, WINDOW_MS, makeBids, seeded } from "./bids.ts";
import { type Contest, type KernelResult, type Target, contest } from "./harness.ts";
import { BID_COLUMNS, BID_PLAN } from "./ingest.ts";

/** More than the processor's cache holds as objects; as columns they are a frame that stays where it was parsed. */
const BIDS = 300_000;
const GROUP_TARGET: Target = { idiomatic: 7, tuned: 1.5 };
const FILTER_TARGET: Target = { idiomatic: 15, tuned: 4 };
const SLOTS = 1 << 18;

interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly dateTime: number;
}

interface Columns {
  readonly auction: Float64Array;
  readonly price: Float64Array;
  readonly dateTime: Float64Array;
}

/** Rows that passed and groups that are open, as a digest. */
function digest(applied: number, groups: number): string {
  return `${applied} rows, ${groups} groups`;
}

interface Sums {
  count: number;
  sum: number;
  min: number;
  max: number;
}

type Windows = Map<number, Map<number, Sums>>;

/** One object per event, a Map per window. */
function groupIdiomatic(windows: Windows, bids: readonly Bid[], minPrice: number, ofAll: boolean): string {
  const passed = bids.filter(({ price }) => price >= minPrice);
  for (const { auction, price, dateTime } of passed) {
    const start = Math.floor(dateTime / WINDOW_MS) * WINDOW_MS;
    let window = windows.get(start);
    if (window === undefined) windows.set(start, (window = new Map()));
    const key = ofAll ? 0 : auction;
    const group = window.get(key);
    if (group === undefined) {
      window.set(key, { count: 1, sum: price, min: price, max: price });
    } else {
      group.count++;
      group.sum += price;
      group.min = Math.min(group.min, price);
      group.max = Math.max(group.max, price);
    }
  }
  let groups = 0;
  for (const window of windows.values()) groups += window.size;
  return digest(passed.length, groups);
}

const keys = new Float64Array(SLOTS);
const starts = new Float64Array(SLOTS);
const counts = new Uint32Array(SLOTS);
const sums = new Float64Array(SLOTS);
const minima = new Float64Array(SLOTS);
const maxima = new Float64Array(SLOTS);
let tunedGroups = 0;

/** Typed arrays, one open-addressing table, division only when the window changes. */
function groupTuned({ auction, price, dateTime }: Columns, minPrice: number, ofAll: boolean): string {
  let applied = 0;
  let start = 0;
  let end = 0;
  for (let row = 0; row < price.length; row++) {
    const value = price[row] as number;
    if (value < minPrice) continue;
    applied++;
    const time = dateTime[row] as number;
    if (time < start || time >= end) {
      start = Math.floor(time / WINDOW_MS) * WINDOW_MS;
      end = start + WINDOW_MS;
    }
    const key = ofAll ? 0 : (auction[row] as number);
    let slot = Math.imul(key, 0x9e3779b1) ^ Math.imul(start / WINDOW_MS, 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & (SLOTS - 1);
    while (counts[slot] !== 0 && (keys[slot] !== key || starts[slot] !== start)) slot = (slot + 1) & (SLOTS - 1);
    if (counts[slot] === 0) {
      tunedGroups++;
      keys[slot] = key;
      starts[slot] = start;
      sums[slot] = 0;
      minima[slot] = value;
      maxima[slot] = value;
    }
    counts[slot] = (counts[slot] as number) + 1;
    sums[slot] = (sums[slot] as number) + value;
    if (value < (minima[slot] as number)) minima[slot] = value;
    if (value > (maxima[slot] as number)) maxima[slot] = value;
  }
  return digest(applied, tunedGroups);
}

function compare(
  name: string,
  target: Target,
  kernels: Kernels,
  bids: readonly Bid[],
  minPrice: number,
  ofAll: boolean,
): Contest {
  const given = bids.map((bid) => (ofAll ? { ...bid, auction: 0 } : bid));
  const body = new TextEncoder().encode(given.map((bid) => JSON.stringify(bid)).join("\n"));
  const parsed = kernels.parseEvents(body, BID_COLUMNS);
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.fault)}`);
  const columns: Columns = {
    auction: Float64Array.from(given, ({ auction }) => auction),
    price: Float64Array.from(given, ({ price }) => price),
    dateTime: Float64Array.from(given, ({ dateTime }) => dateTime),
  };
  counts.fill(0);
  tunedGroups = 0;
  const windows: Windows = new Map();
  const plan: WindowPlan = { ...BID_PLAN, filter: [{ column: 1, op: "ge", value: minPrice }] };
  const state = kernels.openWindow(plan);
  return {
    name,
    rows: BIDS,
    target,
    wasm: { run: () => digest(state.apply(parsed.frame, -(2n ** 63n)).applied, state.groups) },
    idiomatic: { run: () => groupIdiomatic(windows, given, minPrice, ofAll) },
    tuned: { run: () => groupTuned(columns, minPrice, ofAll) },
  };
}

/** A million rows in one window, in four batches, over keys of which some are far more frequent than others: what a flow of few keys does all day. */
const ROWS = 250_000;
const TIMES = 4;
const KEYS = 4_000;
const FOREVER = 2 ** 42;

function byKey(kernels: Kernels): Contest {
  const random = seeded(3);
  const auction = Float64Array.from({ length: ROWS }, () => Math.floor(random() * random() * KEYS));
  const price = Float64Array.from({ length: ROWS }, () => Math.floor(random() * 1_000));
  const dateTime = Float64Array.from({ length: ROWS }, (_, row) => row >> 10);
  const lines = Array.from(
    auction,
    (key, row) => `{"auction":${key},"price":${price[row]},"dateTime":${dateTime[row]}}`,
  );
  const parsed = kernels.parseEvents(new TextEncoder().encode(lines.join("\n")), BID_COLUMNS);
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.fault)}`);
  const state = kernels.openWindow({ ...BID_PLAN, filter: [], size: FOREVER });
  const groups = new Map<number, Sums>();
  const columns: Columns = { auction, price, dateTime };
  return {
    name: "hash group-by over 4,000 keys",
    rows: ROWS * TIMES,
    repeat: TIMES,
    target: GROUP_TARGET,
    wasm: { run: () => digest(state.apply(parsed.frame, -(2n ** 63n)).applied, state.groups) },
    idiomatic: { run: () => mapByKey(groups, columns) },
    tuned: { run: () => tunedByKey(columns) },
  };
}

/** A Map of objects. */
function mapByKey(groups: Map<number, Sums>, { auction, price }: Columns): string {
  for (let row = 0; row < ROWS; row++) {
    const value = price[row] as number;
    const group = groups.get(auction[row] as number);
    if (group === undefined) {
      groups.set(auction[row] as number, { count: 1, sum: value, min: value, max: value });
      continue;
    }
    group.count++;
    group.sum += value;
    if (value < group.min) group.min = value;
    if (value > group.max) group.max = value;
  }
  return digest(ROWS, groups.size);
}

/** One open-addressing table in typed arrays: it knows that there is one window, and checks no sum. */
function tunedByKey({ auction, price }: Columns): string {
  const mask = (1 << 14) - 1;
  for (let row = 0; row < ROWS; row++) {
    const key = auction[row] as number;
    const value = price[row] as number;
    let slot = (Math.imul(key, 0x9e3779b1) >>> 8) & mask;
    while (counts[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
    if (counts[slot] === 0) {
      tunedGroups++;
      keys[slot] = key;
      sums[slot] = 0;
      minima[slot] = value;
      maxima[slot] = value;
    }
    counts[slot] = (counts[slot] as number) + 1;
    sums[slot] = (sums[slot] as number) + value;
    if (value < (minima[slot] as number)) minima[slot] = value;
    if (value > (maxima[slot] as number)) maxima[slot] = value;
  }
  return digest(ROWS, tunedGroups);
}

/** Clears the table that the tuned contenders share, then runs. */
function fresh(make: () => Contest): KernelResult {
  counts.fill(0);
  tunedGroups = 0;
  return contest(make());
}

/** Runs the benchmarks: the same batch again and again over a state that stays, as a flow's does; for the kernel the frame that was parsed last. */
export function benchWindow(): KernelResult[] {
  const kernels = createKernels(loadCore());
  const lines = new TextDecoder().decode(makeBids(BIDS)).trimEnd().split("\n");
  const bids = lines.map((line) => {
    const { auction, price, dateTime } = JSON.parse(line) as Bid;
    return { auction, price, dateTime };
  });
  return [
    fresh(() => byKey(kernels)),
    contest(compare("window group-by, 60,000 groups", GROUP_TARGET, kernels, bids, MIN_PRICE, false)),
    contest(compare("filter and window, 1 row in 10", FILTER_TARGET, kernels, bids, 251_000, true)),
  ];
}
