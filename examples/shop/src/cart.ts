/** The cart service: lines in a sorted collection, and a checkout that is one transaction over cart, stock, account and order. */
import { type Collection, collection, service } from "tidegate";
import { Account, Cart, type Line, Order, orderId, Stock } from "./contracts.ts";

/** Different items that one cart holds. */
export const CART_LINES_MAX = 12;

interface Held {
  readonly state: { lines: number; total: number; orders: number };
  readonly collections: { readonly lines: Collection<Omit<Line, "item">, string> };
}

/** Adds to the line of an item at the newest price; false, with nothing changed, when the cart is full. */
function put({ state, collections }: Held, { item, price, quantity }: Line): boolean {
  const known = collections.lines.get(item);
  if (known === undefined && state.lines >= CART_LINES_MAX) return false;
  const held = quantity + (known?.quantity ?? 0);
  collections.lines.set(item, { price, quantity: held });
  state.lines += known === undefined ? 1 : 0;
  state.total += price * held - (known === undefined ? 0 : known.price * known.quantity);
  return true;
}

/** Takes all lines out; returns them in the order of their items. */
function empty({ state, collections }: Held): Line[] {
  const lines = collections.lines.range().map(([item, line]) => ({ item, ...line }));
  for (const { item } of lines) collections.lines.delete(item);
  state.lines = 0;
  state.total = 0;
  return lines;
}

export const cart = service(
  Cart,
  {
    state: () => ({ lines: 0, total: 0, orders: 0 }),
    collections: { lines: collection<Omit<Line, "item">>() },
  },
  {
    add(ctx, line) {
      if (!put(ctx, line)) throw ctx.refuse("cart-full", { most: CART_LINES_MAX });
      return { lines: ctx.state.lines, total: ctx.state.total };
    },

    putBack(ctx, { lines }) {
      for (const line of lines) if (!put(ctx, line)) throw ctx.refuse("cart-full", { most: CART_LINES_MAX });
    },

    remove(ctx, { item }) {
      const known = ctx.collections.lines.get(item);
      if (known === undefined) throw ctx.refuse("not-in-cart");
      ctx.collections.lines.delete(item);
      ctx.state.lines -= 1;
      ctx.state.total -= known.price * known.quantity;
      return { lines: ctx.state.lines, total: ctx.state.total };
    },

    contents: (ctx) => ({
      total: ctx.state.total,
      lines: ctx.collections.lines.range().map(([item, line]) => ({ item, ...line })),
    }),

    async checkout(ctx) {
      const { total } = ctx.state;
      const wanted = empty(ctx);
      if (wanted.length === 0) throw ctx.refuse("empty-cart");
      // `try`, since what stock and account refuse becomes a refusal of checkout's own.
      const reserve = async (line: Line): Promise<Line & { taken: number }> => {
        const reserved = await ctx.try(Stock, line.item).reserve({ quantity: line.quantity });
        if (reserved.ok) return { ...line, taken: reserved.value.revision };
        throw reserved.refusal === undefined ? reserved.error : ctx.refuse("out-of-stock", reserved.refusal.data);
      };
      const lines = await Promise.all(wanted.map(reserve));
      const charged = await ctx.try(Account, ctx.key).charge({ amount: total });
      if (!charged.ok)
        throw charged.refusal === undefined ? charged.error : ctx.refuse("insufficient-funds", charged.refusal.data);
      const order = orderId(ctx.key, (ctx.state.orders += 1));
      await ctx.call(Order, order).create({ customer: ctx.key, lines, total });
      return { order, total, balance: charged.value.balance };
    },

    orders(ctx, options) {
      const newest = ctx.state.orders;
      const count = Math.min(options?.limit ?? 20, newest);
      const ids = Array.from({ length: count }, (_, at) => orderId(ctx.key, newest - at));
      return Promise.all(ids.map((id) => ctx.call(Order, id).read()));
    },
  },
);
