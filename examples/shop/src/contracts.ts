/**
 * What the shop offers, apart from how: services import each other's contracts and never each other's code, so cart and order may call
 * each other. Money is whole cents.
 */
import { contract, fn, noData, query } from "tidegate";
import * as z from "zod";

const cents = z.int().positive();
const quantity = z.int().positive();
const item = z.string().min(1).max(64);

/** One position of a cart or an order. */
export const Line = z.object({ item, price: cents, quantity });
export type Line = z.infer<typeof Line>;

export const PlacedOrder = z.object({
  id: z.int(),
  status: z.enum(["placed", "cancelled"]),
  total: cents,
  lines: z.array(Line),
  /** Milliseconds since 1970. */
  placedAt: z.number(),
});
export type PlacedOrder = z.infer<typeof PlacedOrder>;

/** A customer's money; the key is the customer. */
export const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: cents }), output: z.object({ balance: z.int() }) }),
  charge: fn({
    input: z.object({ amount: cents }),
    output: z.object({ balance: z.int() }),
    refusals: { "insufficient-funds": z.object({ balance: z.int(), missing: cents }) },
  }),
  balance: query({ output: z.object({ balance: z.int() }) }),
});

const cartState = z.object({ lines: z.int(), total: z.int() });

/** What a customer is about to buy; the key is the customer. */
export const Cart = contract("cart", {
  /** Adds to the line of an item; the newest price counts. */
  add: fn({
    input: Line,
    output: cartState,
    refusals: { "cart-full": z.object({ most: z.int() }) },
  }),
  remove: fn({ input: z.object({ item }), output: cartState, refusals: { "not-in-cart": noData } }),
  /** Adds lines as `add` does, all of them or none. */
  putBack: fn({ input: z.object({ lines: z.array(Line) }), refusals: { "cart-full": z.object({ most: z.int() }) } }),
  contents: query({ output: z.object({ total: z.int(), lines: z.array(Line) }) }),
  /** Pays for everything in the cart and places the order: all of it, or nothing. */
  checkout: fn({
    output: z.object({ order: z.int(), total: cents, balance: z.int() }),
    refusals: { "empty-cart": noData, "insufficient-funds": z.object({ balance: z.int(), total: cents }) },
  }),
});

/** A customer's orders; the key is the customer. */
export const Order = contract("order", {
  create: fn({ input: z.object({ lines: z.array(Line).min(1), total: cents }), output: z.object({ id: z.int() }) }),
  /** Gives the money back and puts the lines back into the cart, where they fit. */
  cancel: fn({
    input: z.object({ id: z.int() }),
    output: z.object({ refunded: cents, linesBack: z.boolean() }),
    refusals: { "unknown-order": noData, "already-cancelled": noData },
  }),
  /** Newest first. */
  list: query({
    input: z.object({ limit: z.int().min(1).max(1_000).default(20) }).optional(),
    output: z.array(PlacedOrder),
  }),
});

const stockLevel = z.object({ available: z.int(), revision: z.int() });

/** Pieces of an article in the warehouse; the key is the article. */
export const Stock = contract("stock", {
  restock: fn({ input: z.object({ quantity }), output: stockLevel }),
  reserve: fn({
    input: z.object({ quantity }),
    output: stockLevel,
    refusals: { "out-of-stock": z.object({ available: z.int() }) },
  }),
  /** `revision` counts the changes so far. */
  level: query({ output: stockLevel }),
});
