/** Effects in a simulated app: real handlers, at least once, under one key whatever is lost. */
import {
  collect,
  contract,
  effect,
  float64,
  flow,
  fn,
  int64,
  outcome,
  query,
  reply,
  service,
  stream,
  text,
  timestamp,
  top,
  tumbling,
} from "tidegate";
import { expect, test } from "vitest";
import * as z from "zod";
import { testApp } from "../../testing/index.ts";

const Order = contract("order", {
  pay: fn({ input: z.object({ cents: z.int() }) }),
  charged: fn({ input: outcome(z.object({ receipt: z.string() })) }),
  status: query({ output: z.string() }),
});

/** What the world outside has seen: keys of effects, with what was asked for. */
function payments() {
  const seen: Array<{ readonly key: string; readonly cents: number; readonly token: unknown }> = [];
  const charge = effect("charge", {
    input: z.object({ cents: z.int() }),
    output: z.object({ receipt: z.string() }),
    retries: { attempts: 50, delay: "1s", maxDelay: "5s" },
    async handler(ctx, { cents }) {
      // Real time, of which the world must know nothing.
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push({ key: ctx.idempotencyKey, cents, token: ctx.env["TOKEN"] });
      if (cents === 13) throw ctx.fail("the card was declined");
      return { receipt: `r${cents}` };
    },
  });
  const order = service(
    Order,
    { state: () => ({ status: "open" }) },
    {
      pay(ctx, { cents }) {
        ctx.state.status = "paying";
        ctx.effect(charge, { cents }, reply(Order, ctx.key, "charged"));
      },
      charged(ctx, charged) {
        ctx.state.status = charged.ok ? charged.value.receipt : charged.error.message;
      },
      status: (ctx) => ctx.state.status,
    },
  );
  return { order, charge, seen };
}

test("an effect runs after commit, and its outcome comes back", async () => {
  const { order, charge, seen } = payments();
  const app = testApp({ services: [order], effects: [charge], env: { TOKEN: "secret" } });
  const client = app.client({ Order });
  await client.order("a").pay({ cents: 5 });
  await client.order("b").pay({ cents: 13 });
  const before = app.now();
  await app.drained();
  expect(await client.order("a").status()).toBe("r5");
  expect(await client.order("b").status()).toBe("the card was declined");
  expect(seen.map(({ cents, token }) => [cents, token]).sort()).toEqual([
    [13, "secret"],
    [5, "secret"],
  ]);
  expect(app.now() - before).toBeLessThan(1_000);
});

test.each([1, 2, 3, 4])("with the faults of seed %i each is done at least once, under one key", async (seed) => {
  const { order, charge, seen } = payments();
  const app = testApp({ services: [order], effects: [charge], seed, faults: true });
  const client = app.client({ Order });
  const orders = Array.from({ length: 12 }, (_, n) => n + 20);
  await Promise.all(orders.map((cents) => client.order(`o${cents}`).pay({ cents })));
  await app.drained();
  for (const cents of orders) {
    expect(await client.order(`o${cents}`).status()).toBe(`r${cents}`);
    expect(new Set(seen.filter((one) => one.cents === cents).map(({ key }) => key)).size).toBe(1);
  }
});

test("a queue has whole numbers beyond 2^53 as texts, in lists too, and doubles as numbers", async () => {
  const In = stream("in", { k: text(), v: int64(), price: float64(), at: timestamp() });
  const of = ["v", "price"] as const;
  const lists = flow("lists")
    .from(In, { time: "at" })
    .keyBy("k")
    .window(tumbling("1s"))
    .aggregate({ best: top(1, { by: "price", of }), all: collect({ of }) })
    .map((e) => ({ best: e.best, every: e.all }))
    .toQueue("lists-to-queue", { binding: "LISTS" });
  const got: unknown[] = [];
  const LISTS = {
    sendBatch: async (messages: ReadonlyArray<{ readonly body: { readonly data: unknown } }>) => {
      got.push(...messages.map(({ body }) => body.data));
    },
  };
  const app = testApp({ services: [], flows: [lists], env: { LISTS } });
  const body = [5, 6, 5_000].map(
    (at) => `{"k":"a","v":900719925474099${at},"price":${at}00000000000000000,"at":${at}}`,
  );
  const headers = { "content-type": "application/x-ndjson" };
  expect((await app.fetch("/v1/streams/in", { method: "POST", body: body.join("\n"), headers })).status).toBe(200);
  await app.drained();
  const [least, most] = [
    { v: "9007199254740995", price: 5e17 },
    { v: "9007199254740996", price: 6e17 },
  ];
  expect(got).toEqual([{ best: [most], every: [least, most] }]);
});

const revoked = (): unknown => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
test.each([
  ["an error whose message is no text", Object.assign(new Error(), { message: 5 }), "5"],
  ["what cannot be looked at", revoked(), "an error that cannot be shown"],
])("an effect that throws %s has failed like any other", async (_, thrown, message) => {
  const { order } = payments();
  const charge = effect("charge", {
    input: z.object({ cents: z.int() }),
    output: z.object({ receipt: z.string() }),
    retries: { attempts: 1 },
    handler: () => {
      throw thrown;
    },
  });
  const app = testApp({ services: [order], effects: [charge] });
  const client = app.client({ Order });
  await client.order("a").pay({ cents: 5 });
  await app.drained();
  expect(await client.order("a").status()).toBe(message);
});

test("an effect may call the app itself, like a provider that calls back before it answers", async () => {
  const Till = contract("till", {
    sell: fn(),
    paid: fn({ input: outcome(z.string()) }),
    done: fn({ input: outcome(z.int()) }),
    seen: query({ output: z.array(z.union([z.string(), z.int()])) }),
  });
  const sell = effect("sell", {
    output: z.int(),
    handler: async () => {
      const headers = { "content-type": "application/json" };
      const { status } = await app.fetch("/v1/promises/p1", { method: "POST", body: '"by card"', headers });
      const before = app.now();
      await app.advance("1m");
      // Of real time the world knows nothing, behind that either.
      await new Promise((resolve) => setTimeout(resolve, 5));
      const others = await Promise.all([app.client({ Till }).till("a").seen(), app.client({ Till }).till("b").seen()]);
      return status + others.flat().length * 1_000 + app.now() - before - 60_000;
    },
  });
  const till = service(
    Till,
    { state: (): Array<string | number> => [] },
    {
      async sell(ctx) {
        await ctx.promise(reply(Till, ctx.key, "paid"), { id: "p1" });
        ctx.effect(sell, undefined, reply(Till, ctx.key, "done"));
      },
      paid: (ctx, paid) => void ctx.state.push(paid.ok ? paid.value : paid.error.type),
      done: (ctx, done) => void ctx.state.push(done.ok ? done.value : done.error.message),
      seen: (ctx) => ctx.state,
    },
  );
  const app = testApp({ services: [till], effects: [sell] });
  await app.client({ Till }).till("a").sell();
  await app.drained();
  const [paid, done] = await app.client({ Till }).till("a").seen();
  expect(paid).toBe("by card");
  // One that is there by then, and the few milliseconds of the world that its own calls take.
  expect(done).toBeGreaterThanOrEqual(1_200);
  expect(done).toBeLessThan(1_300);
});
