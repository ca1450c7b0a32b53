/** What people see of a domain: its figures, its keys and state, and its last transactions. */
import { describe, expect, test } from "vitest";
import { admin, batch, call, freshKey, freshKeyNear, partitionOf, send } from "./support/app.ts";

async function json<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
  const response = await admin(path, { headers });
  expect([path, response.status]).toEqual([path, 200]);
  return response.json();
}

interface Keys {
  readonly keys: string[];
  readonly next?: string;
}
interface State {
  readonly value?: unknown;
  readonly version?: number;
  readonly entries: { readonly collection: string; readonly entry: string | number; readonly value: unknown }[];
  readonly next?: string;
}
interface Transactions {
  readonly transactions: {
    readonly id: string;
    readonly partition: number;
    readonly function: string;
    readonly status: number;
    readonly epoch: number;
    readonly at: number;
    readonly endedAt: number;
    readonly trace: { readonly calls: { readonly function: string; readonly partition: number | null }[] } | null;
  }[];
}

describe("keys", () => {
  test("are those of all partitions in order, each once, page by page, whatever they are", async () => {
    const headers = { "tidegate-tenant": `keys-${freshKey()}` };
    const odd = ["a", "B", "é", "\u{1f600}", "\uffff", "a/b", "\u0001x", "\u0002", "~"];
    const keys = [...odd, ...Array.from({ length: 60 }, (_, n) => `k${n}`)];
    const lines = keys.map((key) =>
      JSON.stringify({ service: "account", key, function: "deposit", input: { amount: 1 } }),
    );
    const response = await send("/v1/batch", {
      method: "POST",
      headers: { ...headers, "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    expect((await response.text()).match(/"status":200/g)).toHaveLength(keys.length);
    for (const limit of [1, 7, 1_000]) {
      const found: string[] = [];
      let after: string | undefined;
      do {
        const shown: string = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
        const page: Keys = await json<Keys>(`/admin/keys?service=account&limit=${limit}${shown}`, headers);
        expect(page.keys.length).toBeLessThanOrEqual(limit);
        found.push(...page.keys);
        after = page.next;
      } while (after !== undefined);
      expect(new Set(found)).toEqual(new Set(keys));
      expect(found).toHaveLength(keys.length);
    }
    expect((await json<Keys>("/admin/keys?service=bank", headers)).keys).toEqual([]);
  });
});

describe("state", () => {
  test("is a value and entries, page by page, and nothing of what was cleared", async () => {
    const key = freshKey();
    const steps = Array.from({ length: 25 }, (_, n) => ({ op: "put", key: n, value: n }));
    expect((await call(["pa", key], "run", { steps })).status).toBe(200);
    const found: unknown[] = [];
    let after: string | undefined;
    do {
      const shown: string = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
      const page: State = await json<State>(`/admin/state?service=pa&key=${key}&limit=10${shown}`);
      found.push(...page.entries.map(({ entry }) => entry));
      after = page.next;
    } while (after !== undefined);
    expect(found.length).toBe(25);
    expect(new Set(found).size).toBe(25);
    const account = freshKey();
    expect((await json<State>(`/admin/state?service=account&key=${account}`)).value).toBeUndefined();
    await call(["account", account], "deposit", { amount: 7 });
    expect(await json<State>(`/admin/state?service=account&key=${account}`)).toMatchObject({
      value: { balance: 7 },
      version: 1,
      entries: [],
      partition: partitionOf(account),
    });
  });
});

describe("transactions", () => {
  test("are the last ones of a key, newest first, with how they ended", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 });
    await call(["account", key], "withdraw", { amount: 6 });
    await call(["account", key], "transfer", { to: freshKeyNear(key, false), amount: 1 });
    const { transactions } = await json<Transactions>(`/admin/transactions?service=account&key=${key}`);
    expect(transactions.map((each) => [each.function, each.status, each.epoch > 0, each.partition])).toEqual([
      ["transfer", 200, true, partitionOf(key)],
      ["withdraw", 409, false, partitionOf(key)],
      ["deposit", 200, false, partitionOf(key)],
    ]);
    for (const { at, endedAt } of transactions) expect(endedAt).toBeGreaterThanOrEqual(at);
    const [newest] = transactions;
    const found = await json<Transactions>(`/admin/transactions?id=${newest!.id}`);
    expect(found.transactions).toEqual([newest]);
  });

  test("that are traced are found by their trace, with their calls", async () => {
    const key = freshKey();
    const far = freshKeyNear(key, false);
    await call(["account", key], "deposit", { amount: 5 });
    const trace = "c".repeat(31) + "1";
    await send(`/v1/services/account/${key}/transfer`, {
      method: "POST",
      headers: { "content-type": "application/json", traceparent: `00-${trace}-00f067aa0ba902b7-01` },
      body: JSON.stringify({ to: far, amount: 1 }),
    });
    const { transactions } = await json<Transactions>(`/admin/transactions?id=${trace}`);
    expect(transactions).toHaveLength(1);
    expect(transactions[0]?.trace?.calls.map((each) => [each.function, each.partition])).toEqual([
      ["withdraw", null],
      ["deposit", partitionOf(far)],
    ]);
  });
});

describe("the overview", () => {
  test("has the app, its partitions and its coordinator", async () => {
    await batch([{ service: "account", key: freshKey(), function: "deposit", input: { amount: 1 } }]);
    const overview = await json<{
      readonly app: {
        readonly services: { readonly name: string }[];
        readonly streams: string[];
        readonly tenants: boolean;
      };
      readonly map: { readonly partitions: number };
      readonly partitions: ({ readonly status: { readonly phase: string } } | null)[];
      readonly coordinator: { readonly status: { readonly phase: string } } | null;
    }>("/admin/overview");
    expect(overview.app.services.map(({ name }) => name)).toContain("locker");
    expect(overview.app.tenants).toBe(true);
    expect(overview.partitions.map((partition) => partition?.status.phase)).toEqual(
      Array.from({ length: overview.map.partitions }, () => "up"),
    );
    expect(overview.coordinator?.status.phase).toBe("running");
  });
});

describe("who may see it", () => {
  test.each([
    "/admin/overview",
    "/admin/keys?service=account",
    "/admin/state?service=account&key=a",
    "/admin/transactions",
  ])("%s is the administrator's alone", async (path) => {
    expect((await send(path)).status).toBe(401);
  });

  test.each([
    ["/admin/keys", 400],
    ["/admin/keys?service=nothing", 404],
    ["/admin/keys?service=account&limit=0", 400],
    ["/admin/state?service=account", 400],
    ["/admin/state?service=account&key=", 400],
    ["/admin/transactions?limit=x", 400],
  ])("%s is refused with %d", async (path, status) => {
    expect((await admin(path)).status).toBe(status);
  });
});
