/** Flows that the window kernel runs whole, on one partition: what views show at any moment, and what a restart finds. */
import { expect, test, vi } from "vitest";
import { ingestFrame } from "./support/ingest-frame.ts";
import type { Kernels, WindowGroup } from "../../core-wasm/types.ts";
import type { ViewReply, ViewRequest } from "../../protocol/partition/effects.ts";
import { count, defineApp, flow, int64, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";
import { type Reply, SimPartition } from "../../sim/partition.ts";
import { createRandom } from "../../sim/random.ts";
import { kernels } from "./support/lone-partition.ts";
import { useLimits } from "../support/limits.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  return smallLimits(await original());
});

const Reading = stream("readings", { meter: text(), value: int64(), at: timestamp() });
const perTen = flow("per-ten")
  .from(Reading, { time: "at" })
  .filter((e) => e.value.gt(0))
  .keyBy("meter")
  .window(tumbling(10))
  .aggregate({ n: count(), total: sum("value") })
  .toView("per-ten");
const app = defineApp({ services: [], flows: [perTen], partitions: 1 });

type Event = readonly [meter: string, value: number, at: number];
const row = (key: string, start: number, [n, total]: readonly [number, number], final: boolean) => ({
  key,
  window: { start, end: start + 10 },
  n,
  total,
  final,
});

interface Shown {
  readonly rows: readonly Record<string, unknown>[];
  readonly next?: string;
}

/** Counts how often open groups are packed, and which packed groups are decoded. */
class Counted {
  packed = 0;
  decoded = 0;
  readonly kernels: Kernels = {
    ...kernels,
    openWindow: (plan) => {
      const state = kernels.openWindow(plan);
      const snapshot = () => {
        this.packed += 1;
        return Object.getPrototypeOf(state).snapshot.call(state) as Uint8Array;
      };
      return Object.assign(state, { snapshot });
    },
    openGroups: (bytes) => {
      const groups = kernels.openGroups(bytes);
      const group = (at: number): WindowGroup => {
        this.decoded += 1;
        return groups.group(at);
      };
      return { rows: groups.rows, group, rowsOf: (key) => groups.rowsOf(key) };
    },
  };

  /** What is counted meanwhile. */
  async during(act: () => Promise<unknown>): Promise<{ packed: number; decoded: number }> {
    [this.packed, this.decoded] = [0, 0];
    await act();
    return { packed: this.packed, decoded: this.decoded };
  }
}

class Bench {
  readonly counted = new Counted();
  readonly kinds: string[] = [];
  readonly #replies = new Map<number, Reply>();
  #tickets = 0;
  readonly partition = new SimPartition({
    app,
    kernels: this.counted.kernels,
    random: createRandom(1),
    left: (ticket, reply) => void this.#replies.set(ticket, reply),
    durable: (ops) => void this.kinds.push(...ops.map(({ op }) => op)),
  });

