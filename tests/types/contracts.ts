/** Contracts that the type tests share: two services that call each other in a cycle, a query, and refusals with and without data. */

import * as z from "zod";
import { contract, fn, noData, query } from "../../sdk/index.ts";

export const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: z.number().positive() }), output: z.number() }),
  transfer: fn({
    input: z.object({ to: z.string(), amount: z.number().positive() }),
    refusals: { "insufficient-funds": z.object({ balance: z.number() }), frozen: noData },
  }),
  balance: query({ output: z.number() }),
  since: query({ output: z.object({ opened: z.date(), total: z.bigint() }) }),
});

export const Cart = contract("shopping-cart", {
  add: fn({ input: z.object({ item: z.string(), count: z.number().default(1) }) }),
  checkout: fn({ output: z.object({ paid: z.number() }), refusals: { empty: noData } }),
  items: query({ input: z.string().optional(), output: z.array(z.object({ item: z.string(), count: z.number() })) }),
});

/** Takes what has no JSON form: from other functions alone. */
export const Books = contract("books", {
  book: fn({
    input: z.object({ on: z.union([z.date(), z.string()]), lines: z.map(z.string(), z.bigint()).optional() }),
  }),
  close: fn({ input: z.object({ on: z.date(), note: z.string().optional() }) }),
  reopen: fn({
    input: z.object({ on: z.coerce.date(), lines: z.array(z.tuple([z.string(), z.int()])), any: z.any() }),
  }),
});

/** Results that are one of few values, a tuple, or any JSON. */
export const Ticket = contract("ticket", {
  status: query({ output: z.enum(["open", "closed"]) }),
  kind: query({ output: z.literal("ticket") }),
  place: query({ output: z.tuple([z.number(), z.string()]) }),
  all: query({ output: z.array(z.object({ status: z.enum(["open", "closed"]) })) }),
  close: fn({ output: z.object({ status: z.enum(["open", "closed"]) }) }),
  notes: fn({ input: z.json(), output: z.json(), refusals: { no: z.object({ why: z.json().optional() }) } }),
  dated: query({ output: z.object({ notes: z.json(), at: z.date() }).optional() }),
});

/** For files that are compiled elsewhere, where no package is found. */
export { z } from "zod";
