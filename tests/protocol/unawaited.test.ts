/**
 * Calls that nobody awaits: whatever comes of them, one after the other, is the function's still. What code does behind its function's end is not, wherever
 * that was called.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { contract, type FnContext, fn, outcome, reply, service } from "../../sdk/index.ts";
import { z } from "zod";
import { Cluster } from "./support/cluster.ts";
import { LonePartition } from "./support/lone-partition.ts";
import { nameOn } from "./support/names-on.ts";

const input = z.object({ calls: z.number(), steps: z.number() });
const output = z.any();
const Loose = contract("loose", {
  at: fn({ input }),
  later: fn({ input }),
  behind: fn({ input }),
  told: fn({ output }),
  count: fn({ output }),
});
const Other = contract("other", {
  add: fn({ input: z.object({ steps: z.number() }) }),
  open: fn(),
  count: fn({ output }),
});

let open: () => void = () => undefined;

/** Calls one after the other, each of which takes so many microtasks. */
async function follow(ctx: FnContext<{ n: number }, {}, {}>, { calls, steps }: z.infer<typeof input>): Promise<void> {
  for (let n = 0; n < calls; n++) {
    await ctx.call(Other, ctx.key).add({ steps });
    ctx.state.n += 1;
  }
}

const loose = service(
  Loose,
  { state: () => ({ n: 0 }) },
  {
    at: (ctx, given) => void follow(ctx, given),
    later: async (ctx, given) => void follow(ctx, given),
    behind: (ctx, given) => {
      void ctx
        .call(Other, ctx.key)
        .open()
        .then(() => follow(ctx, given));
    },
    told: (ctx) => {
      const told = ["before"];
      void follow(ctx, { calls: 2, steps: 0 }).then(() => told.push("behind"));
      return told;
    },
    count: (ctx) => ctx.state.n,
  },
);
const other = service(
  Other,
  { state: () => ({ n: 0 }) },
  {
    add: (ctx, { steps }) => {
      ctx.state.n += 1;
      if (steps > 0) return pass(steps);
    },
    open: () => new Promise<void>((resolve) => (open = resolve)),
    count: (ctx) => ctx.state.n,
  },
);

async function pass(steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await undefined;
}

const each = ["at", "later", "behind"].flatMap((name) =>
  [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((steps) => [2, 200].map((calls) => ({ name, steps, calls }))),
);

test.each(each)("$name: $calls calls of $steps microtasks", async ({ name, steps, calls }) => {
  const partition = new LonePartition([loose, other]);
  const ticket = partition.send([{ service: "loose", key: "k", name, input: { calls, steps } }]);
  await partition.settle();
  open();
  await partition.settle();
  expect(partition.replies.get(ticket)?.[0]?.status).toBe(200);
  const counts: unknown[] = [];
  for (const service of ["loose", "other"])
    counts.push((await partition.call({ service, key: "k", name: "count" })).body);
  expect(counts).toEqual([String(calls), String(calls)]);
});

test("what a function answers is what it was when the function returned", async () => {
  const partition = new LonePartition([loose, other]);
  const told = await partition.call({ service: "loose", key: "k", name: "told" });
  expect([told.status, told.body]).toEqual([200, '["before"]']);
  expect((await partition.call({ service: "loose", key: "k", name: "count" })).body).toBe("2");
});

const Outlived = contract("outlived", { begin: fn(), count: fn({ input: z.any(), output }) });
const Caller = contract("caller", { go: fn({ input: z.any(), output }) });
/** What was refused to code that goes on behind its function's end. */
const refused: string[] = [];
let goOn: () => void = () => undefined;
const outlived = service(
  Outlived,
  { state: () => ({ n: 0, list: [0] }) },
  {
    begin: (ctx) => {
      const { state } = ctx;
      state.n += 1;
      void new Promise<void>((resolve) => (goOn = resolve)).then(() => {
        state.n += 100;
        state.list.push(100);
        try {
          ctx.state.n += 100;
        } catch (error) {
          refused.push((error as { readonly type: string }).type);
        }
      });
    },
    count: (ctx) => [ctx.state.n, ...ctx.state.list],
  },
);
const caller = service(
  Caller,
  {},
  {
    go: async (ctx, { steps: [how, key] }: { readonly steps: readonly ["call" | "try", string] }) => {
      await ctx[how](Outlived, key).begin();
      goOn();
      await pass(20);
      return ctx.call(Outlived, key).count();
    },
  },
);

describe("what code does to its state behind its function's end counts nowhere, and its ctx is refused", () => {
  const places = [0, 1].flatMap((peer) => (["call", "try"] as const).map((how) => ({ peer, how })));
  test.each(places)("called by $how, from partition 0 on partition $peer", async ({ peer, how }) => {
    refused.length = 0;
    const c = await Cluster.up(2, [outlived, caller]);
    const key = nameOn(peer, 2, "o");
    const request = await c.ask(["caller", nameOn(0, 2, "c")], [how, key] as never, { name: "go" });
    await c.settle();
    const looked = await c.ask(["outlived", key], [], { name: "count" });
    await c.settle();
    expect([request.answer?.body, looked.answer?.body, refused]).toEqual(["[1,0]", "[1,0]", ["transaction-aborted"]]);
  });

  test("of a root", async () => {
    refused.length = 0;
    const partition = new LonePartition([outlived]);
    const begun = await partition.call({ service: "outlived", key: "k", name: "begin" });
    goOn();
    const counted = await partition.call({ service: "outlived", key: "k", name: "count" });
    expect([begun.status, counted.body, refused]).toEqual([200, "[1,0]", ["transaction-aborted"]]);
  });
});

const Asks = contract("asks", { go: fn({ input: z.string() }), told: fn({ input: outcome() }) });
const asking: Readonly<Record<string, (ctx: FnContext) => unknown>> = {
  "a promise": (ctx) => ctx.promise(reply(Asks, ctx.key, "told"), { id: "p" }),
  "a promise with a deadline that is none": (ctx) =>
    ctx.promise(reply(Asks, ctx.key, "told"), { deadline: "soon" as "1s" }),
  "a message that is to be cancelled and is none": (ctx) => ctx.cancel("none"),
  "a schedule of what is not there": (ctx) => ctx.schedule("s", "* * * * *", contract("gone", { go: fn() }), "k").go(),
};
const asks = service(Asks, {}, { go: (ctx, what) => void asking[what]?.(ctx as FnContext), told: () => undefined });

test.each([
  ["a promise", 409],
  ["a promise with a deadline that is none", 500],
  ["a message that is to be cancelled and is none", 404],
  ["a schedule of what is not there", 404],
])("%s fails the function that does not wait for it, and disturbs nobody else", async (what, status) => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  const partition = new LonePartition([asks]);
  const go = (input: string) => partition.call({ service: "asks", key: "k", name: "go", input });
  expect((await go("a promise")).status).toBe(200);
  expect((await go(what)).status).toBe(status);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(unhandled).toEqual([]);
});
