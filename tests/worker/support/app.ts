/** A small app for the edge's tests: its handlers never run here, its contracts and flows are what counts. */
import { z } from "zod";
import { count, sum } from "../../../sdk/aggregate.ts";
import { defineApp } from "../../../sdk/app.ts";
import { contract, fn, query } from "../../../sdk/contract.ts";
import { flow } from "../../../sdk/flow.ts";
import { service } from "../../../sdk/service.ts";
import { float64, int64, stream, text, timestamp } from "../../../sdk/stream.ts";
import { tumbling } from "../../../sdk/window.ts";

const Tree: z.ZodType = z.object({
  name: z.string(),
  get children() {
    return z.array(Tree);
  },
});

export const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: z.number().positive() }), output: z.number() }),
  transfer: fn({
    input: z.object({ to: z.string(), amount: z.number() }),
    refusals: {
      "insufficient-funds": z.object({ balance: z.number() }),
      "account-closed": z.object({ since: z.string() }),
    },
  }),
  balance: query({ input: z.object({ at: z.string() }), output: z.number() }),
  plant: fn({ input: z.object({ tree: Tree }), output: z.object({ when: z.date() }) }),
});

const account = service(
  Account,
  {},
  {
    deposit: (_ctx, { amount }) => amount,
    transfer: () => undefined,
    balance: () => 0,
    plant: () => ({ when: new Date(0) }),
  },
);

export const Sales = stream("sales", { item: text(), amount: int64(), price: float64(), at: timestamp() });
const perMinute = flow("sales-per-minute")
  .from(Sales, { time: "at" })
  .keyBy("item")
  .window(tumbling("1m"))
  .aggregate({ orders: count(), revenue: sum("amount"), worth: sum("price") })
  .toView("sales-per-minute");

const Refunds = stream("refunds", { item: text(), amount: int64(), price: float64(), at: timestamp() });
const refundsPerMinute = flow("refunds-per-minute")
  .from(Refunds, { time: "at" })
  .keyBy("at")
  .window(tumbling("1m"))
  .aggregate({ count: count() })
  .toView("refunds-per-minute");

export const app = defineApp({ services: [account], flows: [perMinute, refundsPerMinute] });
