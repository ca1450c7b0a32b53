/** Many calls at once to one key: each waits for those before it, and finding that out costs no more than they do. */
import { expect, test } from "vitest";
import { contract, fn, service } from "../../sdk/index.ts";
import { z } from "zod";
import { LonePartition } from "./support/lone-partition.ts";

const calls = z.object({ calls: z.number() });
const Many = contract("many", { all: fn({ input: calls, output: z.number() }), tryAll: fn({ input: calls }) });
const One = contract("one", { add: fn(), both: fn({ input: calls }), count: fn({ output: z.number() }) });
const many = service(
  Many,
  {},
  {
    async all(ctx, { calls: n }) {
      await Promise.all(Array.from({ length: n }, () => ctx.call(One, ctx.key).add()));
      return n;
    },
    async tryAll(ctx, { calls: n }) {
      // The tried calls keep the key that all of them want until they end.
      await Promise.all(Array.from({ length: n }, () => ctx.try(One, "other").both({ calls: 1 })));
    },
  },
);
const one = service(
  One,
  { state: () => ({ n: 0 }) },
  {
    async add(ctx) {
      await Promise.resolve();
      ctx.state.n += 1;
    },
    async both(ctx, { calls: n }) {
      await Promise.all(Array.from({ length: n }, () => ctx.call(One, "shared").add()));
    },
    count: (ctx) => ctx.state.n,
  },
);

test("five thousand calls at once to one key are done in time", async () => {
  const partition = new LonePartition([many, one]);
  const answer = await partition.call({ service: "many", key: "k", name: "all", input: { calls: 5_000 } });
  expect([answer.status, answer.body]).toEqual([200, "5000"]);
  expect((await partition.call({ service: "one", key: "k", name: "count" })).body).toBe("5000");
});

test("a thousand tried calls at once that want one key more are done in time", async () => {
  const partition = new LonePartition([many, one]);
  const answer = await partition.call({ service: "many", key: "k", name: "tryAll", input: { calls: 1_000 } });
  expect(answer.status).toBe(200);
  expect((await partition.call({ service: "one", key: "shared", name: "count" })).body).toBe("1000");
});