  /** Returns its ticket; nothing that follows has happened. */
  ingest(...events: readonly Event[]): number {
    const ticket = ++this.#tickets;
    const readings = events.map(([meter, value, at]) => ({ meter, value, at }));
    this.partition.ingest(ticket, ingestFrame(app, "readings", ticket, readings));
    return ticket;
  }
  view(asked: Partial<ViewRequest> = {}): number {
    const ticket = ++this.#tickets;
    const query = { view: "per-ten", key: undefined, limit: 100, after: undefined, ...asked };
    this.partition.engine.input({ kind: "view", ticket, query });
    return ticket;
  }
  async settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const moves = this.partition.moves();
      if (moves.length === 0) return;
      for (const move of moves) move();
    }
  }
  shown(ticket: number): Shown {
    return JSON.parse((this.#replies.get(ticket) as ViewReply).body) as Shown;
  }
  async page(asked: Partial<ViewRequest>): Promise<Shown> {
    const ticket = this.view(asked);
    await this.settle();
    return this.shown(ticket);
  }
  /** The rows of each page. */
  async pages(asked: Partial<ViewRequest>): Promise<Array<Shown["rows"]>> {
    const pages: Array<Shown["rows"]> = [];
    for (let after = asked.after; ;) {
      const { rows, next } = await this.page({ ...asked, after });
      pages.push(rows);
      if (next === undefined) return pages;
      after = next;
    }
  }
}

test("a view that is asked for in the turn in which windows end shows them", async () => {
  const bench = new Bench();
  bench.ingest(["a", 1, 1], ["b", 2, 2]);
  await bench.settle();
  bench.ingest(["a", 4, 12]);
  const meanwhile = bench.view();
  await bench.settle();
  const later = bench.view();
  await bench.settle();
  const rows = [row("a", 0, [1, 1], true), row("b", 0, [1, 2], true), row("a", 10, [1, 4], false)];
  expect(bench.shown(meanwhile)).toEqual({ rows, watermark: 12, events: 3, late: 0, batches: 2 });
  expect(bench.shown(later)).toEqual(bench.shown(meanwhile));
});

test("a batch of which no window takes anything moves time on all the same, whatever is folded and lost behind it", async () => {
  const bench = new Bench();
  bench.ingest(["a", 1, 1]);
  await bench.settle();
  const folds = () => bench.kinds.filter((kind) => kind === "drop-records").length;
  // What a fold leaves is a checkpoint: then there is only what is filtered out.
  for (const times of [2, 4])
    while (folds() < times) {
      bench.ingest(["a", -1, 5]);
      await bench.settle();
    }
  bench.ingest(["a", -1, 30]);
  const before = bench.view();
  await bench.settle();
  const known = folds();
  while (folds() === known) {
    bench.ingest(["a", 0, 7]);
    await bench.settle();
  }
  const folded = bench.view();
  await bench.settle();
  bench.partition.crash();
  const after = bench.view();
  await bench.settle();
  expect(bench.shown(before)).toMatchObject({ rows: [row("a", 0, [1, 1], true)], watermark: 30 });
  expect(bench.shown(after)).toEqual(bench.shown(folded));
  expect(bench.shown(after)).toMatchObject({ watermark: 30 });
});

const limits = useLimits();
const METERS = Array.from({ length: 40 }, (_, at) => `m${at}`);

/** Four closed windows and two open ones, of all meters; `seldom` is in the second and the last alone. */
async function filled(): Promise<Bench> {
  const bench = new Bench();
  for (let window = 0; window < 6; window++) {
    const meters = window % 4 === 1 ? [...METERS, "seldom"] : METERS;
    bench.ingest(...meters.map((meter): Event => [meter, window + 1, window === 5 ? 49 : window * 10]));
    if (window === 4) bench.ingest(...METERS.map((meter): Event => [meter, 1, 41]));
    await bench.settle();
  }
  return bench;
}

test("of a view's groups no more are decoded than an answer shows, and all are packed for none of one key", async () => {
  const bench = await filled();
  const { counted } = bench;
  // The last group of each closed window is looked at, too: the next page would begin behind it.
  expect(await counted.during(() => bench.page({ key: "m7" }))).toEqual({ packed: 0, decoded: 4 + 4 });
  expect(await counted.during(() => bench.page({ key: "nobody" }))).toEqual({ packed: 0, decoded: 4 });
  expect(await counted.during(() => bench.page({ limit: 3 }))).toEqual({ packed: 0, decoded: 4 });
  expect(await counted.during(() => bench.page({ limit: 0 }))).toEqual({ packed: 0, decoded: 0 });
  expect(await bench.page({ limit: 0 })).toMatchObject({ rows: [], watermark: 49, batches: 7 });
});

test("open groups are packed once for all pages, and again when a batch has come or windows have closed", async () => {
  const bench = await filled();
  const { counted } = bench;
  const after = '39/"m9"';
  expect((await counted.during(() => bench.pages({ limit: 7, after }))).packed).toBe(1);
  expect((await counted.during(() => bench.pages({ limit: 7 }))).packed).toBe(0);
  bench.ingest(["m1", 1, 48]);
  await bench.settle();
  expect((await bench.page({ key: "m1", after: '30/"z"' })).rows).toEqual([row("m1", 40, [4, 13], false)]);
  expect((await counted.during(() => bench.page({ after: '30/"z"' }))).packed).toBe(1);
  bench.ingest(["m1", -1, 50]);
  await bench.settle();
  expect((await bench.page({ after: '30/"z"' })).rows[0]).toMatchObject({ key: "m0", final: true });
  limits.maxShownGroupsBytes = 10;
  bench.ingest(["m1", 1, 51]);
  await bench.settle();
  expect((await counted.during(() => bench.pages({ limit: 1, after: '40/"z"' }))).packed).toBe(1);
  expect((await counted.during(() => bench.page({ limit: 1, after: '40/"z"' }))).packed).toBe(1);
});

test("an answer reads so many closed windows at most, and the next one begins behind them", async () => {
  const bench = await filled();
  const asks = [{ key: "m7" }, { key: "seldom" }, { key: "nobody" }, { limit: 9 }, { key: "m7", limit: 1 }];
  const whole: Array<Shown["rows"]> = [];
  for (const ask of asks) whole.push((await bench.pages(ask)).flat());
  expect((await bench.pages({ key: "seldom" })).length).toBe(1);
  // The one that a cursor is in is read again.
  limits.maxViewReadBytes = 2 * limits.leastViewReadBytes;
  expect((await bench.pages({ key: "seldom" })).map((rows) => rows.length)).toEqual([1, 0, 1]);
  limits.maxViewReadBytes = 1;
  for (const [at, ask] of asks.entries()) expect((await bench.pages(ask)).flat()).toEqual(whole[at]);
  // Who may see a key's rows may not see which others there are.
  expect((await bench.page({ key: "seldom" })).next).toBe('0/"seldom"');
  // Each page has read one window more, and the last one those that are open, too.
  expect((await bench.pages({ key: "seldom" })).map((rows) => rows.length)).toEqual([0, 1, 0, 1]);
});
