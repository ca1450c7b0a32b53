/** Sagas in a simulated app, by mistakes of who starts them. */
import {
  contract,
  effect,
  fn,
  outcome,
  query,
  reply,
  saga,
  type SagaContext,
  type SagaDefinition,
  service,
} from "tidegate";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { testApp } from "../../testing/index.ts";

const Desk = contract("desk", {
  open: fn({ input: z.object({ id: z.string(), item: z.unknown() }) }),
  ask: fn({ input: z.string() }),
  told: fn({ input: outcome(z.unknown()) }),
  note: fn({ input: z.string() }),
  notes: query({ output: z.array(z.string()) }),
});
const ship = saga("ship", {
  input: z.object({ item: z.string().min(1) }),
  steps: [{ name: "note", run: (ctx, { input }) => ctx.call(Desk, "notes").note(input.item) }],
});
const desk = service(
  Desk,
  { state: (): string[] => [] },
  {
    open(ctx, { id, item }) {
      ctx.state.push(`opened ${id}`);
      ctx.start(ship, id, { item: item as string });
    },
    async ask(ctx, id) {
      await ctx.promise(reply(Desk, ctx.key, "told"), { id });
      ctx.state.push(`asked ${id}`);
    },
    told: () => undefined,
    note: (ctx, item) => void ctx.state.push(item),
    notes: (ctx) => ctx.state,
  },
);

const large = "x".repeat(600_000);
const print = effect("print", { output: z.string(), handler: () => large });
const app = (sagas: readonly SagaDefinition[] = [ship], told: string[] = []) =>
  testApp({
    services: [desk],
    effects: [print],
    sagas,
    transactionDeadline: "2s",
    log: (_level, entry) => void told.push(JSON.stringify(entry)),
  });

test("a saga is not started with an input that does not fit, and whoever tries fails as a whole", async () => {
  const told: string[] = [];
  const simulated = app([ship], told);
  const client = simulated.client({ Desk });
  await client.desk("a").open({ id: "s1", item: "lamp" });
  await expect(client.desk("a").open({ id: "s2", item: 7 })).rejects.toThrow();
  await simulated.drained();
  expect(await client.desk("a").notes()).toEqual(["opened s1"]);
  expect(await client.desk("notes").notes()).toEqual(["lamp"]);
  expect(told).toEqual([expect.stringContaining("does not fit its schema: /item")]);
});

test("a message whose transaction finds its id taken is a dead letter, though the error has the status of a refusal", async () => {
  const simulated = app();
  const { desk: desks } = simulated.client({ Desk });
  const letters = async (service: string) => {
    const answer = await simulated.fetch(`/v1/dead-letters/${encodeURIComponent(service)}`);
    const listed = (await answer.json()) as { letters: Array<{ function: string; attempts: Array<{ type: string }> }> };
    return listed.letters.map((letter) => [letter.function, letter.attempts.map(({ type }) => type)]);
  };
  await desks("a").open({ id: "s1", item: "lamp" });
  await desks("a").open({ id: "s1", item: "chair" });
  await desks("a").ask("p1");
  await desks("b").ask.send("p1");
  await simulated.drained();
  expect(await desks("notes").notes()).toEqual(["lamp"]);
  expect(await desks("b").notes()).toEqual([]);
  expect(await letters("#saga.ship")).toEqual([["start", ["saga-exists"]]]);
  expect(await letters("desk")).toEqual([["ask", ["promise-exists"]]]);
});

const runOf = (simulated: ReturnType<typeof app>, name: string, id: string) => ({
  start: async (input?: unknown) => {
    const body = input === undefined ? {} : { body: JSON.stringify(input) };
    const headers = { "content-type": "application/json" };
    return (await simulated.fetch(`/v1/sagas/${name}/${id}`, { method: "POST", headers, ...body })).status;
  },
  post: async (action: string) =>
    (await simulated.fetch(`/v1/sagas/${name}/${id}/${action}`, { method: "POST" })).status,
  status: async () => (await (await simulated.fetch(`/v1/sagas/${name}/${id}`)).json()) as SagaStatus,
});
interface SagaStatus {
  readonly status: string;
  readonly results: Record<string, unknown>;
  readonly failure?: { readonly type: string; readonly step: string };
}

test("what a step changes in what it is given is its own: later steps, compensations and starts find it as it was", async () => {
  const seen: unknown[] = [];
  const packing = saga("packing", {
    input: z.object({ items: z.array(z.string()) }),
    steps: [
      {
        name: "take",
        run: (_, { input }) => input.items.splice(0),
        compensate: (_, { input, results }) => void seen.push(["put back", input.items, results["take"]]),
      },
      {
        name: "pack",
        run: (ctx, { input, results }) => {
          seen.push(["pack", input.items, (results["take"] as string[]).splice(0)]);
          throw ctx.fail("no box");
        },
      },
    ],
  });
  const simulated = app([packing]);
  const run = runOf(simulated, "packing", "1");
  const input = { items: ["a", "b"] };
  expect(await run.start(input)).toBe(200);
  await simulated.advance("1s");
  expect(await run.status()).toMatchObject({ status: "compensated" });
  expect(seen).toEqual([
    ["pack", ["a", "b"], ["a", "b"]],
    ["put back", ["a", "b"], ["a", "b"]],
  ]);
  expect(await run.start(input)).toBe(200);
});

