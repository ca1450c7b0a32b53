/** Functions that do what they should not, on another partition than their caller. */
import { expect, test } from "vitest";
import { z } from "zod";
import { contract, fn, service } from "../../../sdk/index.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { Cluster } from "../support/cluster.ts";

const keys = fn({ input: z.object({ steps: z.array(z.string()) }), output: z.any() });
const nothing = fn({});
const Odd = contract("odd", {
  passHuge: keys,
  leakThenTry: keys,
  count: fn({ input: z.string() }),
  leak: nothing,
  fails: nothing,
});
const odd = service(
  Odd,
  { state: (): { n: number; not?: unknown } => ({ n: 0 }) },
  {
    async passHuge(ctx, { steps: [to = ""] }) {
      await ctx.call(Odd, to).count("x".repeat(5 * LIMITS.maxCallBytes));
    },
    count(ctx) {
      ctx.state.n += 1;
    },
    async leakThenTry(ctx, { steps: [leaking = "", failing = ""] }) {
      await ctx.call(Odd, leaking).leak();
      await ctx.try(Odd, failing).fails();
    },
    /** Goes on with its state when it has returned, and makes of it what cannot be stored. */
    leak({ state }) {
      state.n = 1;
      void Promise.resolve().then(() => Promise.resolve().then(() => (state.not = () => 1)));
    },
    fails() {
      throw new Error("no");
    },
  },
);

async function ask(name: string, steps: readonly string[], c: Cluster) {
  const request = await c.ask(["odd", c.place(0)[1]], steps as never, { name });
  await c.settle();
  return request.answer;
}

test("a call that passes more than a message can carry fails, and its partition goes on", async () => {
  const c = await Cluster.up(2, [odd]);
  const answer = await ask("passHuge", [c.place(1)[1]], c);
  expect(answer).toMatchObject({ status: 500, body: expect.stringContaining("transaction-too-large") });
  expect(c.node(0).status).toMatchObject({ attempts: 0, locks: 0 });
});

test("what a function makes of its state after its end does not count, nor can it break the finish", async () => {
  const c = await Cluster.up(2, [odd]);
  const answer = await ask("leakThenTry", [c.place(1)[1], c.place(1, 1)[1]], c);
  expect(answer?.status).toBe(200);
  expect(c.node(1).status).toMatchObject({ attempts: 0, locks: 0, undecided: 0 });
});
