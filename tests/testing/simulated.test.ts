/** `tidegate/testing` in this process: calls, events, time, crashes and faults on an app of one's own. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import {
  collection,
  contract,
  count,
  fn,
  flow,
  int64,
  query,
  service,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "tidegate";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { testApp } from "../../testing/index.ts";

const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: z.int() }), output: z.int() }),
  transfer: fn({
    input: z.object({ to: z.string(), amount: z.int() }),
    refusals: { "insufficient-funds": z.object({ balance: z.int() }) },
  }),
  note: fn({ input: z.object({ to: z.string() }) }),
  balance: query({ output: z.int() }),
  notes: query({ output: z.array(z.number()) }),
  when: query({ output: z.object({ now: z.number(), uuid: z.string() }) }),
});

const account = service(
  Account,
  { state: () => ({ balance: 0 }), collections: { notes: collection<number, number>() } },
  {
    deposit: (ctx, { amount }) => (ctx.state.balance += amount),
    async transfer(ctx, { to, amount }) {
      const { balance } = ctx.state;
      if (balance < amount) throw ctx.refuse("insufficient-funds", { balance });
      ctx.state.balance -= amount;
      await ctx.call(Account, to).deposit({ amount });
    },
    note(ctx, { to }) {
      ctx.collections.notes.set(ctx.now(), 1);
      ctx.send(Account, to).deposit({ amount: 1 });
    },
    balance: (ctx) => ctx.state.balance,
    notes: (ctx) => ctx.collections.notes.range({}).map(([at]) => at),
    when: (ctx) => ({ now: ctx.now(), uuid: ctx.uuid() }),
  },
);

const Sales = stream("sales", { item: text(), amount: int64(), at: timestamp() });
const perMinute = flow("per-minute")
  .from(Sales, { time: "at", outOfOrderness: "1s" })
  .keyBy("item")
  .window(tumbling("1m"))
  .aggregate({ sales: count(), revenue: sum("amount") })
  .toView("per-minute");

const domain = (options: { seed?: number; faults?: boolean } = {}) =>
  testApp({ services: [account], flows: [perMinute], ...options });

describe("a simulated app", () => {
  test("answers calls, refuses, and takes none of it back when everything crashes", async () => {
    const app = domain();
    const client = app.client({ Account });
    expect(await client.account("alice").deposit({ amount: 10 })).toBe(10);
    await client.account("alice").transfer({ to: "bob", amount: 4 });
    const refused = await client.account("alice").transfer.try({ to: "bob", amount: 100 });
    expect(refused).toEqual({ ok: false, refusal: "insufficient-funds", data: { balance: 6 } });
    await app.crash("everything");
    expect(await client.account("alice").balance()).toBe(6);
    expect(await client.account("bob").balance()).toBe(4);
    await app.drained();
  });

  test("takes events, and shows them in the view", async () => {
    const app = domain();
    const at = app.now();
    const events = [
      { item: "tea", amount: 5, at },
      { item: "tea", amount: 2n ** 60n, at },
    ];
    expect(await app.ingest("sales", events)).toBe(2);
    expect(
      await app
        .client({})
        .stream(Sales)
        .send([{ item: "mug", amount: 1, at }]),
    ).toMatchObject({ accepted: 1 });
    await app.crash({ key: "sales" });
    const { rows } = await app.client({}).view(perMinute).get("tea");
    expect(rows).toMatchObject([{ sales: 2, revenue: 2n ** 60n + 5n }]);
    await expect(app.ingest("sales", [{ item: 1 }])).rejects.toThrow(/400|422/);
  });

  test("time passes when it is told to, and for calls only as long as they take", async () => {
    const app = domain();
    const client = app.client({ Account });
    const first = await client.account("alice").when();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const second = await client.account("alice").when();
    expect(second.now - first.now).toBeLessThan(20);
    expect(second.uuid).not.toBe(first.uuid);
    await app.advance("1h");
    const third = await client.account("alice").when();
    expect(third.now - second.now).toBeGreaterThanOrEqual(3_600_000);
    expect(third.now - second.now).toBeLessThan(3_600_100);
  });

  test("a delayed message is delivered when its time has come, and not when it is cancelled", async () => {
    const app = domain();
    const client = app.client({ Account });
    const [bob, carol] = ["bob", "carol"];
    await client.account(bob).deposit.send({ amount: 3 }, { delay: "1h" });
    const { id } = await client.account(carol).deposit.send({ amount: 3 }, { delay: "1h" });
    await app.drained();
    expect(await client.account(bob).balance()).toBe(0);
    expect(await client.cancel(id)).toBe(true);
    expect(await client.cancel(id)).toBe(false);
    await app.advance("1h");
    await app.drained();
    expect(await client.account(bob).balance()).toBe(3);
    expect(await client.account(carol).balance()).toBe(0);
  });

  test("messages are delivered when it has drained", async () => {
    const app = domain();
    const client = app.client({ Account });
    await client.account("alice").note({ to: "bob" });
    await app.drained();
    expect(await client.account("bob").balance()).toBe(1);
  });

  test("crashes of single objects lose nothing that was answered", async () => {
    const app = domain();
    const client = app.client({ Account });
    expect(await app.partitionOf("alice")).toBeLessThan(4);
    for (let n = 1; n <= 5; n++) {
      expect(await client.account("alice").deposit({ amount: 1 })).toBe(n);
      await app.crash(n % 2 === 0 ? "coordinator" : { key: "alice" });
    }
    await app.crash(await app.partitionOf("alice"));
    expect(await client.account("alice").balance()).toBe(5);
    await expect(app.crash(99)).rejects.toThrow("no partition 99");
  });

  test.each([1, 2, 3, 4, 5, 6])(
    "with the faults of seed %i every answered transfer has happened, once",
    async (seed) => {
      const app = domain({ seed, faults: true });
      const client = app.client({ Account });
      const names = ["a", "b", "c", "d", "e"];
      await Promise.all(names.map((name) => client.account(name).deposit({ amount: 100 })));
      const run = async (from: number): Promise<void> => {
        for (let n = 0; n < 15; n++) {
          const to = names[(from + 1 + (n % 4)) % 5] as string;
          await client.account(names[from] as string).transfer.try({ to, amount: 1 + ((n * 7) % 30) });
        }
      };
      await Promise.all([0, 1, 2, 3, 4].map(run));
      await app.drained();
      const balances = await Promise.all(names.map((name) => client.account(name).balance()));
      expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(500);
      expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
      expect(app.faults.size).toBeGreaterThan(0);
    },
  );

  test("a seed repeats what happened", async () => {
    const run = async (): Promise<unknown> => {
      const app = domain({ seed: 9, faults: true });
      const client = app.client({ Account });
      for (let n = 0; n < 40; n++) await client.account(`k${n % 5}`).deposit({ amount: n });
      await app.drained();
      return [app.now(), [...app.faults]];
    };
    expect(await run()).toEqual(await run());
  });

  test("what a function throws, and nobody is shown, is told the log", async () => {
    const Faulty = contract("faulty", { crash: fn(), store: fn(), write: query(), undeclared: fn() });
    const faulty = service(
      Faulty,
      { state: (): { member: unknown } => ({ member: 1 }) },
      {
        crash() {
          throw new RangeError("out of paper");
        },
        store: (ctx) => void (ctx.state.member = () => 1),
        write: (ctx) => void ((ctx.state as { member: unknown }).member = 2),
        undeclared(ctx) {
          throw (ctx.refuse as unknown as (name: string) => Error)("no-such-refusal");
        },
      },
    );
    const told: unknown[] = [];
    const app = testApp({ services: [faulty], log: (level, { error, ...rest }) => told.push([level, rest, error]) });
    const { crash, store, write, undeclared } = app.client({ Faulty }).faulty("a");
    for (const call of [crash, store, write, undeclared])
      await expect(call()).rejects.toMatchObject({ type: "internal-error" });
    const entry = (name: string, message: RegExp): unknown => [
      "error",
      expect.objectContaining({ message: `faulty.${name} on "a" failed`, service: "faulty", function: name, key: "a" }),
      expect.objectContaining({ message: expect.stringMatching(message) }),
    ];
    expect(told).toEqual([
      entry("crash", /^out of paper$/),
      entry("store", /member/),
      entry("write", /read.?only/i),
      entry("undeclared", /no-such-refusal/),
    ]);
  });

  test("global fetch and timers throw inside a function, and nowhere else", async () => {
    const Outside = contract("outside", { fetch: fn(), wait: fn(), after: fn(), plain: fn({ output: z.string() }) });
    const outside = service(
      Outside,
      {},
      {
        async fetch() {
          await fetch("http://127.0.0.1:1/");
        },
        wait: () => void setTimeout(() => undefined, 1),
        async after() {
          await Promise.resolve();
          setInterval(() => undefined, 1);
        },
        plain: () => "fine",
      },
    );
    const app = testApp({ services: [outside] });
    const functions = app.client({ Outside }).outside("a");
    for (const call of [functions.fetch, functions.wait, functions.after])
      await expect(call()).rejects.toMatchObject({ type: "side-effect-in-transaction" });
    expect(await functions.plain()).toBe("fine");
    await new Promise((resolve) => setTimeout(resolve, 1));
    await promisify(setTimeout)(1);
  });

  test("callers are told apart by static keys", async () => {
    const Gate = contract("gate", { open: fn() });
    const gate = service(
      Gate,
      { allow: ({ subject, roles }, key) => subject === key || roles.includes("guard") },
      {
        open: () => undefined,
      },
    );
    const keyOf = (name: string): string => `tgk_${name}`;
    const entry = (name: string, roles: string[]): object => {
      const sha256 = createHash("sha256").update(keyOf(name)).digest("hex");
      return { name, roles, sha256 };
    };
    const TIDEGATE_KEYS = JSON.stringify([entry("ann", []), entry("bob", []), entry("gus", ["guard"])]);
    const app = testApp({ services: [gate], env: { TIDEGATE_KEYS } });
    const as = (name: string) => app.client({ Gate }, { token: keyOf(name) }).gate("ann");
    await as("ann").open();
    await as("gus").open();
    await expect(as("bob").open()).rejects.toMatchObject({ type: "forbidden" });
    await expect(as("eve").open()).rejects.toMatchObject({ type: "unauthorized" });
    await app.client({ Gate }).gate("ann").open();
  });

  test("no tenant finds what is another's", async () => {
    const app = testApp({ services: [account], tenants: true });
    const of = (name: string) => app.client({ Account }, { tenant: name }).account("alice");
    await of("acme").deposit({ amount: 5 });
    expect(await of("acme").balance()).toBe(5);
    for (const other of [of("globex"), app.client({ Account }).account("alice")])
      await expect(other.balance()).rejects.toMatchObject({
        type: "misconfigured",
        message: expect.stringContaining('"acme"') as string,
      });
  });

  test("calls are answered under fake timers", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const app = testApp({ services: [account] });
    expect(await app.client({ Account }).account("alice").deposit({ amount: 5 })).toBe(5);
  });

  test("a broken definition is reported as a Worker would", () => {
    expect(() => testApp({ services: [account, account] })).toThrow('two have the service name "account"');
  });
});
