/** The state of a flow that the code does not have (any more), or that refuses events, is there for code that goes on with it. */
import { expect, test } from "vitest";
import {
  contract,
  count,
  flow,
  type FlowDefinition,
  fn,
  int64,
  service,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

const MUCH = 1_000_000;
const limits = useLimits({ foldBytes: MUCH }) as { foldBytes: number };

const Taps = stream("taps", { item: text(), amount: int64(), at: timestamp() });
const counted = flow("taps")
  .from(Taps, { time: "at" })
  .keyBy("item")
  .window(tumbling(10))
  .aggregate({ n: count() })
  .toView("taps");
const other = flow("other").from(Taps, { time: "at" }).toView("other", { key: "item" });
const Probe = contract("probe", { write: fn() });
const probe = service(
  Probe,
  { state: () => ({ n: "" }) },
  {
    write: (ctx) => {
      ctx.state.n += "x".repeat(1_000);
    },
  },
);

async function take(partition: LonePartition, ...times: number[]): Promise<void> {
  for (const at of times)
    expect(await partition.ingest("taps", [{ item: "a", amount: 5, at }])).toMatchObject({ status: 200 });
}

/** Other code for a while, in which the partition folds. */
async function foldWith(partition: LonePartition, flows: readonly FlowDefinition[]): Promise<void> {
  await partition.redeploy([probe], { flows });
  limits.foldBytes = 1;
  for (let n = 0; n < 3; n++)
    expect(await partition.call({ service: "probe", key: "k", name: "write" })).toMatchObject({ status: 200 });
  await partition.pass(1_000);
  limits.foldBytes = MUCH;
  await partition.redeploy([probe], { flows: [counted] });
}

test.each([
  ["refuses events", [counted, other]],
  ["is not in the code", []],
])("a flow that %s keeps what only records held, through a fold", async (_, meanwhile) => {
  const partition = new LonePartition([probe], { flows: [counted] });
  await take(partition, 1, 2, 12);
  const before = (await partition.view("taps")).body;
  await foldWith(partition, meanwhile);
  expect((await partition.view("taps")).body).toEqual(before);
});

test("the windows that end behind that are written, each once", async () => {
  const partition = new LonePartition([probe], { flows: [counted] });
  await take(partition, 1, 2, 12);
  await foldWith(partition, []);
  await take(partition, 13, 24);
  const { rows } = JSON.parse((await partition.view("taps")).body) as { rows: object[] };
  expect(rows).toMatchObject([{ n: 2 }, { n: 2 }, { n: 1 }]);
});
