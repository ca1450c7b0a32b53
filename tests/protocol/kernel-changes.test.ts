/** Flows that the window kernel runs, and their code changed: state that fits goes on, other state is neither lost nor in the way of anything else. */
import { describe, expect, it } from "vitest";
import type { AdminReply, FreezeAnswer } from "../../protocol/backup/asks.ts";
import { programOf, type VertexStep } from "../../dataflow/program.ts";
import { checkVersion } from "../../protocol/flows/changes.ts";
import { type FlowState, freshState } from "../../protocol/flows/flow-state.ts";
import { LIMITS } from "../../protocol/limits.ts";
import {
  contract,
  count,
  flow,
  type FlowDefinition,
  fn,
  int64,
  noData,
  query,
  service,
  sinks,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import type { Reply } from "../../sim/partition.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

const NOTHING = new Uint8Array(0);
const Taps = stream("taps", { item: text(), amount: int64(), at: timestamp() });
const Others = stream("others", { item: text(), at: timestamp() });
const Probe = contract("probe", { ping: query(), take: fn({ refusals: { no: noData } }) });
const probe = service(
  Probe,
  {},
  {
    ping: () => undefined,
    take: (ctx) => {
      throw ctx.refuse("no");
    },
  },
);
const base = (drops: string[] = []) => flow("taps", { drops }).from(Taps, { time: "at" }).keyBy("item");
const counted = base().window(tumbling(10)).aggregate({ n: count() }).toView("taps");
const renamed = base().window(tumbling(10)).aggregate({ taps: count() }).toView("taps");
const summed = (drops: string[] = []) =>
  base(drops)
    .window(tumbling(10))
    .aggregate({ n: count(), total: sum("amount") })
    .toView("taps");
/** What of it is state may be dropped. */
const named = base(["aggregate-1"]).window(tumbling(10)).aggregate({ n: count() }).toView("taps");
const wider = (drops: string[] = []) => base(drops).window(tumbling(100)).aggregate({ n: count() }).toView("taps");
/** Run by operators, since another flow on the stream is. */
const other = flow("other").from(Taps, { time: "at" }).toView("other", { key: "item" });

const tap = (at: number, item = "a") => ({ item, amount: 5, at });
const rowsOf = async (partition: LonePartition): Promise<unknown[]> => {
  const { status, body } = await partition.view("taps");
  if (status !== 200) throw new Error(`the view answered ${status} ${body}`);
  return (JSON.parse(body) as { rows: unknown[] }).rows;
};
const row = (start: number, values: object, final = false) => ({
  key: "a",
  window: { start, end: start + 10 },
  ...values,
  final,
});
const typeOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as { type?: string }).type;

/** With a closed window and an open one. */
async function begun(): Promise<LonePartition> {
  const partition = new LonePartition([probe], { flows: [counted] });
  for (const at of [1, 2, 12]) expect((await partition.ingest("taps", [tap(at)])).status).toBe(200);
  return partition;
}
const deploy = (partition: LonePartition, ...flows: FlowDefinition[]) => partition.redeploy([probe], { flows });

