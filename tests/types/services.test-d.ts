/** What the compiler must accept and refuse in services: each refused line names the error code that it must cause. */

import { collection, service } from "../../sdk/index.ts";
import type { DeepReadonly, Refusal } from "../../sdk/index.ts";
import { Account, Cart, Ticket } from "./contracts.ts";

interface Line {
  item: string;
  count: number;
}

// Two services that call each other in a cycle need nothing beyond their contracts.
export const account = service(
  Account,
  { state: () => ({ balance: 0, opened: new Date(0), tags: ["new"], byDay: new Map<string, number[]>() }) },
  {
    deposit(ctx, { amount }) {
      return (ctx.state.balance += amount);
    },
    async transfer(ctx, { to, amount }) {
      if (ctx.state.balance < amount) throw ctx.refuse("insufficient-funds", { balance: ctx.state.balance });
      if (ctx.key === to) throw ctx.refuse("frozen");
      ctx.state.balance -= amount;
      const total: number = await ctx.call(Account, to).deposit({ amount });
      ctx.send(Account, to).deposit({ amount }) satisfies void;
      ctx.send(Cart, to).add({ item: "pen" });
      const id: string = ctx.send(Account, to, { delay: "30s" }).deposit({ amount });
      ctx.send(Account, to, { at: new Date(0) }).deposit({ amount }) satisfies string;
      (await ctx.cancel(id)) satisfies boolean;
      (await ctx.schedule("nightly", "0 3 * * *", Account, to).deposit({ amount })) satisfies void;
      (await ctx.unschedule("nightly")) satisfies boolean;
      // @ts-expect-error TS2345: one of the two
      ctx.send(Account, to, { delay: "30s", at: 5 });
      // @ts-expect-error TS2322: no duration
      ctx.send(Account, to, { delay: "soon" });
      // @ts-expect-error TS2339: queries are not sent to
      void ctx.send(Account, to, { delay: 1 }).balance;
      ctx.send(Cart, to).checkout();
      const { paid } = await ctx.call(Cart, to).checkout();
      ctx.state = { ...ctx.state, balance: ctx.state.balance + paid - total };
      ctx.clear();
    },
    balance: (ctx) => ctx.state.balance,
    since: async (ctx) => ({ opened: ctx.state.opened, total: BigInt(ctx.now()) }),
  },
);

export const cart = service(
  Cart,
  { state: () => 0, collections: { lines: collection<Line>(), byRank: collection<Line[], number>() } },
  {
    add(ctx, { item, count }) {
      ctx.collections.lines.set(item, { item, count: count.valueOf() });
      ctx.state++;
    },
    async checkout(ctx) {
      const lines = ctx.collections.lines.range({ from: "a", limit: 10, reverse: true });
      if (lines.length === 0) throw ctx.refuse("empty");
      const tried = await ctx.try(Account, ctx.key).transfer({ to: "shop", amount: 1 });
      if (tried.ok) tried.value satisfies void;
      else if (tried.refusal === undefined) tried.error.type satisfies string;
      else if (tried.refusal.name === "insufficient-funds") tried.refusal.data.balance satisfies number;
      else tried.refusal satisfies { name: "frozen"; data: undefined };
      return { paid: await ctx.call(Account, ctx.key).balance() };
    },
    items: (ctx, prefix) => {
      const from = prefix ?? "";
      return ctx.collections.lines.range({ from }).map(([, line]) => line);
    },
  },
);

// What a handler returns is read by what the contract says: literals and tuples stay what they are.
service(
  Ticket,
  { state: () => ({ open: true, seats: ["a"] }), collections: { notes: collection<Line>() } },
  {
    status: () => "open",
    kind: () => "ticket",
    place: (ctx) => [ctx.state.seats.length, ctx.key],
    all: async (ctx) => ctx.collections.notes.range().map(() => ({ status: "closed" })),
    async close(ctx) {
      ctx.state.open = false;
      ctx.collections.notes.set("a", { item: "a", count: 1 });
      if (ctx.key === "") return { status: "open" };
      return { status: "closed" };
    },
    notes: (ctx, notes) => (notes === null ? { key: ctx.key, list: [1, null] } : notes),
    dated: (ctx) => (ctx.key === "" ? undefined : { notes: ["a"], at: new Date(0) }),
  },
);
service(
  Ticket,
  {},
  {
    // @ts-expect-error TS2322: a literal that the output does not name
    status: () => "gone",
    // @ts-expect-error TS2322: another literal
    kind: async () => "cart",
    // @ts-expect-error TS2322: a tuple that is too short
    place: () => [1],
    // @ts-expect-error TS2322: a member that is none of its values
    all: () => [{ status: "gone" }],
    close(ctx) {
      // @ts-expect-error TS18048: without `state` there is none
      ctx.state.open = false;
      return { status: "closed" };
    },
    // @ts-expect-error TS2322: not JSON
    notes: () => 1n,
    dated: () => undefined,
  },
);

