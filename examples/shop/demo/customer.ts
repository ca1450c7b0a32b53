/**
 * A customer as the demo remembers them: account, cart and orders, kept by rules written anew from the contracts and shared with no service.
 * Each customer belongs to one client, which sends their calls one after the other, so that every answer can be told beforehand.
 */
import type { PlacedOrder } from "../src/contracts.ts";
import { CART_LINES_MAX } from "../src/cart.ts";
import type { Call, Outcome } from "./calls.ts";

interface Position {
  readonly price: number;
  readonly quantity: number;
}
type Placed = Omit<PlacedOrder, "placedAt">;

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

  get orders(): number {
    return this.#orders.length;
  }

  /** The calls that show all of this customer. */
  get reading(): Call[] {
    const { key } = this;
    return [
      { service: "account", key, function: "balance" },
      { service: "cart", key, function: "contents" },
      { service: "order", key, function: "list", input: { limit: 1_000 } },
    ];
  }

  /** The answer that a call must get, and its effect on this customer. */
  run(call: Call): Outcome {
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
        return this.#cancel(call.input.id);
      case "list":
        return { result: this.#orders.toReversed().slice(0, call.input?.limit ?? 20) };
      default:
        throw new Error(`the demo has no rule for ${call.service}.${call.function}`);
    }
  }

  #put(lines: ReadonlyArray<Position & { readonly item: string }>): boolean {
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

  #lines(): Array<Position & { readonly item: string }> {
    return [...this.#cart].sort(([a], [b]) => (a < b ? -1 : 1)).map(([item, position]) => ({ item, ...position }));
  }

  #checkout(): Outcome {
    const { lines, total } = this.#sums();
    if (lines === 0) return { refusal: "cart/empty-cart", data: null };
    if (this.#balance < total) return { refusal: "cart/insufficient-funds", data: { balance: this.#balance, total } };
    const id = this.#orders.length + 1;
    this.#orders.push({ id, status: "placed", total, lines: this.#lines() });
    this.#balance -= total;
    this.#cart.clear();
    return { result: { order: id, total, balance: this.#balance } };
  }

  #cancel(id: number): Outcome {
    const order = this.#orders[id - 1];
    if (order === undefined) return { refusal: "order/unknown-order", data: null };
    if (order.status === "cancelled") return { refusal: "order/already-cancelled", data: null };
    this.#orders[id - 1] = { ...order, status: "cancelled" };
    this.#balance += order.total;
    return { result: { refunded: order.total, linesBack: this.#put(order.lines) } };
  }
}