describe.each([
  ["in records", LIMITS.foldBytes],
  ["in checkpoints", 1],
])("a flow of the window kernel that was changed, with its state %s", (_, fold) => {
  useLimits({ foldBytes: fold });

  it("keeps its state where that fits, over any number of restarts", async () => {
    const partition = await begun();
    await deploy(partition, renamed);
    await partition.ingest("taps", [tap(13)]);
    await deploy(partition, renamed);
    expect(await rowsOf(partition)).toEqual([row(0, { taps: 2 }, true), row(10, { taps: 2 })]);
  });

  it.each([
    ["another aggregate", summed],
    ["another window", wider],
  ])(
    "takes no events while its state would be lost (%s), holds up nothing else, and goes on as it was",
    async (_, changed) => {
      const partition = await begun();
      await deploy(partition, changed());
      const refused = await partition.ingest("taps", [tap(14)]);
      expect([refused.status, typeOf(refused)]).toEqual([409, "/problems/flow-changed"]);
      expect(refused.body).toContain("aggregate-1");
      expect((await partition.call({ service: "probe", key: "x", name: "ping" })).status).toBe(200);
      const shown = await partition.view("taps");
      expect([shown.status, JSON.parse(shown.body)]).toMatchObject([409, { drops: ["aggregate-1"], events: 3 }]);
      for (let times = 0; times < 2; times++) await deploy(partition, changed());
      await deploy(partition, counted);
      expect(await rowsOf(partition)).toEqual([row(0, { n: 2 }, true), row(10, { n: 1 })]);
      await partition.ingest("taps", [tap(15)]);
      expect(await rowsOf(partition)).toEqual([row(0, { n: 2 }, true), row(10, { n: 2 })]);
    },
  );

  it("breaks a backup that is read while its windows are dropped: it would lack those that are closed", async () => {
    const partition = await begun();
    await deploy(partition, summed(["aggregate-1"]));
    const frozen = await partition.admin({ op: "freeze", id: "b" });
    const { standstill } = JSON.parse((frozen as AdminReply).body) as FreezeAnswer;
    await partition.admin({ op: "pin", id: "b", service: null, standstill, round: 0 });
    await partition.admin({ op: "thaw", id: "b", standstill });
    expect(await partition.admin({ op: "table", id: "b", number: 0 })).toBeInstanceOf(Uint8Array);
    expect((await partition.ingest("taps", [tap(13)])).status).toBe(200);
    let told: Reply = NOTHING;
    for (let number = 1; told instanceof Uint8Array && number < 10; number++)
      told = await partition.admin({ op: "table", id: "b", number });
    expect(told).toMatchObject({ status: 503, body: expect.stringContaining("dropped meanwhile") as string });
  });

  it("begins anew where the state is named, knows what is late, and what was dropped does not come back", async () => {
    const partition = await begun();
    await deploy(partition, summed(["aggregate-1"]));
    expect(await rowsOf(partition)).toEqual([]);
    const taken = await partition.ingest("taps", [tap(16), tap(3)]);
    expect(JSON.parse(taken.body)).toEqual({ accepted: 2, late: { taps: 1 } });
    for (let times = 0; times < 2; times++) {
      expect(await rowsOf(partition)).toEqual([row(10, { n: 1, total: 5 })]);
      await deploy(partition, summed());
    }
    await partition.ingest("taps", [tap(30)]);
    await deploy(partition, summed());
    expect(await rowsOf(partition)).toMatchObject([row(10, { n: 1, total: 5 }, true), { n: 1, window: { start: 30 } }]);
  });

  it("is told when operators are to run it, or the kernel again: their state is not each other's", async () => {
    const partition = await begun();
    await deploy(partition, counted, other);
    const refused = await partition.ingest("taps", [tap(17)]);
    expect([refused.status, typeOf(refused)]).toEqual([409, "/problems/flow-changed"]);
    await deploy(partition, named, other);
    expect((await partition.ingest("taps", [tap(17)])).status).toBe(200);
    await deploy(partition, counted);
    expect(typeOf(await partition.ingest("taps", [tap(18)]))).toBe("/problems/flow-changed");
    await deploy(partition, named);
    expect(await rowsOf(partition)).toEqual([]);
    expect((await partition.ingest("taps", [tap(18)])).status).toBe(200);
    expect(await rowsOf(partition)).toEqual([row(10, { n: 1 })]);
  });
});

it("does not go on with the state of another stream", async () => {
  const Later = stream("later", { item: text(), amount: int64(), at: timestamp() });
  const version = (drops: string[] = []): FlowDefinition =>
    flow("taps", { drops })
      .from(Later, { time: "at" })
      .keyBy("item")
      .window(tumbling(10))
      .aggregate({ n: count() })
      .toView("taps");
  const partition = await begun();
  for (let times = 0; times < 2; times++) {
    await deploy(partition, version());
    expect(typeOf(await partition.ingest("later", [tap(14)]))).toBe("/problems/flow-changed");
    expect(await partition.view("taps")).toMatchObject({ status: 409 });
    // It is there for code that goes on with it.
    await deploy(partition, counted);
    expect((await partition.ingest("taps", [tap(15)])).status).toBe(200);
  }
  await deploy(partition, version(["aggregate-1"]));
  expect((await partition.ingest("later", [tap(16)])).status).toBe(200);
  await deploy(partition, version());
  expect(await rowsOf(partition)).toEqual([row(10, { n: 1 })]);
});

