/** The cart service: lines in a sorted collection, and a checkout that is one transaction over cart, account and order. */
import { type Collection, collection, service } from "tidegate";
import { Account, Cart, type Line, Order } from "./contracts.ts";

/** Different items that one cart holds. */
export const CART_LINES_MAX = 12;

interface Held {
  readonly state: { lines: number; total: number };
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

export const cart = service(
  Cart,
  {
    state: () => ({ lines: 0, total: 0 }),
    collections: { lines: collection<Omit<Line, "item">>() },
  },
  {
    add(ctx, line) {
      if (!put(ctx, line)) throw ctx.refuse("cart-full", { most: CART_LINES_MAX });
      return ctx.state;
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
      return ctx.state;
    },

    contents: (ctx) => ({
      total: ctx.state.total,
      lines: ctx.collections.lines.range().map(([item, line]) => ({ item, ...line })),
    }),

    // Stock is kept under the article's key, mostly on another partition than the customer's, and calls across partitions are refused for
    // now: until they are there, checkout takes nothing from stock, and a shop calls `reserve` by itself.
    async checkout(ctx) {
      const { total } = ctx.state;
      const lines = ctx.collections.lines.range().map(([item, line]) => ({ item, ...line }));
      if (lines.length === 0) throw ctx.refuse("empty-cart");
      // `try`, since the account's refusal is not the caller's business: it becomes one of checkout's own.
      const charged = await ctx.try(Account, ctx.key).charge({ amount: total });
      if (!charged.ok) {
        if (charged.refusal === undefined) throw charged.error;
        throw ctx.refuse("insufficient-funds", { balance: charged.refusal.data.balance, total });
      }
      const { id } = await ctx.call(Order, ctx.key).create({ lines, total });
      ctx.clear();
      return { order: id, total, balance: charged.value.balance };
    },
  },
);
