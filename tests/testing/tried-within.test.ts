/** Tried calls within others, functions that run side by side on one key within one, and what the caller holds of its state while such a call fails. */
import { collection, contract, fn, query, service } from "tidegate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testApp } from "../../testing/index.ts";

interface Item {
  id: string;
  count: number;
}
interface CartState {
  notes: number;
  own: number;
  list: Item[];
  map: Map<string, Item>;
  part?: Item | undefined;
}
const output = z.any();
const changes = z.enum(["unshift", "add to the map", "within the map", "no value", "delete", "replace"]);
const Cart = contract("cart", {
  run: fn({ input: z.object({ inner: z.boolean(), outer: z.boolean(), times: z.number() }), output }),
  cleared: fn({ input: z.boolean(), output }),
  beside: fn({ input: z.enum(["direct", "around"]), output }),
  holding: fn({ input: z.object({ change: changes, own: z.boolean() }), output }),
  note: fn({ input: z.object({ name: z.string(), fail: z.boolean() }), refusals: { no: z.object({}) } }),
  mine: fn({ input: z.enum(["direct", "around"]) }),
  clear: fn(),
  change: fn({ input: changes }),
  look: query({ output }),
});
const refusals = { no: z.object({}) };
const Mid = contract("mid", {
  nested: fn({
    input: z.object({ cart: z.string(), inner: z.boolean(), outer: z.boolean(), times: z.number() }),
    refusals,
  }),
  clear: fn({ input: z.string(), refusals }),
  mine: fn({ input: z.object({ cart: z.string(), how: z.enum(["direct", "around"]) }), refusals }),
  around: fn({ input: z.object({ cart: z.string(), name: z.string() }) }),
  change: fn({ input: z.object({ cart: z.string(), change: changes }), refusals }),
});

/** By key: whom to tell that a call has come back to it. */
const visited = new Map<string, () => void>();
const fresh = (): CartState => ({
  notes: 0,
  own: 0,
  list: [{ id: "a", count: 0 }],
  map: new Map([["a", { id: "a", count: 0 }]]),
  part: { id: "part", count: 0 },
});

