/** What a flow does by the clock, where the code does not have the flow when it is due: it is done when the flow is back. */
import { expect, test } from "vitest";
import {
  count,
  type Duration,
  flow,
  type FlowDefinition,
  processing,
  sinks,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const limits = useLimits({});

const Taps = stream("taps", { item: text(), at: timestamp() });
const Out = stream("out", { item: text(), at: timestamp() });
const New = stream("new", { item: text(), at: timestamp() });
const read = flow("read").from(Out, { time: "at" }).toView("read", { key: "item" });

/** Gives what it has counted on when the server's time has come. */
function counted({ news = false, per = "10m" }: { news?: boolean; per?: Duration } = {}): FlowDefinition {
  const f = flow("counted");
  const ended = f
    .from(Taps, { time: "at" })
    .keyBy("item")
    .window(processing(tumbling(per)))
    .aggregate({ n: count() })
    .map((e) => ({ item: e.item, at: e.windowEnd }))
    .toStream(Out);
  return news ? sinks(f.from(New, { time: "at" }).toView("news", { key: "item" }), ended) : ended;
}
/** The window kernel's, which knows nothing of the clock. */
const kernels = flow("counted")
  .from(Taps, { time: "at" })
  .keyBy("item")
  .window(tumbling("10m"))
  .aggregate({ n: count() })
  .toView("v");

class Run extends LonePartition {
  constructor() {
    super([], { flows: [counted(), read] });
  }

  async begin(): Promise<void> {
    expect((await this.ingest("taps", [{ item: "a", at: 1 }])).status).toBe(200);
    await this.pass(1_000);
  }

  deploy = (...flows: FlowDefinition[]) => this.redeploy([], { flows: [...flows, read], streams: [Taps, New] });

  async given(): Promise<number> {
    const ask = JSON.stringify({ flow: "read", view: "read", limit: 10 });
    const { body } = await this.call({ service: "#view", key: "any", name: "view", internal: true, text: ask });
    return (JSON.parse(body) as { rows: unknown[] }).rows.length;
  }

  async letters(): Promise<string[]> {
    const input = { after: "", limit: 10 };
    const { body } = await this.call({ service: "#dead", key: "#flow:counted", name: "list", internal: true, input });
    return (JSON.parse(body) as { letters: Array<{ function: string }> }).letters.map((letter) => letter.function);
  }

  get undelivered(): number {
    return this.partition.engine.machine.status.outbox;
  }
}

test.each([
  ["is gone", []],
  ["is the window kernel's", [kernels]],
])("a flow that %s for long goes on by the clock when it is back", async (_, meanwhile) => {
  const run = new Run();
  await run.begin();
  await run.deploy(...meanwhile);
  await run.pass(HOUR_MS, 5_000);
  // Nothing is kept for a flow that is taken out of the code for good.
  expect([await run.letters(), run.undelivered]).toEqual([["tick"], 0]);
  await run.deploy(counted());
  await run.pass(MINUTE_MS, 1_000);
  expect(await run.given()).toBe(1);
  expect(await run.letters()).toEqual(["tick"]);
});

test("a flow that is back in time does it once", async () => {
  const run = new Run();
  await run.begin();
  await run.deploy();
  await run.pass(12 * MINUTE_MS, 5_000);
  await run.deploy(counted());
  await run.pass(3 * MINUTE_MS, 1_000);
  expect([await run.given(), await run.letters(), run.undelivered]).toEqual([1, [], 0]);
});

test("a flow that stays where another stream of it was the first goes on, too", async () => {
  const run = new Run();
  await run.begin();
  await run.deploy(counted({ news: true }));
  expect((await run.ingest("new", [{ item: "a", at: 1 }])).status).toBe(200);
  await run.deploy();
  await run.pass(HOUR_MS, 5_000);
  expect(await run.letters()).toEqual(["tick"]);
  await run.deploy(counted({ news: true }));
  await run.pass(MINUTE_MS, 1_000);
  expect(await run.given()).toBe(1);
});

test("what waits is not asked for again by each instance", async () => {
  const run = new Run();
  await run.begin();
  for (let n = 0; n < 3; n++) {
    // It would lose what it keeps, so that it does nothing.
    await run.deploy(counted({ per: "20m" }));
    await run.pass(20 * MINUTE_MS, 5_000);
    expect(run.undelivered).toBe(1);
  }
  await run.deploy(counted());
  await run.pass(3 * MINUTE_MS, 1_000);
  expect([await run.given(), await run.letters(), run.undelivered]).toEqual([1, [], 0]);
});

test("wherever the code is replaced while a tick is given up, it is asked for again", async () => {
  Object.assign(limits, { messageAttempts: 1, tickLostMs: 0 });
  const given: number[] = [];
  for (let moves = 0; moves < 40; moves++) {
    const run = new Run();
    await run.begin();
    await run.deploy();
    run.partition.pass(12 * MINUTE_MS);
    for (let n = 0; n < moves; n++) {
      run.partition.moves().at(-1)?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await run.deploy(counted());
    await run.pass(3 * MINUTE_MS, 1_000);
    given.push(await run.given());
  }
  expect(given).toEqual(given.map(() => 1));
});
