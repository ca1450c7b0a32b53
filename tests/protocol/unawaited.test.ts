/** Calls that nobody awaits: whatever comes of them, one after the other, is the function's still. */
import { expect, test } from "vitest";
import { contract, type FnContext, fn, service } from "../../sdk/index.ts";
import { z } from "zod";
import { LonePartition } from "./support/lone-partition.ts";

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
