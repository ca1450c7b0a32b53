/** What a tried call threw is in the log, once, wherever its key is: nobody else may ever be told. */
import { contract, fn, noData, saga, type SagaContext, service } from "tidegate";
import { expect, test } from "vitest";
import * as z from "zod";
import { testApp } from "../../testing/index.ts";

const Oven = contract("oven", { heat: fn({ refusals: { empty: noData } }) });
const Baker = contract("baker", {
  bake: fn({ input: z.string() }),
  bakeAnyway: fn({ input: z.string() }),
});
const oven = service(
  Oven,
  {},
  {
    heat: (ctx) => {
      if (ctx.key === "empty") throw ctx.refuse("empty");
      throw new Error("it burns");
    },
  },
);
const baker = service(
  Baker,
  { messages: { maxAttempts: 1 } },
  {
    async bake(ctx, key) {
      const heated = await ctx.try(Oven, key).heat();
      if (!heated.ok && heated.refusal === undefined) throw heated.error;
    },
    bakeAnyway: async (ctx, key) => void (await ctx.try(Oven, key).heat()),
  },
);

async function kitchen(run?: (ctx: SagaContext) => unknown) {
  const logged: unknown[] = [];
  const simulated = testApp({
    services: [oven, baker],
    sagas: run === undefined ? [] : [saga("bread", { steps: [{ name: "bake", attempts: 2, run }] })],
    log: (_level, { message, transaction, error }) => {
      const { message: said, cause } = error as { message: string; cause?: { message: string } };
      expect(message).toMatch(/ failed$/);
      logged.push([
        message.slice(0, -" failed".length),
        ...(transaction ? [said] : [said, "elsewhere"]),
        ...(cause ? [cause.message] : []),
      ]);
    },
  });
  const keys = ["b", "c", "d", "e", "f", "g", "h"];
  const near = await simulated.partitionOf("a");
  let far = "";
  for (const key of keys) if ((await simulated.partitionOf(key)) !== near) far = key;
  return { simulated, logged, far, client: simulated.client({ Baker }, { retries: 0 }) };
}

const BURNS = ['oven.heat on "a"', "it burns"];

test("of a call on the same partition, and of one elsewhere", async () => {
  const { logged, far, client } = await kitchen();
  await client.baker("a").bakeAnyway("a");
  expect(logged.splice(0)).toEqual([BURNS]);
  await client.baker("a").bakeAnyway(far);
  expect(logged.splice(0)).toEqual([[`oven.heat on "${far}"`, "it burns", "elsewhere"]]);
  await client.baker("a").bakeAnyway("empty");
  expect(logged).toEqual([]);
});

test("of one whose error is thrown on, and what a message comes to says the reason", async () => {
  const { simulated, logged, client } = await kitchen();
  await expect(client.baker("a").bake("a")).rejects.toMatchObject({ type: "internal-error" });
  expect(logged.splice(0)).toEqual([BURNS]);
  await client.baker("a").bake.send("a");
  await simulated.drained();
  expect(logged).toEqual([BURNS, ['baker.bake on "a"', "the called function failed", "it burns"]]);
  const { letters } = await client.deadLetters(Baker).list();
  expect(letters.map(({ attempts }) => attempts.map(({ error }) => error))).toEqual([
    ["TidegateError: the called function failed (Error: it burns)"],
  ]);
});

test.each<[string, (ctx: SagaContext) => unknown, string]>([
  [
    "throws",
    () => {
      throw new Error("no flour");
    },
    "no flour",
  ],
  ["is told so by what it calls", (ctx) => ctx.call(Oven, "1").heat(), "it burns"],
  ["does what the engine does not let it", (ctx) => ctx.cancel("none"), "not the id of a message"],
])("of a step of a saga that %s, at each try", async (_, run, said) => {
  const { simulated, logged } = await kitchen(run);
  await simulated.fetch("/v1/sagas/bread/1", { method: "POST" });
  await simulated.advance("1m");
  const failed = ['#saga.bread.run on "1"', expect.stringContaining(said)];
  expect(logged).toEqual([failed, failed]);
});
