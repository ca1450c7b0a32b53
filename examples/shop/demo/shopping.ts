/** What happens in the shop: visits of customers, each with a checkout, and what the warehouse does meanwhile. */
import type { Call } from "./calls.ts";
import type { Customer } from "./customer.ts";
import { type Article, STOCKED } from "./goods.ts";
import { between, oneOf, type Random, zipf, zipfShares } from "./random.ts";
import type { Level, StockCall } from "./shelf.ts";

/** Of the popularity of articles. */
const SKEW = 0.99;
const drawArticle = zipf(STOCKED.length, SKEW);
/** Pieces that a visit is about to buy, on average. */
const PIECES_PER_VISIT = 3.5;
/** Share of that which is there when a run begins; what is cancelled comes back, and deliveries bring some more. */
const OPENING_SHARE = 1;

/** Calls of one visit, in their order: money and goods are brought together, and the last call is a checkout. */
export function visit(chance: Random, customer: Customer): Call[] {
  const { key, missing } = customer;
  const calls: Call[] = [];
  if (missing !== undefined && customer.items.includes(missing))
    calls.push({ service: "cart", key, function: "remove", input: { item: missing } });
  if (chance() < 0.85)
    calls.push({ service: "account", key, function: "deposit", input: { amount: money(chance, customer) } });
  const adds = chance() < 0.03 ? 0 : between(chance, 1, 3);
  for (let at = 0; at < adds; at++) calls.push(add(chance, key));
  if (chance() < 0.15) calls.push(look(chance, customer));
  calls.push({ service: "cart", key, function: "checkout" });
  return calls;
}

function money(chance: Random, { shortOf }: Customer): number {
  return between(chance, 40, 150) * 100 + (chance() < 0.9 ? shortOf : 0);
}

function add(chance: Random, key: string): Call {
  const { name, price } = article(chance);
  const quantity = chance() < 0.8 ? 1 : between(chance, 2, 6);
  return { service: "cart", key, function: "add", input: { item: name, price, quantity } };
}

function look(chance: Random, { key, items }: Customer): Call {
  const draw = chance();
  if (draw < 0.3) return { service: "cart", key, function: "contents" };
  if (draw < 0.5) return { service: "account", key, function: "balance" };
  if (draw < 0.75) return { service: "cart", key, function: "orders", input: { limit: 3 } };
  const item = items.length === 0 || chance() < 0.1 ? article(chance).name : oneOf(chance, items);
  return { service: "cart", key, function: "remove", input: { item } };
}

/**
 * Cancels an order, mostly one that there is; undefined when the customer changed no mind. An order's key is not its customer's, so beside
 * other calls of the customer nobody could tell what comes first: it is to be sent alone.
 */
export function cancellation(chance: Random, { key, orders }: Customer): Call | undefined {
  if (chance() >= 0.12) return undefined;
  return { service: "order", key: `${key}/${between(chance, 1, orders.length + 1)}`, function: "cancel" };
}

/** A call of the warehouse about an article, or undefined: deliveries are rare and large, sales at the counter small. */
export function stockCall(chance: Random): StockCall | undefined {
  const draw = chance();
  if (draw >= 0.25) return undefined;
  const key = article(chance).name;
  if (draw < 0.05) return { service: "stock", key, function: "restock", input: { quantity: between(chance, 5, 20) } };
  if (draw < 0.15) return { service: "stock", key, function: "reserve", input: { quantity: between(chance, 1, 3) } };
  return { service: "stock", key, function: "level" };
}

/** Deliveries before a run, so that it has about what its customers want: popular articles run out on the way. */
export function openingDeliveries(levels: ReadonlyMap<string, Level>, checkouts: number): StockCall[] {
  const shares = zipfShares(STOCKED.length, SKEW);
  return STOCKED.flatMap(({ name }, rank): StockCall[] => {
    const target = 1 + Math.ceil(checkouts * PIECES_PER_VISIT * OPENING_SHARE * (shares[rank] ?? 0));
    const quantity = target - (levels.get(name)?.available ?? 0);
    return quantity > 0 ? [{ service: "stock", key: name, function: "restock", input: { quantity } }] : [];
  });
}

function article(chance: Random): Article {
  const drawn = STOCKED[drawArticle(chance)];
  if (drawn === undefined) throw new RangeError("an article was drawn that there is not");
  return drawn;
}