describe("a flow that the window kernel and operators run one after the other", () => {
  const asked = async (partition: LonePartition, name: string, input: object): Promise<unknown> => {
    const { body } = await partition.call({
      service: "#view",
      key: "taps",
      name,
      internal: true,
      input: { flow: "taps", ...input },
    });
    return JSON.parse(body);
  };
  /** Items of events that were set aside. */
  const aside = async (partition: LonePartition, what: "l" | "d"): Promise<unknown[]> => {
    const { events } = (await asked(partition, "aside", { what, after: -1, limit: 100 })) as { events: string[] };
    return events.map((each) => (JSON.parse(each) as { event: { item: string } }).event.item);
  };

  it("is to be asked for again by one who has the version in which the other runs it", async () => {
    const asOperators = (partition: LonePartition) =>
      partition.call({
        service: "#view",
        key: "taps",
        name: "view",
        internal: true,
        input: { flow: "taps", view: "taps", limit: 100 },
      });
    const partition = new LonePartition([probe], { flows: [named] });
    await partition.ingest("taps", [tap(1)]);
    const answers: Array<{ readonly status: number; readonly body: string }> = [await asOperators(partition)];
    await deploy(partition, named, other);
    answers.push(await partition.view("taps"));
    for (const { status, body } of answers)
      expect([status, JSON.parse(body)]).toMatchObject([503, { retryable: true }]);
  });

  it("keeps all that came too late, whoever ran it then", async () => {
    const partition = new LonePartition([probe], { flows: [named] });
    await partition.ingest("taps", [tap(100)]);
    await partition.ingest("taps", [tap(1, "x"), tap(2, "y")]);
    await deploy(partition, named, other);
    await partition.ingest("taps", [tap(200)]);
    await partition.ingest("taps", [tap(4, "z")]);
    expect(await aside(partition, "l")).toEqual(["x", "y", "z"]);
    await deploy(partition, named);
    await partition.ingest("taps", [tap(5, "0"), tap(6, "1")]);
    await partition.ingest("taps", [tap(7, "2")]);
    expect(await aside(partition, "l")).toEqual(["x", "y", "z", "0", "1", "2"]);
  });

  it("keeps its dead letters, and goes on counting them", async () => {
    const version = (calls: boolean): FlowDefinition => {
      const taps = flow("taps", { drops: ["aggregate-1"] }).from(Taps, { time: "at" });
      const view = taps.keyBy("item").window(tumbling(10)).aggregate({ n: count() }).toView("taps");
      return calls ? sinks(view, taps.call(Probe, "take", { key: (event) => event.item })) : view;
    };
    const partition = new LonePartition([probe], { flows: [version(true)] });
    await partition.ingest("taps", [tap(1, "x"), tap(2, "y")]);
    await deploy(partition, version(false));
    await partition.ingest("taps", [tap(3)]);
    expect(await aside(partition, "d")).toEqual(["x", "y"]);
    await deploy(partition, version(true));
    await partition.ingest("taps", [tap(4, "z")]);
    expect(await aside(partition, "d")).toEqual(["x", "y", "z"]);
    expect(await asked(partition, "flow", {})).toMatchObject({ deadLetters: 3 });
  });

  it("does not bring back what was dropped, however often it goes from one to the other", async () => {
    const partition = new LonePartition([probe], { flows: [named, other] });
    const starts = async (): Promise<unknown> => {
      const { rows } = (await asked(partition, "view", { view: "taps", limit: 100 })) as {
        rows: Array<{ window: { start: number }; n: number }>;
      };
      return rows.map(({ window, n }) => [window.start, n]);
    };
    for (const at of [1, 2, 12]) await partition.ingest("taps", [tap(at)]);
    expect(await starts()).toEqual([
      [0, 2],
      [10, 1],
    ]);
    for (let times = 0; times < 2; times++) {
      await deploy(partition, named);
      await partition.ingest("taps", [tap(13)]);
      expect(await rowsOf(partition)).toEqual([row(10, { n: 1 })]);
      await deploy(partition, named, other);
      await partition.ingest("taps", [tap(14)]);
      expect(await starts()).toEqual([[10, 1]]);
    }
  });

  it("takes nothing while an end is gone at which events may wait, and those do not come back when it was named", async () => {
    const version = (queue: boolean, drops: string[]): FlowDefinition => {
      const taps = flow("taps", { drops }).from(Taps, { time: "at" });
      const view = taps.keyBy("item").window(tumbling(10)).aggregate({ n: count() }).toView("taps");
      return queue ? sinks(view, taps.toQueue("hook", { binding: "Q" })) : view;
    };
    const waiting = async () => {
      const { sinks: ends } = (await asked(partition, "flow", {})) as { sinks: { hook: { waiting: number } } };
      return ends.hook.waiting;
    };
    const partition = new LonePartition([probe], { flows: [version(true, [])] });
    await partition.ingest("taps", [tap(1)]);
    expect(await waiting()).toBe(1);
    await deploy(partition, version(false, ["aggregate-1"]));
    const refused = await partition.ingest("taps", [tap(2)]);
    expect([refused.status, typeOf(refused)]).toEqual([409, "/problems/flow-changed"]);
    expect(refused.body).toContain("hook");
    await deploy(partition, version(false, ["aggregate-1", "hook"]));
    expect((await partition.ingest("taps", [tap(2)])).status).toBe(200);
    // It is named once: what it was is lost.
    await deploy(partition, version(false, []));
    expect((await partition.ingest("taps", [tap(3)])).status).toBe(200);
    await deploy(partition, version(true, ["aggregate-1"]));
    expect((await partition.ingest("taps", [tap(4)])).status).toBe(200);
    expect(await waiting()).toBe(1);
  });

  it("clears nothing that code which knew of nothing left has gone on with", () => {
    const program = programOf(counted);
    const [vertex] = program.steps.filter((step) => step.kind === "vertex");
    const { name, id, shards } = vertex as VertexStep;
    const left: Array<[string, number]> = [
      [id, shards],
      ["aggregate-1@other", 1],
    ];
    const state: FlowState = { ...freshState(), vertices: { [name]: id }, next: { [name]: [60_000] }, left };
    expect(checkVersion(program, state).dropped).toEqual(["taps/aggregate-1@other/0"]);
  });

  it("keeps what was dropped away over a restart", async () => {
    const partition = new LonePartition([probe], { flows: [named] });
    await partition.ingest("taps", [tap(13, "before")]);
    await deploy(partition, named, other);
    await partition.ingest("taps", [tap(14)]);
    await deploy(partition, named);
    await partition.ingest("taps", [tap(15)]);
    for (let times = 0; times < 2; times++) {
      expect(await rowsOf(partition)).toEqual([row(10, { n: 1 })]);
      await deploy(partition, named);
    }
  });

  /** A flow of these branches, whose first stream is that of the first; the kernel runs it where it is "own" alone. */
  const branches = (which: ReadonlyArray<"own" | "others">, drops: string[] = []): FlowDefinition => {
    const taps = flow("taps", { drops });
    const [first, ...more] = which.map((each) =>
      each === "own"
        ? taps
            .from(Taps, { time: "at" })
            .keyBy("item")
            .window(tumbling(10))
            .aggregate({ n: count() })
            .named("windows")
            .toView("taps")
        : taps.from(Others, { time: "at" }).toView("others", { key: "item" }),
    ) as [FlowDefinition, ...FlowDefinition[]];
    return sinks(first, ...more);
  };

  it.each<[string, ReadonlyArray<"own" | "others">, ReadonlyArray<"own" | "others">]>([
    ["operators, which read another stream first", ["own"], ["others", "own"]],
    ["the kernel, which reads no other stream", ["others", "own"], ["own"]],
    ["the kernel, which does not read the first stream", ["own", "others"], ["own"]],
  ])("takes nothing while its state would be lost to %s, and goes on as it was", async (_, before, after) => {
    const partition = new LonePartition([probe], { flows: [branches(before)] });
    for (const at of [1, 12, 13]) await partition.ingest("taps", [tap(at)]);
    await deploy(partition, branches(after));
    const refused = await partition.ingest("taps", [tap(14)]);
    expect([refused.status, typeOf(refused)]).toEqual([409, "/problems/flow-changed"]);
    expect(refused.body).toContain("windows");
    await deploy(partition, branches(before));
    expect((await partition.ingest("taps", [tap(15)])).status).toBe(200);
    await deploy(partition, branches(after, ["windows", "view-others"]));
    for (const at of [16, 17]) expect((await partition.ingest("taps", [tap(at)])).status).toBe(200);
  });
});