const options = { state: () => ({ balance: 0, tags: ["new"], byDay: new Map<string, number[]>() }) };
type Handlers = Parameters<typeof service<typeof Account, ReturnType<typeof options.state>>>[2];
declare const base: Handlers;

service(Account, options, {
  ...base,
  async deposit(ctx, input) {
    // @ts-expect-error TS2741: a wrong service: not a contract
    ctx.call({ name: "account" }, "bob");
    // @ts-expect-error TS2339: a wrong function
    await ctx.call(Account, "bob").withdraw({ amount: 1 });
    // @ts-expect-error TS2345: a wrong key type
    await ctx.call(Account, 7).balance();
    // @ts-expect-error TS2554: a missing argument
    await ctx.call(Account, "bob").deposit();
    // @ts-expect-error TS2322: a wrong argument member
    await ctx.call(Account, "bob").deposit({ amount: "1" });
    // @ts-expect-error TS2353: an unknown argument member
    await ctx.call(Account, "bob").deposit({ amount: 1, currency: "EUR" });
    // @ts-expect-error TS2554: an argument where none is taken
    await ctx.call(Account, "bob").balance({});
    // @ts-expect-error TS2339: a message to a query
    ctx.send(Account, "bob").balance();
    // @ts-expect-error TS2339: a message to a wrong function
    ctx.send(Account, "bob").withdraw({ amount: 1 });
    // @ts-expect-error TS2322: a message with a wrong argument
    ctx.send(Account, "bob").deposit({ amount: "1" });
    // @ts-expect-error TS2554: a message without its argument
    ctx.send(Account, "bob").deposit();
    // @ts-expect-error TS2322: the result of a message
    const answer: number = ctx.send(Account, "bob").deposit({ amount: 1 });
    // @ts-expect-error TS2322: a wrong use of the result
    const text: string = await ctx.call(Account, "bob").balance();
    // @ts-expect-error TS2322: a result used without awaiting it
    const early: number = ctx.call(Account, "bob").balance();
    // @ts-expect-error TS2339: nothing is returned
    void (await ctx.call(Account, "bob").transfer({ to: "c", amount: 1 })).balance;
    // @ts-expect-error TS2345: no refusal is declared by deposit
    ctx.refuse("insufficient-funds", { balance: 1 });
    // @ts-expect-error TS2339: an unknown member of the state
    ctx.state.total = 1;
    // @ts-expect-error TS2322: a wrong type of state
    ctx.state.balance = "1";
    // @ts-expect-error TS2339: an unknown member of the validated input
    void input.currency;
    // @ts-expect-error TS2339: no collections were declared
    void ctx.collections.lines;
    return Number(text) + early + answer;
  },
  async transfer(ctx) {
    // @ts-expect-error TS2345: an undeclared refusal
    ctx.refuse("unknown");
    // @ts-expect-error TS2554: a refusal without its data
    ctx.refuse("insufficient-funds");
    // @ts-expect-error TS2322: wrong refusal data
    ctx.refuse("insufficient-funds", { balance: "1" });
    // @ts-expect-error TS2345: data for a refusal that carries none
    ctx.refuse("frozen", { balance: 1 });
    ctx.refuse("frozen") satisfies Refusal;

    const tried = await ctx.try(Account, "bob").transfer({ to: "c", amount: 1 });
    // @ts-expect-error TS2339: the value before it is known to be there
    void tried.value;
    if (!tried.ok && tried.refusal) {
      // @ts-expect-error TS2367: a refusal that the function does not declare
      if (tried.refusal.name === "unknown") ctx.clear();
      // @ts-expect-error TS18048: data of one refusal before the name is known
      void tried.refusal.data.balance;
    }
    const plain = await ctx.try(Account, "bob").deposit({ amount: 1 });
    // @ts-expect-error TS18048: a function without refusals never has one
    if (!plain.ok) void plain.refusal.name;
  },
});

