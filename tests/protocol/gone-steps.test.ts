/** Runs of a saga that are at a step which older code does not have: it was taken back, or runs beside newer code. */
import { expect, test } from "vitest";
import * as z from "zod";
import { contract, effect, fn, query, saga, type SagaStep, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const HOUR_MS = 3_600_000;

const Stock = contract("stock", { take: fn({}), putBack: fn({}), left: query({ output: z.int() }) });
const stock = service(
  Stock,
  { state: () => ({ left: 0 }) },
  {
    take: (ctx) => void (ctx.state.left -= 1),
    putBack: (ctx) => void (ctx.state.left += 1),
    left: (ctx) => ctx.state.left,
  },
);
let isDown = true;
const check = (): void => {
  if (isDown) throw new Error("down");
};
const pay = effect("pay", { retries: { attempts: 50, delay: "1s", maxDelay: "1s" }, handler: check });

const first: SagaStep = {
  name: "take",
  run: (ctx) => ctx.call(Stock, "first").take(),
  compensate: (ctx) => ctx.call(Stock, "first").putBack(),
};
const last: SagaStep = { name: "take-last", run: (ctx) => ctx.call(Stock, "last").take() };

class Run extends LonePartition {
  readonly #steps: readonly SagaStep[];

  constructor(steps: readonly SagaStep[]) {
    super([stock], { sagas: [saga("ship", { steps: [...steps] })], effects: [pay] });
    this.#steps = steps;
    isDown = true;
  }

  /** With the first so many steps. */
  deploy = (steps = this.#steps.length) =>
    this.redeploy([stock], { sagas: [saga("ship", { steps: this.#steps.slice(0, steps) })], effects: [pay] });

  ask = (name: string, input?: unknown) => this.call({ service: "#saga.ship", key: "x", name, internal: true, input });

  async status(): Promise<{ status: string; step: string | null; promise?: string }> {
    return JSON.parse((await this.ask("status")).body);
  }

  async left(key: string): Promise<number> {
    return JSON.parse((await this.call({ service: "stock", key, name: "left" })).body);
  }

  async letters(): Promise<Array<{ id: string; function: string }>> {
    const asked = { service: "#dead", key: "#saga.ship", internal: true };
    const { body } = await this.call({ ...asked, name: "list", input: { after: "", limit: 10 } });
    return (JSON.parse(body) as { letters: Array<{ id: string; function: string }> }).letters;
  }

  async redrive(): Promise<void> {
    const list = { service: "#dead", key: "#saga.ship", internal: true };
    for (const { id } of await this.letters()) {
      const text = id.slice(0, -"-#saga.ship".length);
      expect(await this.call({ ...list, name: "redrive", text })).toMatchObject({ status: 200, body: "true" });
    }
    await this.pass(60_000, 1_000);
  }
}

const WAITING: Record<string, SagaStep> = {
  effect: { name: "pay", effect: pay },
  promise: { name: "ask", promise: {} },
  delay: { name: "rest", delay: "10m" },
};

test.each(["effect", "promise", "delay"])("what such a step waits for is not lost: %s", async (kind) => {
  const run = new Run([first, WAITING[kind] as SagaStep, last]);
  await run.ask("start", {});
  await run.pass(3_000);
  const { promise } = await run.status();
  await run.deploy(1);
  isDown = false;
  if (promise !== undefined) {
    const input = { ok: true, value: "yes" };
    await run.call({ service: "#promises", key: promise, name: "settle", internal: true, input });
  }
  await run.pass(HOUR_MS, 10_000);
  expect(await run.status()).toMatchObject({ status: "running" });
  for (const name of ["cancel", "retry"])
    expect(await run.ask(name)).toMatchObject({ status: 500, body: expect.stringContaining("is at step 2") });
  expect(await run.letters()).toHaveLength(1);
  await run.deploy();
  await run.redrive();
  expect(await run.status()).toMatchObject({ status: "completed" });
  expect([await run.left("first"), await run.left("last")]).toEqual([-1, -1]);
});

test("its compensation is not left out", async () => {
  const charge: SagaStep = {
    name: "charge",
    run: (ctx) => ctx.call(Stock, "charged").take(),
    async compensate(ctx) {
      check();
      await ctx.call(Stock, "charged").putBack();
    },
    attempts: 50,
  };
  const run = new Run([
    first,
    charge,
    {
      name: "fail",
      run(ctx) {
        throw ctx.fail("no");
      },
    },
  ]);
  await run.ask("start", {});
  await run.pass(5_000);
  expect(await run.status()).toMatchObject({ status: "compensating", step: "charge" });
  await run.deploy(1);
  await run.pass(HOUR_MS, 10_000);
  isDown = false;
  await run.deploy();
  await run.redrive();
  expect(await run.status()).toMatchObject({ status: "compensated" });
  expect([await run.left("first"), await run.left("charged")]).toEqual([0, 0]);
});

test("a run that has not begun it ends without it, as it did", async () => {
  const run = new Run([first, last]);
  await run.deploy(1);
  await run.ask("start", {});
  await run.pass(5_000);
  expect(await run.status()).toMatchObject({ status: "completed" });
  await run.deploy();
  expect((await run.ask("retry")).status).toBe(200);
});
