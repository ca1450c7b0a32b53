/**
 * A customer as the demo remembers them: account, cart and orders, kept by rules written anew from the contracts and shared with no service.
 * Each customer belongs to one client, which sends their calls one after the other, so that all answers can be told beforehand but one:
 * whether a checkout finds enough in stock, for which all customers compete.
 */
import type { Line, PlacedOrder } from "../src/contracts.ts";
import { CART_LINES_MAX } from "../src/cart.ts";
import { type Call, type Outcome, same } from "./calls.ts";
import { differs } from "./findings.ts";

interface Position {
  readonly price: number;
  readonly quantity: number;
}
/** An order without what only the server knows. */
export type Placed = Omit<PlacedOrder, "placedAt" | "lines"> & { readonly lines: readonly Line[] };

/** What is kept of a customer from run to run. */
export interface CustomerState {
  readonly key: string;
  readonly balance: number;
  readonly cart: ReadonlyArray<readonly [item: string, position: Position]>;
  readonly orders: readonly Placed[];
}

export class Customer {
  readonly key: string;
  #balance: number;
  readonly #cart: Map<string, Position>;
  readonly #orders: Placed[];
  #missing: string | undefined;

  constructor({ key, balance, cart, orders }: CustomerState) {
    this.key = key;
    this.#balance = balance;
    this.#cart = new Map(cart);
    this.#orders = [...orders];
  }

  get state(): CustomerState {
    return { key: this.key, balance: this.#balance, cart: [...this.#cart], orders: this.#orders };
  }

  get items(): readonly string[] {
    return [...this.#cart.keys()];
  }

  get orders(): readonly Placed[] {
    return this.#orders;
  }

  /** Key of the order that comes next. */
  get nextOrder(): string {
    return `${this.key}/${this.#orders.length + 1}`;
  }

  /** Cents that are missing for what is in the cart. */
  get shortOf(): number {
    return Math.max(0, this.#sums().total - this.#balance);
  }

  /** The article that the last checkout found too little of. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /** The calls that show all of this customer but the orders. */
  get reading(): Call[] {
    const { key } = this;
    return [
      { service: "account", key, function: "balance" },
      { service: "cart", key, function: "contents" },
    ];
  }

  /** Takes an answer, and its effect on this customer. Returns what is wrong with it, if anything. */
  take(call: Call, actual: Outcome): string | undefined {
    if (call.function === "checkout" && "refusal" in actual && actual.refusal === "cart/out-of-stock")
      return this.#tooLittle(actual.data as { item: string; left: number });
    const expected = this.#run(call);
    return same(expected, actual) ? undefined : differs("the answer", expected, actual);
  }

  #tooLittle({ item, left }: { item: string; left: number }): string | undefined {
    const wanted = this.#cart.get(item)?.quantity ?? 0;
    this.#missing = item;
    return left >= 0 && left < wanted ? undefined : `refused ${wanted} pieces of "${item}" although ${left} are left`;
  }

  #run(call: Call): Outcome {
    switch (call.function) {
      case "deposit":
        this.#balance += call.input.amount;
        return { result: { balance: this.#balance } };
      case "balance":
        return { result: { balance: this.#balance } };
      case "add":
        if (!this.#put([call.input])) return { refusal: "cart/cart-full", data: { most: CART_LINES_MAX } };
        return { result: this.#sums() };
      case "remove":
        if (!this.#cart.delete(call.input.item)) return { refusal: "cart/not-in-cart", data: null };
        return { result: this.#sums() };
      case "contents":
        return { result: { total: this.#sums().total, lines: this.#lines() } };
      case "checkout":
        return this.#checkout();
      case "cancel":
        return this.#cancel(call.key);
      case "orders":
        return { result: this.#orders.toReversed().slice(0, call.input?.limit ?? 20) };
      default:
        throw new Error(`the demo has no rule for ${call.service}.${call.function}`);
    }
  }

  #put(lines: readonly Line[]): boolean {
    const items = new Set([...this.#cart.keys(), ...lines.map(({ item }) => item)]);
    if (items.size > CART_LINES_MAX && items.size > this.#cart.size) return false;
    for (const { item, price, quantity } of lines)
      this.#cart.set(item, { price, quantity: quantity + (this.#cart.get(item)?.quantity ?? 0) });
    return true;
  }

  #sums(): { lines: number; total: number } {
    let total = 0;
    for (const { price, quantity } of this.#cart.values()) total += price * quantity;
    return { lines: this.#cart.size, total };
  }

  #lines(): Line[] {
    return [...this.#cart].sort(([a], [b]) => (a < b ? -1 : 1)).map(([item, position]) => ({ item, ...position }));
  }

  #checkout(): Outcome {
    const { lines, total } = this.#sums();
    if (lines === 0) return { refusal: "cart/empty-cart", data: null };
    const balance = this.#balance - total;
    if (balance < 0) return { refusal: "cart/insufficient-funds", data: { balance: this.#balance, price: total } };
    const id = this.nextOrder;
    this.#orders.push({ id, customer: this.key, status: "placed", total, lines: this.#lines() });
    this.#balance = balance;
    this.#cart.clear();
    return { result: { order: id, total, balance } };
  }

  #cancel(id: string): Outcome {
    const at = this.#orders.findIndex((order) => order.id === id);
    const order = this.#orders[at];
    if (order === undefined) return { refusal: "order/unknown-order", data: null };
    if (order.status === "cancelled") return { refusal: "order/already-cancelled", data: null };
    this.#orders[at] = { ...order, status: "cancelled" };
    this.#balance += order.total;
    return { result: { refunded: order.total, linesBack: this.#put(order.lines) } };
  }
}
