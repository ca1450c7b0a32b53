/**
 * What the shop offers, apart from how: services import each other's contracts and never each other's code, so cart and order may call
 * each other. Money is whole cents.
 */
import { contract, fn, noData, outcome, query } from "tidegate";
import * as z from "zod";

const cents = z.int().positive();
const quantity = z.int().positive();
const item = z.string().min(1).max(64);

/** One position of a cart. */
export const Line = z.object({ item, price: cents, quantity });
export type Line = z.infer<typeof Line>;

/** One position of an order, with the revisions of the article's stock at which its pieces left and, if cancelled, came back. */
export const OrderLine = Line.extend({ taken: z.int(), returned: z.int().optional() });
export type OrderLine = z.infer<typeof OrderLine>;

export const PlacedOrder = z.object({
  id: z.string(),
  customer: z.string(),
  status: z.enum(["placed", "cancelled"]),
  total: cents,
  lines: z.array(OrderLine),
  /** Milliseconds since 1970. */
  placedAt: z.number(),
});
export type PlacedOrder = z.infer<typeof PlacedOrder>;

/** Key of a customer's order: the first one of "alice" is "alice/1". */
export const orderId = (customer: string, number: number): string => `${customer}/${number}`;

const insufficientFunds = z.object({ balance: z.int(), price: cents });

/** A customer's money; the key is the customer. */
export const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: cents }), output: z.object({ balance: z.int() }) }),
  charge: fn({
    input: z.object({ amount: cents }),
    output: z.object({ balance: z.int() }),
    refusals: { "insufficient-funds": insufficientFunds },
  }),
  balance: query({ output: z.object({ balance: z.int() }) }),
});

const stockLevel = z.object({ available: z.int(), revision: z.int() });
const outOfStock = z.object({ item, left: z.int() });

/** Pieces of an article in the warehouse; the key is the article. `revision` counts the changes so far. */
export const Stock = contract("stock", {
  restock: fn({ input: z.object({ quantity }), output: stockLevel }),
  reserve: fn({ input: z.object({ quantity }), output: stockLevel, refusals: { "out-of-stock": outOfStock } }),
  level: query({ output: stockLevel }),
});

const cartSums = z.object({ lines: z.int(), total: z.int() });

/** What a customer is about to buy; the key is the customer. */
export const Cart = contract("cart", {
  /** Adds to the line of an item; the newest price counts. */
  add: fn({
    input: Line,
    output: cartSums,
    refusals: { "cart-full": z.object({ most: z.int() }) },
  }),
  remove: fn({ input: z.object({ item }), output: cartSums, refusals: { "not-in-cart": noData } }),
  /** Adds lines as `add` does, all of them or none. */
  putBack: fn({ input: z.object({ lines: z.array(Line) }), refusals: { "cart-full": z.object({ most: z.int() }) } }),
  contents: query({ output: z.object({ total: z.int(), lines: z.array(Line) }) }),
  /** Takes everything in the cart from stock, charges the account and places the order: all of it, or nothing. */
  checkout: fn({
    output: z.object({ order: z.string(), total: cents, balance: z.int() }),
    refusals: { "empty-cart": noData, "out-of-stock": outOfStock, "insufficient-funds": insufficientFunds },
  }),
  /** The customer's orders, newest first. */
  orders: query({
    input: z.object({ limit: z.int().min(1).max(100).default(20) }).optional(),
    output: z.array(PlacedOrder),
  }),
});

/** An order; the key is its id. */
export const Order = contract("order", {
  create: fn({
    input: z.object({ customer: z.string(), lines: z.array(OrderLine).min(1), total: cents }),
    refusals: { "already-placed": noData },
  }),
  /** Gives the money back, the pieces to the stock, and the lines to the cart where they fit. */
  cancel: fn({
    output: z.object({ refunded: cents, linesBack: z.boolean() }),
    refusals: { "unknown-order": noData, "already-cancelled": noData },
  }),
  read: query({ output: PlacedOrder, refusals: { "unknown-order": noData } }),
});

export const InvoiceState = z.object({
  /** `cancelled`: nobody paid in time. `returned`: nobody collected it in time, and the money went back. */
  status: z.enum(["none", "open", "cancelled", "paid", "shipped", "returned"]),
  customer: z.string(),
  item: z.string(),
  quantity: z.int(),
  total: z.int(),
  /** How often the customer's system is known to have been told of the payment. */
  confirmed: z.int(),
  /** Milliseconds since 1970. */
  openedAt: z.number(),
  endedAt: z.number(),
});
export type InvoiceState = z.infer<typeof InvoiceState>;

/** Milliseconds. */
const patience = z.int().positive();

/** A purchase on account; the key is its number. What it is for is taken from stock at once, and goes back if nobody pays. */
export const Invoice = contract("invoice", {
  open: fn({
    input: z.object({
      customer: z.string(),
      item,
      quantity,
      price: cents,
      /** Address that is told of the payment. */
      notify: z.string(),
      /** How long it waits for the payment, and the parcel for being collected; 30 minutes and 2 days unless said otherwise. */
      payWithin: patience.default(30 * 60 * 1_000),
      collectWithin: patience.default(2 * 24 * 60 * 60 * 1_000),
    }),
    refusals: { "already-open": noData, "out-of-stock": outOfStock },
  }),
  /** The payment has come. */
  pay: fn({ refusals: { "not-open": z.object({ status: z.string() }) } }),
  /** The time for it is over. */
  expire: fn(),
  confirmed: fn({ input: outcome(z.object({ status: z.int() })) }),
  shipped: fn({ input: outcome(z.record(z.string(), z.unknown())) }),
  read: query({ output: InvoiceState }),
});

/** What is left of all articles that were ever sold on account, made anew every night; the key is `all`. */
export const Report = contract("report", {
  watch: fn({ input: z.object({ item }) }),
  build: fn({ output: z.object({ items: z.int() }) }),
  read: query({ output: z.object({ builtAt: z.number(), levels: z.array(z.object({ item, available: z.int() })) }) }),
});
