/** A service that gives every key the same object as its initial state: what a function does to that is its key's alone, and nothing of it is left when it fails. */
import { expect, test } from "vitest";
import { contract, fn, query, service } from "../../sdk/index.ts";
import { z } from "zod";
import { LonePartition } from "./support/lone-partition.ts";

const Shared = contract("shared", {
  fail: fn(),
  add: fn(),
  seen: query({ output: z.array(z.number()) }),
});
const initial = { n: 0, list: [] as number[] };
const shared = service(
  Shared,
  { state: () => initial },
  {
    fail: ({ state }) => {
      state.n += 7;
      state.list.push(7);
      throw new Error("not for long");
    },
    add: ({ state }) => {
      state.n += 1;
      state.list.push(1);
    },
    seen: ({ state }) => [state.n, ...state.list],
  },
);
const call = (partition: LonePartition, key: string, name: string) => partition.call({ service: "shared", key, name });

test("what a function did that has failed is seen by nobody", async () => {
  const partition = new LonePartition([shared]);
  expect((await call(partition, "a", "fail")).status).toBe(500);
  expect((await call(partition, "a", "seen")).body).toBe("[0]");
  expect((await call(partition, "b", "seen")).body).toBe("[0]");
});

test("what one key writes is written, and is no other's", async () => {
  const partition = new LonePartition([shared]);
  for (const key of ["a", "b", "a"]) expect((await call(partition, key, "add")).status).toBe(200);
  expect((await call(partition, "a", "seen")).body).toBe("[2,1,1]");
  expect((await call(partition, "b", "seen")).body).toBe("[1,1]");
  expect(initial).toEqual({ n: 0, list: [] });
});

const Letters = contract("letters", {
  choose: fn({ input: z.boolean() }),
  chooseAndForget: fn({ input: z.boolean() }),
  flip: fn({ input: z.int() }),
  wanted: query({ output: z.boolean() }),
});
const letters = (wanted: boolean) =>
  service(
    Letters,
    { state: () => ({ wanted }) },
    {
      choose: (ctx, choice) => void (ctx.state = { wanted: choice }),
      chooseAndForget: (ctx, choice) => {
        ctx.state = { wanted: choice };
        ctx.clear();
        expect(ctx.state).toEqual({ wanted });
      },
      flip: (ctx, times) => {
        for (let n = 0; n < times; n++) ctx.state.wanted = !ctx.state.wanted;
      },
      wanted: (ctx) => ctx.state.wanted,
    },
  );

test.each([
  ["was assigned", "choose", true, "true"],
  ["was assigned and deleted", "chooseAndForget", true, "false"],
  ["was changed to what it was", "flip", 2, "false"],
])(
  "an initial state that %s, and what the key has when the service has another one",
  async (_, name, input, wanted) => {
    const partition = new LonePartition([letters(true)]);
    const ask = (what: object) => partition.call({ service: "letters", key: "ann", name, ...what });
    expect((await ask({ input })).status).toBe(200);
    await partition.redeploy([letters(false)]);
    expect((await ask({ name: "wanted" })).body).toBe(wanted);
  },
);

/** Two functions that have one key at a time: that which has called, and what the tried call does that comes back to it and then fails. */
const Draft = contract("draft", {
  begin: fn({ input: z.enum(["here", "there"]) }),
  look: fn(),
  choose: fn(),
  wanted: query({ output: z.boolean() }),
});
const Elsewhere = contract("elsewhere", { comeBack: fn({ input: z.enum(["here", "there"]) }) });

function drafts() {
  const [back, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const elsewhere = service(
    Elsewhere,
    {},
    {
      comeBack: async (ctx, assigns) => {
        await ctx.call(Draft, "a")[assigns === "there" ? "choose" : "look"]();
        back.resolve();
        await gone.promise;
        throw new Error("undone");
      },
    },
  );
  const draft = (wanted: boolean) =>
    service(
      Draft,
      { state: () => ({ wanted, pages: 0 }) },
      {
        begin: async (ctx, assigns) => {
          const tried = ctx.try(Elsewhere, "b").comeBack(assigns);
          await back.promise;
          if (assigns === "here") ctx.state = { wanted, pages: 0 };
          else ctx.state.pages = 7;
          gone.resolve();
          expect((await tried).ok).toBe(false);
          ctx.state.pages = 0;
        },
        look: (ctx) => void ctx.state.wanted,
        choose: (ctx) => void (ctx.state = { wanted, pages: 0 }),
        wanted: (ctx) => ctx.state.wanted,
      },
    );
  return (wanted: boolean) => [draft(wanted), elsewhere];
}

test.each([
  ["by who goes on is the key's", "here", "true"],
  ["by what was undone is not", "there", "false"],
])(
  "of a key to which a tried call came back that failed, an initial state that was assigned %s",
  async (_, assigns, wanted) => {
    const services = drafts();
    const partition = new LonePartition(services(true));
    const ask = (name: string, input?: unknown) => partition.call({ service: "draft", key: "a", name, input });
    expect((await ask("begin", assigns)).status).toBe(200);
    await partition.redeploy(services(false));
    expect((await ask("wanted")).body).toBe(wanted);
  },
);