service(Account, options, {
  ...base,
  async balance(ctx) {
    // @ts-expect-error TS2540: a query that writes state
    ctx.state.balance = 1;
    // @ts-expect-error TS2540: a query that replaces state
    ctx.state = { balance: 1, tags: [], byDay: new Map() };
    // @ts-expect-error TS2339: a query that changes an array of its state
    ctx.state.tags.push("x");
    // @ts-expect-error TS2339: a query that changes a map of its state
    ctx.state.byDay.set("monday", []);
    // @ts-expect-error TS2339: a query that changes an array in a map of its state
    ctx.state.byDay.get("monday")?.push(1);
    // @ts-expect-error TS2339: a query that calls a writing function
    await ctx.call(Account, "bob").deposit({ amount: 1 });
    // @ts-expect-error TS2339: a query that tries a writing function
    await ctx.try(Account, "bob").deposit({ amount: 1 });
    // @ts-expect-error TS2339: a query that sends a message
    ctx.send(Account, "bob").deposit({ amount: 1 });
    // @ts-expect-error TS2339: a query that deletes its key
    ctx.clear();
    return (await ctx.call(Account, "bob").balance()) + ctx.random();
  },
});

service(
  Cart,
  { collections: { lines: collection<Line>(), ranks: collection<number, number>() } },
  {
    add(ctx) {
      // @ts-expect-error TS2345: a wrong entry key
      ctx.collections.lines.get(1);
      // @ts-expect-error TS2345: a wrong entry key of a collection by number
      ctx.collections.ranks.get("a");
      // @ts-expect-error TS2741: a wrong entry value
      ctx.collections.lines.set("a", { item: "a" });
      // @ts-expect-error TS2322: a wrong bound of a range
      ctx.collections.ranks.range({ from: "a" });
      // @ts-expect-error TS18048: no state was declared
      void ctx.state.balance;
    },
    checkout: () => ({ paid: 1 }),
    items(ctx) {
      // @ts-expect-error TS2339: a query that sets an entry
      ctx.collections.lines.set("a", { item: "a", count: 1 });
      const line = ctx.collections.lines.get("a");
      // @ts-expect-error TS2540: a query that changes an entry
      if (line) line.count = 2;
      return [];
    },
  },
);

// @ts-expect-error TS2741: a missing handler
service(Cart, {}, { add() {}, items: () => [] });
// @ts-expect-error TS2353: a handler that the contract does not have
service(Cart, {}, { add() {}, items: () => [], checkout: () => ({ paid: 1 }), pay() {} });
// @ts-expect-error TS2322: a wrong result
service(Cart, {}, { add() {}, items: () => [], checkout: () => ({ paid: "1" }) });
// @ts-expect-error TS2322: a wrong result of an async handler
service(Cart, {}, { add() {}, items: () => [], checkout: async () => ({ paid: "1" }) });
// @ts-expect-error TS2322: a result where none is declared
service(Cart, {}, { add: () => 5, items: () => [], checkout: () => ({ paid: 1 }) });
// @ts-expect-error TS2322: no result where one is declared
service(Cart, {}, { add() {}, items: () => [], checkout: () => {} });
// @ts-expect-error TS2322: a state that is a value and not a function
service(Cart, { state: 0 }, { add() {}, items: () => [], checkout: () => ({ paid: 1 }) });

// Read-only stays read-only through every container.
declare const frozen: DeepReadonly<{ at: Date; deep: Array<{ set: Set<{ n: number }> }> }>;
frozen.at.getTime();
// @ts-expect-error TS2339: a set within an array is read-only
frozen.deep[0]?.set.add({ n: 1 });
for (const member of frozen.deep[0]?.set ?? []) {
  // @ts-expect-error TS2540: so are its members
  member.n = 1;
}
