/** A tried call that writes too much fails alone, whatever other tried calls end within it or beside it before. */
import { expect, test } from "vitest";
import { z } from "zod";
import { contract, fn, service } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

useLimits({ maxTransactionBytes: 64 * 1024 });
const how = z.object({ what: z.enum(["state", "messages"]), within: z.boolean(), beside: z.boolean() });
const Thing = contract("thing", {
  go: fn({ input: how, output: z.array(z.boolean()) }),
  much: fn({ input: how }),
  fill: fn(),
  touch: fn(),
  take: fn({ input: z.string() }),
});
const TEXT = "x".repeat(10_000);
const thing = service(
  Thing,
  { state: () => ({ text: "" }) },
  {
    async go(ctx, input) {
      const tried = [ctx.try(Thing, "much").much(input), ...(input.beside ? [ctx.try(Thing, "beside").touch()] : [])];
      return (await Promise.all(tried)).map(({ ok }) => ok);
    },
    async much(ctx, { what, within, beside }) {
      for (let n = 0; n < 10; n++) {
        if (what === "messages") ctx.send(Thing, "far").take(TEXT);
        else await ctx.call(Thing, `much ${n}`).fill();
      }
      // The one beside it ends before.
      if (beside) for (let n = 0; n < 4; n++) await ctx.call(Thing, `wait ${n}`).touch();
      if (within) await ctx.try(Thing, "within").touch();
    },
    fill: (ctx) => void (ctx.state.text = TEXT),
    touch: (ctx) => void (ctx.state.text = "y"),
    take: () => undefined,
  },
);

const cases = (["state", "messages"] as const).flatMap((what) =>
  [false, true].flatMap((within) => [false, true].map((beside) => ({ what, within, beside }))),
);
test.each(cases)("$what, within: $within, beside: $beside", async (input) => {
  const partition = new LonePartition([thing]);
  const { status, body } = await partition.call({ service: "thing", key: "r", name: "go", input });
  expect([status, JSON.parse(body)]).toEqual([200, input.beside ? [false, true] : [false]]);
});