const cart = service(
  Cart,
  { state: fresh, collections: { log: collection<number, string>() } },
  {
    async run(ctx, how) {
      const { ok } = await ctx.try(Mid, "m").nested({ cart: ctx.key, ...how });
      ctx.state.own += 1;
      return ok;
    },
    async cleared(ctx, own) {
      ctx.clear();
      ctx.collections.log.set("x", 1);
      const tried = ctx.try(Mid, "m").clear(ctx.key);
      await new Promise<void>((resolve) => visited.set(ctx.key, resolve));
      if (own) ctx.collections.log.set("y", 2);
      return (await tried).ok;
    },
    beside: async (ctx, how) => (await ctx.try(Mid, "m").mine({ cart: ctx.key, how })).ok,
    async holding(ctx, { change, own }) {
      const { state } = ctx;
      const held = [state.list[0], state.map.get("a"), state.part] as Item[];
      const tried = ctx.try(Mid, "m").change({ cart: ctx.key, change });
      await new Promise<void>((resolve) => visited.set(ctx.key, resolve));
      if (own) state.own = 1;
      const { ok } = await tried;
      for (const item of held) item.count += 5;
      return ok;
    },
    note(ctx, { name, fail }) {
      ctx.state.notes += 1;
      ctx.collections.log.set(name, 1);
      if (fail) throw ctx.refuse("no", {});
    },
    async mine(ctx, how) {
      const note = async (name: string): Promise<void> => {
        if (how === "direct") await ctx.call(Cart, ctx.key).note({ name, fail: false });
        else await ctx.call(Mid, "around").around({ cart: ctx.key, name });
      };
      await note("a");
      ctx.state.own += 1;
      ctx.collections.log.set("mine", 1);
      await note("b");
    },
    clear(ctx) {
      ctx.clear();
      visited.get(ctx.key)?.();
    },
    change(ctx, change) {
      const { state } = ctx;
      if (change === "unshift") state.list.unshift({ id: "new", count: 0 });
      if (change === "add to the map") state.map.set("b", { id: "b", count: 0 });
      if (change === "within the map") Object.assign(state.map.get("a") ?? {}, { count: 7 });
      if (change === "no value") state.part = undefined;
      if (change === "delete") delete state.part;
      if (change === "replace") state.part = { id: "another", count: 9 };
      visited.get(ctx.key)?.();
    },
    look: ({ state, collections }) => ({ ...state, map: state.map.get("a"), log: [...collections.log.range()] }),
  },
);
const mid = service(
  Mid,
  {},
  {
    async nested(ctx, { cart: key, inner, outer, times }) {
      for (let n = 0; n < times; n++) await ctx.try(Cart, key).note({ name: `n${n}`, fail: inner });
      if (outer) throw ctx.refuse("no", {});
    },
    async clear(ctx, key) {
      await ctx.call(Cart, key).clear();
      for (let n = 0; n < 20; n++) await ctx.call(Cart, "elsewhere").look();
      throw ctx.refuse("no", {});
    },
    async mine(ctx, { cart: key, how }) {
      await ctx.call(Cart, key).mine(how);
      throw ctx.refuse("no", {});
    },
    around: async (ctx, { cart: key, name }) => {
      await ctx.call(Cart, key).note({ name, fail: false });
    },
    async change(ctx, { cart: key, change }) {
      await ctx.call(Cart, key).change(change);
      for (let n = 0; n < 20; n++) await ctx.call(Cart, "elsewhere").look();
      throw ctx.refuse("no", {});
    },
  },
);
const app = (partitions = 3) => testApp({ services: [cart, mid], partitions, log: () => undefined }).client({ Cart });
/** So that keys lie on one partition or on several. */
const KEYS = ["k1", "k2", "k3"];

describe.each([1, 2])("tried calls within another, %i of them", (times) => {
  test.each([
    { inner: true, outer: true },
    { inner: true, outer: false },
    { inner: false, outer: true },
    { inner: false, outer: false },
  ])("inner ones fail: $inner, the outer one does: $outer", async ({ inner, outer }) => {
    const client = app();
    for (const key of KEYS) {
      expect(await client.cart(key).run({ inner, outer, times })).toBe(!outer);
      expect(await client.cart(key).look()).toMatchObject({ own: 1, notes: inner || outer ? 0 : times });
    }
  });
});

test.each([false, true])(
  "what was there when a tried call cleared it is there again (written meanwhile: %s)",
  async (own) => {
    const client = app();
    for (const key of KEYS) {
      expect(await client.cart(key).cleared(own)).toBe(false);
      expect((await client.cart(key).look()).log).toEqual([["x", 1], ...(own ? [["y", 2]] : [])]);
    }
  },
);

describe.each(["direct", "around"] as const)("what functions write that go on beside others on one key, %s", (how) => {
  test.each([1, 3])("is the tried call's, with %i partitions", async (partitions) => {
    const client = app(partitions);
    for (const key of KEYS) {
      expect(await client.cart(key).beside(how)).toBe(false);
      expect(await client.cart(key).look()).toMatchObject({ notes: 0, own: 0, log: [] });
    }
  });
});

describe.each([false, true])(
  "what the caller holds of its state is a part of it still (written meanwhile: %s)",
  (own) => {
    test.each(changes.options)("where the call would: %s", async (change) => {
      const client = app();
      for (const key of KEYS) {
        expect(await client.cart(key).holding({ change, own })).toBe(false);
        expect(await client.cart(key).look()).toMatchObject({
          own: own ? 1 : 0,
          list: [{ id: "a", count: 5 }],
          map: { id: "a", count: 5 },
          part: { id: "part", count: 5 },
        });
      }
    });
  },
);