test("a saga that is cancelled just behind its promise makes up for that step, too, and at once", async () => {
  const paying = saga("paying", {
    steps: [
      { name: "first", run: () => 1, compensate: (ctx) => ctx.call(Desk, "notes").note("first") },
      {
        name: "paid",
        promise: { id: ({ id }) => `paid-${id}` },
        compensate: (ctx, { results }) => ctx.call(Desk, "notes").note(`refund to ${String(results["paid"])}`),
      },
      { name: "rest", delay: "1h" },
    ],
  });
  const simulated = app([paying]);
  const run = runOf(simulated, "paying", "1");
  await run.start();
  await simulated.advance("5s");
  const settled = simulated.fetch("/v1/promises/paid-1", {
    method: "POST",
    body: '"ann"',
    headers: { "content-type": "application/json" },
  });
  // Word of the promise is still on its way to the saga.
  const [{ status }, cancelled] = await Promise.all([settled, run.post("cancel")]);
  expect([status, cancelled]).toEqual([200, 200]);
  await simulated.advance("1m");
  expect(await run.status()).toMatchObject({ status: "compensated", failure: { type: "cancelled", step: "paid" } });
  expect(await simulated.client({ Desk }).desk("notes").notes()).toEqual(["refund to ann", "first"]);
});

describe("a result for which a saga has no room ends its step for good", () => {
  const note = (step: string) => ({
    compensate: (ctx: SagaContext) => ctx.call(Desk, "notes").note(`undone: ${step}`),
  });
  const first = { name: "first", run: () => large, ...note("first") };
  const runs = {
    name: "second",
    run: async (ctx: SagaContext) => {
      await ctx.call(Desk, "notes").note("done: second");
      return large;
    },
    ...note("second"),
  };
  test.each([
    // A transaction is undone, and what is outside made up for.
    ["of a transaction", runs, ["undone: first"]],
    ["of an effect", { name: "second", effect: print, ...note("second") }, ["undone: second", "undone: first"]],
  ] as const)("%s", async (_, second, notes) => {
    const printing = saga("printing", { steps: [first, second] });
    const simulated = app([printing]);
    const run = runOf(simulated, "printing", "1");
    await run.start();
    await simulated.advance("1m");
    expect(await run.status()).toMatchObject({
      status: "compensated",
      failure: { type: "transaction-too-large", step: "second" },
    });
    expect(await simulated.client({ Desk }).desk("notes").notes()).toEqual(notes);
  });

  test("and what it failed with is told without its data", async () => {
    const failing = saga("failing", {
      steps: [
        { name: "first", run: () => large, ...note("first") },
        {
          name: "second",
          run: (ctx) => {
            throw ctx.fail("no paper", large);
          },
        },
      ],
    });
    const simulated = app([failing]);
    const run = runOf(simulated, "failing", "1");
    await run.start();
    await simulated.advance("1m");
    const { status, failure } = await run.status();
    expect([status, failure]).toEqual(["compensated", { type: "failed", message: "no paper", step: "second" }]);
  });
});

describe("a refusal that is named like the saga's own", () => {
  const Pay = contract("pay", {
    charge: fn({ input: z.boolean(), refusals: { failed: z.object({ message: z.unknown() }) } }),
    told: fn({ input: outcome(z.unknown()) }),
    heard: query({ output: z.unknown() }),
  });
  const pay = service(
    Pay,
    { state: (): unknown[] => [] },
    {
      charge: (ctx, isLong) => {
        throw ctx.refuse("failed", { message: isLong ? { why: large } : "card declined" });
      },
      told: (ctx, how) => void ctx.state.push(how),
      heard: (ctx) => ctx.state,
    },
  );
  const Till = contract("till", { sell: fn() });
  const run = async (first: unknown, isLong: boolean) => {
    const selling = saga("selling", {
      steps: [
        { name: "first", run: () => first, compensate: (ctx) => ctx.call(Desk, "notes").note("undone") },
        { name: "pay", run: (ctx) => ctx.call(Pay, "p").charge(isLong) },
      ],
    });
    const till = service(Till, {}, { sell: (ctx) => ctx.start(selling, "1", undefined, reply(Pay, "h", "told")) });
    const simulated = testApp({ services: [desk, pay, till], sagas: [selling] });
    const client = simulated.client({ Desk, Pay, Till });
    await client.till("t").sell();
    await simulated.drained();
    expect(await client.desk("notes").notes()).toEqual(["undone"]);
    return { heard: await client.pay("h").heard(), ...(await runOf(simulated, "selling", "1").status()) };
  };

  test("is told like any other", async () => {
    const { heard, failure } = await run(1, false);
    const error = { type: "failed", message: "it was refused: failed" };
    expect(heard).toEqual([{ ok: false, error }]);
    expect(failure).toEqual({ ...error, data: { message: "card declined" }, step: "pay" });
  });

  test("loses its data where there is no room for that", async () => {
    const { status, failure } = await run(large, true);
    expect(status).toBe("compensated");
    expect(failure).toEqual({ type: "failed", message: "it was refused: failed", step: "pay" });
  });
});

