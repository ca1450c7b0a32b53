/** Flows that the window kernel runs whole, on one partition: what views show at any moment, and what a restart finds. */
import { expect, test, vi } from "vitest";
import { ingestFrame } from "./support/ingest-frame.ts";
import type { ViewReply } from "../../protocol/partition/effects.ts";
import { count, defineApp, flow, int64, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";
import { type Reply, SimPartition } from "../../sim/partition.ts";
import { createRandom } from "../../sim/random.ts";
import { kernels } from "./support/lone-partition.ts";

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

class Bench {
  readonly kinds: string[] = [];
  readonly #replies = new Map<number, Reply>();
  #tickets = 0;
  readonly partition = new SimPartition({
    app,
    kernels,
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
  view(): number {
    const ticket = ++this.#tickets;
    const query = { view: "per-ten", key: undefined, limit: 100, after: undefined };
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
  shown(ticket: number): unknown {
    return JSON.parse((this.#replies.get(ticket) as ViewReply).body) as unknown;
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
