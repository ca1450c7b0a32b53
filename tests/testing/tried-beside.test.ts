/** Tried calls that come back to the key of their caller and fail: what they did there is undone, and what the caller wrote meanwhile is not. */
import { collection, contract, fn, query, service } from "tidegate";
import { expect, test } from "vitest";
import { z } from "zod";
import { testApp } from "../../testing/index.ts";

interface CartState {
  taken: string[];
  notes: number;
  items: Map<string, number>;
  own: number;
  part: { a: number; b: number };
}
const output = z.any();
const how = z.enum(["once", "twice", "clear"]);
const Cart = contract("cart", {
  checkout: fn({ input: z.array(z.string()), output }),
  beside: fn({ input: z.object({ stock: z.string(), how }), output }),
  same: fn({ input: z.enum(["member", "entry", "cleared"]), output }),
  sameTried: fn({ output }),
  loop: fn({ output }),
  note: fn({ input: z.string() }),
  clear: fn(),
  look: query({ output }),
});
const Stock = contract("stock", {
  take: fn({ input: z.object({ cart: z.string(), how }), refusals: { none: z.object({}) } }),
  rest: fn(),
});

/** So many writes of its own, while a tried call runs. */
const OWN = 20;

/** By key: whom to tell that a call has come back to it. */
const visited = new Map<string, () => void>();

const cart = service(
  Cart,
  {
    state: (): CartState => ({ taken: [], notes: 0, items: new Map(), own: 0, part: { a: 0, b: 0 } }),
    collections: { log: collection<number, string>() },
  },
  {
    async checkout(ctx, ids) {
      const ok: string[] = [];
      const take = async (id: string): Promise<void> => {
        const taken = await ctx.try(Stock, id).take({ cart: ctx.key, how: "once" });
        if (!taken.ok) return;
        ok.push(id);
        ctx.state.taken.push(id);
        ctx.collections.log.set(`taken ${id}`, 1);
      };
      await Promise.all(ids.map(take));
      return ok;
    },
    async beside(ctx, { stock, how: what }) {
      const { part } = ctx.state;
      const tried = ctx.try(Stock, stock).take({ cart: ctx.key, how: what });
      for (let n = 0; n < OWN; n++) {
        await ctx.call(Stock, "elsewhere").rest();
        ctx.state.own += 1;
        part.a += 1;
        ctx.collections.log.set(`own ${n}`, n);
      }
      const { ok } = await tried;
      // Still a part of the state.
      part.b += 10;
      return ok;
    },
    async same(ctx, what) {
      ctx.state.own = 1;
      const tried = ctx.try(Stock, "gone").take({ cart: ctx.key, how: what === "cleared" ? "clear" : "once" });
      await new Promise<void>((resolve) => visited.set(ctx.key, resolve));
      if (what === "entry") ctx.collections.log.set("noted once", 7);
      else ctx.state.notes += 100;
      return (await tried).ok;
    },
    sameTried: async (ctx) => (await ctx.try(Cart, `${ctx.key}-inner`).same("member")).ok,
    async loop(ctx) {
      for (const id of ["a", "b", "c"]) ctx.state.items.set(id, 1);
      let rounds = 0;
      for (const [id] of ctx.state.items) {
        rounds += 1;
        await ctx.try(Stock, `gone-${id}`).take({ cart: ctx.key, how: "once" });
      }
      return rounds;
    },
    note(ctx, name) {
      visited.get(ctx.key)?.();
      ctx.state.notes += 1;
      ctx.state.part.b += 1;
      ctx.collections.log.set(`noted ${name}`, 1);
    },
    clear(ctx) {
      visited.get(ctx.key)?.();
      ctx.clear();
    },
    look: ({ state, collections }) => ({ ...state, items: state.items.size, log: [...collections.log.range()] }),
  },
);
const stock = service(
  Stock,
  { state: () => ({ left: 1 }) },
  {
    async take(ctx, { cart: key, how: what }) {
      const { rest } = ctx.call(Stock, `${ctx.key}-rest`);
      if (what === "clear") await ctx.call(Cart, key).clear();
      else await ctx.call(Cart, key).note("once");
      for (let n = 0; n < 3; n++) await rest();
      if (what === "twice") await ctx.call(Cart, key).note("twice");
      for (let n = 0; n < 40; n++) await rest();
      if (ctx.key.startsWith("gone")) throw ctx.refuse("none", {});
      ctx.state.left -= 1;
    },
    rest: () => undefined,
  },
);

const app = () => testApp({ services: [cart, stock], partitions: 3, log: () => undefined }).client({ Cart });
/** So that keys lie on one partition or on several. */
const KEYS = ["k1", "k2", "k3", "k4"];

test.each([[["x", "gone"]], [["gone1", "x"]], [["x", "gone1", "y", "gone2"]], [["gone1", "gone2"]]])(
  "what a function writes behind one tried call stays when another beside it fails: %s",
  async (ids) => {
    const client = app();
    for (const key of KEYS) {
      const names = ids.map((id) => `${id}-${key}`);
      const ok: string[] = await client.cart(key).checkout(names);
      ok.sort();
      expect(ok).toEqual(names.filter((name) => !name.startsWith("gone")));
      const { taken, notes, log } = await client.cart(key).look();
      expect(taken.toSorted()).toEqual(ok);
      expect(notes).toBe(ok.length);
      expect(log.map(([name]: [string]) => name)).toEqual(
        [...(ok.length > 0 ? ["noted once"] : []), ...ok.map((id) => `taken ${id}`)].toSorted(),
      );
    }
  },
);

test.each(["once", "twice"] as const)(
  "what it writes while a tried call runs stays when that fails: %s",
  async (what) => {
    const client = app();
    for (const key of KEYS) {
      expect(await client.cart(key).beside({ stock: "gone", how: what })).toBe(false);
      expect(await client.cart(key).look()).toMatchObject({
        own: OWN,
        notes: 0,
        part: { a: OWN, b: 10 },
        log: Array.from({ length: OWN }, (_, n) => [`own ${n}`, n]).toSorted(),
      });
      expect(await client.cart(key).beside({ stock: "there", how: what })).toBe(true);
      expect(await client.cart(key).look()).toMatchObject({ own: 2 * OWN, notes: what === "once" ? 1 : 2 });
    }
  },
);

test.each(["member", "entry", "cleared"] as const)(
  "where both have written the same nothing is done: %s",
  async (what) => {
    const client = app();
    for (const key of KEYS) {
      await expect(client.cart(key).same(what)).rejects.toMatchObject({
        problem: { type: "/problems/transaction-aborted", detail: expect.stringContaining("cannot be undone") },
      });
      expect(await client.cart(key).look()).toMatchObject({ own: 0, notes: 0, log: [] });
    }
  },
);

test("a tried call around it fails alone", async () => {
  const client = app();
  for (const key of KEYS) {
    expect(await client.cart(key).sameTried()).toBe(false);
    expect(await client.cart(`${key}-inner`).look()).toMatchObject({ notes: 0, log: [] });
  }
});

test("a loop over a part of the state that is as it was goes on where it is", async () => {
  for (const key of KEYS) expect(await app().cart(key).loop()).toBe(3);
});
