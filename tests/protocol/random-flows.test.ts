/** Any flow, changed into any other while events come: it shows what a plain evaluation does, or says what it would lose. */
import { expect, test } from "vitest";
import { createRandom, type Random } from "../../sim/random.ts";
import { Draw } from "./random-flows/draw.ts";
import { build, type Graph, shownNodes, type StreamName } from "./random-flows/graph.ts";
import { type Event, Oracle } from "./random-flows/oracle.ts";
import { FlowBench } from "./support/flow-bench.ts";

const SEEDS = 300;
const VERSIONS = 4;
const BATCHES = 3;

test(`${SEEDS} flows in ${VERSIONS} versions`, async () => {
  for (let seed = 0; seed < SEEDS; seed++) await run(seed);
}, 120_000);

async function run(seed: number): Promise<void> {
  const random = createRandom(seed);
  const draw = new Draw(random);
  let graph = draw.graph();
  const bench = new FlowBench(build(graph));
  const oracle = new Oracle(graph);
  const told: unknown[] = [graph];
  let now = 100;
  const explain = (): string => `seed ${seed}: ${told.map((each) => JSON.stringify(each)).join("\n")}`;
  try {
    for (let version = 0; version < VERSIONS; version++) {
      if (version > 0) {
        const next = draw.changed(graph);
        bench.deploy(build(next));
        const drops = (await bench.drops("f")) as string[];
        told.push(next, { drops });
        if (next === graph) expect(drops, "of a flow that has not changed").toEqual([]);
        if (drops.length > 0 && random.oneIn(3)) {
          // The mistake is seen, and taken back.
          await refused(bench, random);
          bench.deploy(build(graph));
        } else {
          if (drops.length > 0 && random.oneIn(2)) await refused(bench, random);
          bench.deploy(build(next, drops));
          oracle.change(next, drops);
          graph = next;
        }
      }
      for (let batch = 0; batch < BATCHES; batch++) {
        const stream = random.pick(oracle.streams);
        now += random.int(12);
        const events = eventsOf(random, now);
        told.push([stream, events]);
        if (random.oneIn(4)) bench.restart();
        if (random.oneIn(4)) await bench.undone(() => bench.ingest(stream, events));
        oracle.take(stream, events);
        await bench.ingest(stream, events);
        await compare(bench, oracle, graph);
      }
    }
  } catch (error) {
    throw new Error(explain(), { cause: error });
  }
}

async function refused(bench: FlowBench, random: Random): Promise<void> {
  await expect(bench.ingest("in", eventsOf(random))).rejects.toMatchObject({ type: "flow-changed" });
}

/** Of a time that goes on, some late. */
function eventsOf(random: Random, at = 0): Event[] {
  return Array.from({ length: 1 + random.int(5) }, () => ({
    k: random.int(5),
    v: random.int(6),
    at: at + random.int(16) - 8,
  }));
}

async function compare(bench: FlowBench, oracle: Oracle, { views }: Graph): Promise<void> {
  for (const { id } of views) {
    expect([id, sorted(await bench.view("f", id))]).toEqual([id, sorted(oracle.view(id))]);
    expect([id, oracle.stale(id)], "shown, and no results any more").toEqual([id, []]);
  }
}

const sorted = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row as object).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
