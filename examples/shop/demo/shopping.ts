/** What customers do in a shop: the mix of calls, drawn from what the demo remembers of the customer. */
import type { Call } from "./calls.ts";
import type { Customer } from "./customer.ts";
import { ARTICLES } from "./goods.ts";
import { between, oneOf, type Random, zipf } from "./random.ts";
import type { Shelf, StockCall } from "./shelf.ts";

/** Orders of one customer after which no more are placed, so that one answer shows them all. */
const ORDERS_MAX = 800;
const SKEW = 0.9;
const drawArticle = zipf(ARTICLES.length, SKEW);

/** Shares of all calls; the rest are a customer's. */
const STOCK_SHARE = 0.3;

/** Whether the next call is about an article instead of a customer. */
export function wantsStock(chance: Random): boolean {
  return chance() < STOCK_SHARE;
}

/** Keys of the demo's own, so that what is done by hand does not disturb its audit. */
export const stockKey = (name: string): string => `demo-${name}`;

/** A call about an article: deliveries are rare and large, reservations frequent and small, and some find too little. */
export function stockCall(chance: Random, shelves: ReadonlyMap<string, Shelf>): StockCall {
  const key = stockKey(article(chance).name);
  if (!shelves.has(key)) throw new RangeError(`there is no shelf for ${key}`);
  const draw = chance();
  if (draw < 0.15) return { service: "stock", key, function: "restock", input: { quantity: between(chance, 5, 20) } };
  if (draw < 0.85) return { service: "stock", key, function: "reserve", input: { quantity: between(chance, 1, 5) } };
  return { service: "stock", key, function: "level" };
}

/** A customer's next call. */
export function customerCall(chance: Random, customer: Customer): Call {
  const { key } = customer;
  const draw = chance();
  if (draw < 0.18)
    return { service: "account", key, function: "deposit", input: { amount: between(chance, 5, 60) * 100 } };
  if (draw < 0.56) return add(chance, key);
  if (draw < 0.64) return { service: "cart", key, function: "remove", input: { item: removal(chance, customer) } };
  if (draw < 0.8 && customer.orders < ORDERS_MAX) return { service: "cart", key, function: "checkout" };
  if (draw < 0.86) {
    const id = between(chance, 1, customer.orders + 1);
    return { service: "order", key, function: "cancel", input: { id } };
  }
  if (draw < 0.92) return { service: "cart", key, function: "contents" };
  if (draw < 0.97) return { service: "account", key, function: "balance" };
  return { service: "order", key, function: "list", input: { limit: 5 } };
}

function add(chance: Random, key: string): Call {
  const { name, price } = article(chance);
  const quantity = chance() < 0.8 ? 1 : between(chance, 2, 6);
  return { service: "cart", key, function: "add", input: { item: name, price, quantity } };
}

/** Mostly something that is in the cart. */
function removal(chance: Random, customer: Customer): string {
  const { items } = customer;
  return items.length === 0 || chance() < 0.1 ? article(chance).name : oneOf(chance, items);
}

function article(chance: Random): (typeof ARTICLES)[number] {
  const drawn = ARTICLES[drawArticle(chance)];
  if (drawn === undefined) throw new RangeError("an article was drawn that there is not");
  return drawn;
}
