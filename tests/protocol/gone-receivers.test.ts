/** Outcomes of promises and sagas whose receiver the code does not know when they end: they are messages like others to what is not known. */
import { expect, test } from "vitest";
import { z } from "zod";
import { contract, fn, outcome, query, reply, saga, type ServiceDefinition, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const ship = saga("ship", { steps: [{ name: "rest", delay: "1m" }] });
const rest = { ask: fn({ output: z.string() }), all: query({ output: z.any() }) };
const Asker = contract("asker", { ...rest, told: fn({ input: outcome(z.any()) }) });
const Without = contract("asker", rest);
const Reads = contract("asker", { ...rest, told: query({ input: outcome(z.any()) }) });
const state = (): unknown[] => [];
const all = (ctx: { readonly state: unknown }) => ctx.state;
const ask = () => "";
const asker = service(
  Asker,
  { state },
  {
    ask: (ctx) => {
      ctx.start(ship, "s", undefined, reply(Asker, ctx.key, "told"));
      return ctx.promise(reply(Asker, ctx.key, "told", "promise"), { id: "p", deadline: "1h" });
    },
    told: (ctx, told) => void ctx.state.push(told),
    all,
  },
);
const without = service(Without, { state }, { ask, all });
const reads = service(Reads, { state }, { ask, all, told: () => undefined });

class Run extends LonePartition {
  constructor() {
    super([asker], { sagas: [ship] });
  }
  internal = (name: string, key: string, fnName: string, input?: unknown) =>
    this.call({ service: name, key, name: fnName, internal: true, input });
  deploy = (...services: ServiceDefinition[]) => this.redeploy(services, { sagas: [ship] });
  async all(): Promise<unknown> {
    return JSON.parse((await this.call({ service: "asker", key: "k", name: "all" })).body);
  }
  async letters(): Promise<unknown> {
    const { body } = await this.internal("#dead", "asker", "list", { after: "", limit: 10 });
    const { letters } = JSON.parse(body) as { letters: Array<{ id: string; function: string; attempts: unknown[] }> };
    return letters.map((letter) => [letter.function, letter.attempts.length]);
  }
}

const HOUR_MS = 3_600_000;
const told = [{ ok: true, value: 1, about: "promise" }, expect.objectContaining({ ok: true })];

test.each([
  ["whose service is gone", []],
  ["whose function is gone", [without]],
  ["whose function is a query by now", [reads]],
])("one %s is told when it is back in time", async (_what, services) => {
  const run = new Run();
  await run.call({ service: "asker", key: "k", name: "ask" });
  await run.pass(1_000);
  await run.deploy(...services);
  expect((await run.internal("#promises", "p", "settle", { ok: true, value: 1 })).status).toBe(200);
  await run.pass(80_000, 5_000);
  await run.deploy(asker);
  await run.pass(HOUR_MS / 20, 5_000);
  expect(await run.all()).toEqual(told);
});

test.each([
  ["service", []],
  ["function", [without]],
])("one whose %s stays away has dead letters", async (_what, services) => {
  const run = new Run();
  await run.call({ service: "asker", key: "k", name: "ask" });
  await run.pass(1_000);
  await run.deploy(...services);
  await run.pass(2 * HOUR_MS, 10_000);
  expect(await run.letters()).toEqual([
    ["told", 10],
    ["told", 10],
  ]);
  expect(run.partition.engine.machine.status.outbox).toBe(0);
});

test("nobody is told of a promise that was withdrawn", async () => {
  const run = new Run();
  await run.call({ service: "asker", key: "k", name: "ask" });
  await run.internal("#promises", "p", "withdraw", { type: "cancelled", message: "" });
  await run.pass(20_000, 5_000);
  expect([await run.all(), run.partition.engine.machine.status.outbox]).toEqual([[], 0]);
});