test.each([
  ["a number", { message: 5 }, "5"],
  [
    "what throws",
    {
      get message() {
        throw new Error("nobody reads this");
      },
    },
    "an error that cannot be shown",
  ],
])("an error whose message is %s fails its step, and is told in words", async (_, message, words) => {
  const thrown = Object.defineProperties(new Error(), Object.getOwnPropertyDescriptors(message));
  const down = () => {
    throw thrown;
  };
  const simulated = app([saga("odd", { steps: [{ name: "only", run: down, attempts: 1 }] })]);
  await runOf(simulated, "odd", "1").start();
  await simulated.drained();
  expect(await runOf(simulated, "odd", "1").status()).toMatchObject({
    status: "compensated",
    failure: { type: "internal-error", message: words },
  });
});

test("a retry delay above ten minutes is kept, and a shorter one doubles up to them", async () => {
  const minutes = async (retryDelay: "1h" | "6m") => {
    const at: number[] = [];
    const down = (ctx: SagaContext) => {
      at.push(ctx.now());
      throw new Error("down");
    };
    const simulated = app([saga("down", { retryDelay, steps: [{ name: "only", run: down, attempts: 4 }] })]);
    await runOf(simulated, "down", "1").start();
    await simulated.advance("5h");
    return at.slice(1).map((each, n) => Math.floor((each - (at[n] as number)) / 60_000));
  };
  expect(await minutes("1h")).toEqual([60, 60, 60]);
  expect(await minutes("6m")).toEqual([6, 10, 10]);
});

test.each(["running", "compensating"])(
  "a saga whose message was given up while it was %s fails, and is compensated or stuck",
  async (status) => {
    let isSlow = true;
    let undone = 0;
    const slowly = async () => {
      if (isSlow) await new Promise<void>(() => {});
    };
    const fails = status === "compensating";
    const crawling = saga("crawling", {
      steps: [
        {
          name: "first",
          run: () => 1,
          compensate: async () => {
            if (fails) await slowly();
            undone += 1;
          },
        },
        {
          name: "second",
          run: (ctx) => {
            if (fails) throw ctx.fail("no");
            return slowly();
          },
        },
      ],
    });
    const simulated = app([crawling]);
    const run = runOf(simulated, "crawling", "1");
    await run.start();
    for (let n = 0; n < 20; n++) await simulated.advance("30s");
    const late = { type: "deadline-exceeded", message: expect.stringContaining("longer") };
    if (fails) expect(await run.status()).toMatchObject({ status: "stuck", step: "first", trouble: late });
    isSlow = false;
    if (fails) expect(await run.post("retry")).toBe(200);
    await simulated.advance("1h");
    expect(await run.status()).toMatchObject({
      status: "compensated",
      failure: fails ? { type: "failed" } : { ...late, step: "second" },
    });
    expect(undone).toBe(1);
  },
);

test("what is asked for once more is the same in whatever order its members are written", async () => {
  const approve = saga("approve", {
    input: z.object({ item: z.string(), count: z.int() }),
    steps: [{ name: "boss", promise: { id: ({ id }) => `boss-${id}` } }],
  });
  const app = testApp({ services: [], sagas: [approve] });
  const post = async (path: string, body: string): Promise<number> => {
    const headers = { "content-type": "application/json" };
    return (await app.fetch(path, { method: "POST", headers, body })).status;
  };
  const start = (body: string) => post("/v1/sagas/approve/1", body);
  const first = await start('{"item":"pot","count":2}');
  expect(first).toBeLessThan(300);
  expect(await start('{ "count": 2, "item": "pot" }')).toBe(first);
  expect(await start('{"count":3,"item":"pot"}')).toBe(409);
  await app.drained();
  const settle = (body: string) => post("/v1/promises/boss-1", body);
  expect([await settle('{"by":"ann","at":1}'), await settle('{"at":1,"by":"ann"}')]).toEqual([200, 200]);
  expect(await settle('{"at":2,"by":"ann"}')).toBe(409);
});
