/** Sagas under code that is older than the state which their steps meet, as while a deploy is under way or taken back. */
import { expect, test } from "vitest";
import * as z from "zod";
import { contract, fn, query, saga, type SagaContext, type SagaStep, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Stock = contract("stock", { take: fn(), taken: query({ output: z.int() }) });
const versions = [1, 2].map((version) =>
  service(
    Stock,
    { version, state: () => 0, evolve: version === 2 ? { 2: (old: number) => old } : {} },
    { take: (ctx) => void (ctx.state += 1), taken: (ctx) => ctx.state },
  ),
);
const [older, newer] = versions as [(typeof versions)[0], (typeof versions)[0]];

const take = (ctx: SagaContext) => ctx.call(Stock, "s").take();
test.each<[string, readonly SagaStep[], string]>([
  [
    "step",
    [
      { name: "rest", delay: "5s", compensate: () => undefined },
      { name: "take", run: take },
    ],
    "completed",
  ],
  [
    "compensation",
    [
      { name: "rest", delay: "5s", compensate: take },
      {
        name: "stop",
        run: (ctx) => {
          throw ctx.fail("no");
        },
      },
    ],
    "compensated",
  ],
])("a %s waits for the newer code like a message, and is not counted as failed", async (_, steps, end) => {
  const ship = saga("ship", { steps: [...steps] });
  const partition = new LonePartition([newer], { sagas: [ship] });
  const call = (name: string, input?: unknown) =>
    partition.call({ service: "#saga.ship", key: "x", name, internal: true, input });
  await partition.call({ service: "stock", key: "s", name: "take" });
  await call("start", {});
  await partition.redeploy([older], { sagas: [ship] });
  await partition.pass(600_000, 2_000);
  await partition.redeploy([newer], { sagas: [ship] });
  await partition.pass(120_000, 2_000);
  expect(JSON.parse((await call("status")).body)).toMatchObject({ status: end });
  expect((await partition.call({ service: "stock", key: "s", name: "taken" })).body).toBe("2");
});
