/** What functions return, refuse, write and send that cannot be passed on, or is too much: the call or the transaction fails, and no partition does. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../../protocol/limits.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { collection, contract, fn, query, Refusal, service, TidegateError } from "../../../sdk/index.ts";
import { clientId } from "../support/ingest-frame.ts";
import { Cluster } from "../support/cluster.ts";
import { type Answered, kernels } from "../support/lone-partition.ts";

const output = z.any();
const keys = z.object({ a: z.string(), b: z.string(), mib: z.number() });
const Odd = contract("odd", {
  tries: fn({ input: z.object({ at: z.string(), name: z.enum(["refuses", "refusesLater", "throwsOdd"]) }), output }),
  refuses: fn({ output, refusals: { no: z.any() } }),
  refusesLater: fn({ output, refusals: { no: z.any() } }),
  throwsOdd: fn({ output }),
  /** Ends well while another call beside it runs, which then fails within its tried call. */
  beside: fn({ input: keys, output }),
  besideMany: fn({ input: keys, output }),
  write: fn({ input: z.object({ mib: z.number(), text: z.string().optional() }), output }),
  sendMuch: fn({ output }),
  besideSends: fn({ input: keys, output }),
  add: fn({ input: z.object({ mib: z.number() }), output }),
  failsLater: fn({ output }),
  size: query({ output }),
  returnsMuch: fn({ input: z.number(), output: z.string() }),
  refusesMuch: fn({ input: z.number(), refusals: { no: z.any() } }),
  triesMuch: fn({
    input: z.object({ at: z.string(), name: z.enum(["returnsMuch", "refusesMuch"]), units: z.number() }),
    output,
  }),
});
let goOn: () => void = () => undefined;

const odd = service(
  Odd,
  { state: () => ({ text: "" }), collections: { more: collection<string, number>() } },
  {
    tries: async (ctx, { at, name }) => {
      const told = await ctx.try(Odd, at)[name]();
      return { ok: told.ok, refused: !told.ok && told.refusal !== undefined };
    },
    refuses: (ctx) => {
      throw ctx.refuse("no", { distance: Infinity });
    },
    refusesLater: () => {
      let reads = 0;
      const get = (): number => (reads++ < 1 ? 1 : Infinity);
      const data = Object.defineProperty({}, "n", { enumerable: true, get });
      throw new Refusal("odd", "no", data);
    },
    throwsOdd: () => {
      throw Object.defineProperty(new TidegateError("not-found", "made up"), "message", { value: 1n });
    },
    beside: async (ctx, { a, b, mib }) => {
      const big = ctx.call(Odd, a).write({ mib });
      const { ok } = await ctx.try(Odd, b).failsLater();
      await big;
      return ok;
    },
    besideMany: async (ctx, { a, b, mib }) => {
      const parts = Array.from({ length: mib }, (_, n) => ctx.call(Odd, a).add({ mib: n }));
      await ctx.try(Odd, b).failsLater();
      await Promise.all(parts);
    },
    besideSends: async (ctx, { a, b }) => {
      const sent = ctx.call(Odd, a).sendMuch();
      await ctx.try(Odd, b).failsLater();
      await sent;
    },
    write: (ctx, { mib }) => void (ctx.state.text = "x".repeat(mib * 2 ** 20)),
    add: (ctx, { mib }) => ctx.collections.more.set(mib, "x".repeat(1_000_000)),
    sendMuch: (ctx) => {
      for (let n = 0; n < 50; n++) ctx.send(Odd, ctx.key).write({ mib: 0, text: "x".repeat(200_000) });
    },
    failsLater: async () => {
      await new Promise<void>((resolve) => (goOn = resolve));
      throw new Error("as it should");
    },
    size: (ctx) => ctx.state.text.length,
    returnsMuch: (_ctx, units) => "x".repeat(units),
    refusesMuch: (ctx, units) => {
      throw ctx.refuse("no", '"'.repeat(units / 2));
    },
    triesMuch: async (ctx, { at, name, units }) => {
      const told = await ctx.try(Odd, at)[name](units);
      if (told.ok) return "ok";
      return told.refusal === undefined ? [told.error.type, told.error.message] : "refused";
    },
  },
);

let ids = 0;
async function ask(c: Cluster, peer: number, name: string, input: unknown): Promise<() => Answered[] | undefined> {
  const id = clientId(++ids);
  const fields = [id, "odd", c.place(peer)[1], name, JSON.stringify(input)];
  const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
  const answered = await c.give(peer, { kind: "invoke", frame });
  await c.run();
  return answered;
}

async function expectIdle(c: Cluster): Promise<void> {
  await c.settle();
  for (const peer of c.stores.keys())
    expect(c.node(peer).status).toMatchObject({ attempts: 0, locks: 0, undecided: 0, waiting: 0 });
}

describe("a function of another partition that throws what cannot be told there", () => {
  test.each(["refuses", "refusesLater", "throwsOdd"] as const)("%s fails by itself", async (name) => {
    for (const at of [0, 1]) {
      const c = await Cluster.up(2, [odd]);
      const answered = await ask(c, 0, "tries", { at: c.place(at, 1)[1], name });
      await expectIdle(c);
      const [answer] = answered() ?? [];
      expect(answer?.status).toBe(200);
      expect(JSON.parse(answer?.body ?? "")).toMatchObject({ ok: false });
      // The same wherever it is.
      if (name === "refuses") expect(JSON.parse(answer?.body ?? "")).toMatchObject({ refused: false });
    }
  });
});

test.each([
  ["returnsMuch", "ok"],
  ["refusesMuch", "refused"],
])("%s: as much as between partitions, wherever it is", async (name, fits) => {
  const most = LIMITS.maxResultBytes;
  for (const at of [0, 1]) {
    const c = await Cluster.up(2, [odd]);
    for (const [units, told] of [
      // With the quotes of its text.
      [most - 2, fits],
      [most, ["transaction-too-large", `what a call returns has at most ${most} bytes; return less, or in pages`]],
    ]) {
      const answered = await ask(c, 0, "triesMuch", { at: c.place(at, 1)[1], name, units });
      await expectIdle(c);
      expect(JSON.parse(answered()?.[0]?.body ?? "")).toEqual(told);
    }
  }
});

describe("a function that writes too much, and ends before another at its partition that fails within a tried call", () => {
  test.each([
    ["one value", "beside", 2],
    ["one value that no record could hold", "beside", 40],
    ["many values", "besideMany", 12],
    ["messages", "besideSends", 0],
  ])("%s: nothing is committed", async (_what, name, mib) => {
    const c = await Cluster.up(2, [odd]);
    const [a, b] = [c.place(1, 0)[1], c.place(1, 1)[1]];
    const answered = await ask(c, 0, name, { a, b, mib });
    goOn();
    await c.turn();
    await expectIdle(c);
    const [answer] = answered() ?? [];
    expect([answer?.status, (JSON.parse(answer?.body ?? "") as { type: string }).type]).toEqual([
      500,
      "/problems/transaction-too-large",
    ]);
    const size = await ask(c, 1, "size", null);
    await c.settle();
    expect(size()?.[0]?.body).toBe("0");
  });

  test("what is small enough is committed", async () => {
    const c = await Cluster.up(2, [odd]);
    const [a, b] = [c.place(1, 0)[1], c.place(1, 1)[1]];
    const answered = await ask(c, 0, "besideMany", { a, b, mib: 7 });
    goOn();
    await c.turn();
    await expectIdle(c);
    expect(answered()?.[0]?.status).toBe(200);
  });
});
