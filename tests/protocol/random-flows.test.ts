/** Any flow, changed into any other while events come: it shows what a plain evaluation does, or says what it would lose. */
import { expect, test } from "vitest";
import { flow, type FlowDefinition, int64, sinks, stream, timestamp } from "../../sdk/index.ts";
import { Draw } from "../../sim/flows/drawn/draw.ts";
import { type Graph, viewsOf } from "../../sim/flows/drawn/graph.ts";
import { lookupService } from "../../sim/flows/drawn/lookups.ts";
import { type Event, Oracle } from "../../sim/flows/drawn/oracle.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { FlowBench } from "./support/flow-bench.ts";

/** TIDEGATE_SEEDS is how many, TIDEGATE_FROM the first: one that has failed is run alone by it. */
const SEEDS = Number(process.env["TIDEGATE_SEEDS"] ?? 300);
const FROM = Number(process.env["TIDEGATE_FROM"] ?? 0);
const VERSIONS = 4;
const BATCHES = 3;
const TIMEOUT_MS = 20_000 + SEEDS * 100;
const OUT_OF_ORDERNESS = 5;
const UNIT_MS = 4;
const CLOCK_MS = 500;

const fields = { k: int64(), v: int64(), at: timestamp() };
const STREAMS = { in: stream("in", fields), other: stream("other", fields) } as const;

test(
  `${SEEDS} flows in ${VERSIONS} versions each`,
  async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const run = new Run(seed);
      await run.play().catch((error: unknown) => {
        throw new Error(run.told, { cause: error });
      });
    }
  },
  TIMEOUT_MS,
);

function build(graph: Graph, drops: readonly string[] = []): FlowDefinition {
  const f = flow("f", { drops });
  const source = (name: keyof typeof STREAMS) => () =>
    f.from(STREAMS[name], { time: "at", outOfOrderness: OUT_OF_ORDERNESS }).map((e) => ({ k: e.k, v: e.v }));
  const [first, ...more] = viewsOf(graph, { in: source("in"), other: source("other") });
  return sinks(first as FlowDefinition, ...more);
}

class Run {
  readonly #random: Random;
  readonly #draw: Draw;
  readonly #bench: FlowBench;
  readonly #oracle: Oracle;
  readonly #told: unknown[];
  #graph: Graph;
  #now = 100;

  constructor(seed: number) {
    this.#random = createRandom(seed);
    this.#draw = new Draw(this.#random, UNIT_MS, CLOCK_MS);
    this.#graph = this.#draw.graph();
    this.#bench = FlowBench.asking(lookupService(), build(this.#graph));
    this.#oracle = new Oracle(this.#graph, OUT_OF_ORDERNESS);
    this.#told = [{ seed }, this.#graph];
  }

  /** What has happened, a line each. */
  get told(): string {
    return this.#told.map((each) => JSON.stringify(each)).join("\n");
  }

  async play(): Promise<void> {
    for (let version = 0; version < VERSIONS; version++) {
      if (version > 0) await this.#change(this.#draw.changed(this.#graph));
      for (let batch = 0; batch < BATCHES; batch++) await this.#ingest();
    }
  }

  async #change(next: Graph): Promise<void> {
    this.#bench.deploy(build(next));
    const drops = (await this.#bench.drops("f")) as string[];
    this.#told.push(next, { drops });
    expect(drops.toSorted(), "what is lost").toEqual([...this.#oracle.losses(next)].toSorted());
    if (drops.length > 0 && this.#random.oneIn(2)) {
      await expect(this.#bench.ingest("in", this.#events())).rejects.toMatchObject({ type: "flow-changed" });
      // It was a mistake, and is taken back.
      if (this.#random.oneIn(2)) return this.#bench.deploy(build(this.#graph));
    }
    this.#bench.deploy(build(next, drops));
    this.#oracle.change(next, drops);
    this.#graph = next;
  }

  /** Where windows end by the clock meanwhile the flow goes on by itself: an operator that is new begins then. */
  async #pass(milliseconds: number): Promise<void> {
    if ((await this.#bench.pass(milliseconds)) === 0) return;
    this.#told.push(["by the clock", this.#bench.now]);
    this.#oracle.take(null, [], this.#bench.now);
  }

  async #ingest(): Promise<void> {
    const stream = this.#random.pick(this.#oracle.streams);
    this.#now += this.#random.int(12);
    const events = this.#events();
    if (this.#random.oneIn(2)) await this.#pass(this.#random.int(2 * CLOCK_MS));
    this.#told.push([stream, events, this.#bench.now]);
    if (this.#random.oneIn(4)) this.#bench.restart();
    if (this.#random.oneIn(4)) await this.#bench.undone(() => this.#bench.ingest(stream, events));
    const late = this.#oracle.take(stream, events, this.#bench.now);
    expect(await this.#bench.ingest(stream, events), "late").toEqual({ f: late });
    const { watermarks } = await this.#bench.status("f");
    expect(watermarks, "watermarks").toEqual(this.#oracle.watermarks);
    for (const { id } of this.#graph.views) {
      expect([id, sorted(await this.#bench.view("f", id))]).toEqual([id, sorted(this.#oracle.view(id))]);
      expect([id, this.#oracle.stale(id)], "shown, and no results any more").toEqual([id, []]);
    }
  }

  /** Of about the present time, some late. */
  #events(): Event[] {
    return Array.from({ length: 1 + this.#random.int(5) }, () => ({
      k: this.#random.int(5),
      v: this.#random.int(6),
      at: this.#now + this.#random.int(16) - 8,
    }));
  }
}

const sorted = (rows: readonly unknown[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row as object).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
