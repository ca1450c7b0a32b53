/** The client against the real routes, over the edge's fake back end: both sides of the HTTP contract in one test. */

import { describe, expect, test } from "vitest";
import { createClient } from "../../../sdk/client/index.ts";
import type { BatchResult, Client } from "../../../sdk/client/index.ts";
import { createRoutes } from "../../../worker/routes.ts";
import { Account, app, Sales } from "../../worker/support/app.ts";
import { FakeBackend, TOKEN } from "../../worker/support/backend.ts";

function connected(breakAfter = 0): { client: Client<{ Account: typeof Account }>; backend: FakeBackend } {
  const backend = new FakeBackend();
  const routes = createRoutes(app, () => backend);
  let breaks = breakAfter;
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const response = await routes.fetch(new Request(url, init));
    if (breaks-- > 0) throw new TypeError("the connection broke after the request was executed");
    return response;
  };
  return { client: createClient("https://edge.example", { Account }, { fetch, token: TOKEN }), backend };
}

describe("the client and the edge", () => {
  test.each(["alice", "a b", "a/b", "..", "~x", "100%", "%2F", "é\u0000😀", "a+b?c#d;e"])(
    "agree on the key %j",
    async (key) => {
      const { client, backend } = connected();
      await client.account(key).deposit({ amount: 5 });
      await client.account(key).balance({ at: "now & then" });
      expect(backend.executed).toMatchObject([
        { key, service: "account", function: "deposit", input: '{"amount":5}' },
        { key, function: "balance", input: '{"at":"now & then"}' },
      ]);
    },
  );

  test("execute a call once, though its answer was lost twice", async () => {
    const { client, backend } = connected(2);
    await client.account("alice").deposit({ amount: 5 });
    expect(backend.executed).toHaveLength(1);
    expect(backend.arrivals).toHaveLength(3);
  });

  test("agree on refusals and problems", async () => {
    const { client } = connected();
    const tried = await client.account("alice").transfer.try({ to: "bob", amount: 1 });
    expect(tried).toEqual({ ok: false, refusal: "insufficient-funds", data: { balance: 1 } });
    const keyed = { idempotencyKey: 'a "quoted" key' };
    await client.account("alice").deposit({ amount: 5 }, keyed);
    await expect(client.account("alice").deposit({ amount: 6 }, keyed)).rejects.toMatchObject({
      type: "idempotency-conflict",
      status: 422,
    });
  });

  test("agree on batches, ordered or not", async () => {
    const { client, backend } = connected();
    const lines = Array.from({ length: 700 }, (_, at) => {
      return { service: "account", key: `key-${at % 50}`, function: "deposit", input: { amount: at + 1 } } as const;
    });
    const refused = { service: "account", key: "x", function: "transfer", input: { to: "y", amount: 1 } } as const;
    for (const ordered of [true, false]) {
      const results: BatchResult[] = [];
      for await (const result of client.batch([...lines, refused], { ordered })) results.push(result);
      const numbers = results.map(({ line }) => line);
      if (!ordered) numbers.sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 701 }, (_, at) => at + 1));
      expect(results.find(({ line }) => line === 701)).toMatchObject({
        status: 409,
        problem: { data: { balance: 1 } },
      });
    }
    expect(backend.executed).toHaveLength(1_402);
  });

  test("execute the lines of a batch once, though its answer was lost", async () => {
    const { client, backend } = connected(1);
    const line = { service: "account", key: "a", function: "deposit", input: { amount: 1 } } as const;
    const results: BatchResult[] = [];
    for await (const result of client.batch([line, line])) results.push(result);
    expect(results.map((result) => result.replayed)).toEqual([true, true]);
    expect(backend.executed).toHaveLength(2);
  });

  test("agree on streams and views", async () => {
    const { client, backend } = connected(1);
    const accepted = await client.stream(Sales).send([{ item: "pen", amount: 2n ** 62n, price: 1, at: 0 }]);
    expect(accepted).toEqual({ accepted: 1, late: { "sales-per-minute": 0 } });
    expect(backend.ingested).toHaveLength(1);
    expect(await client.view("sales-per-minute").get("a/b", { limit: 5, cursor: "c" })).toEqual({
      rows: [],
      watermark: 0,
    });
    expect(backend.viewed.at(-1)?.query).toEqual({ view: "sales-per-minute", key: "a/b", limit: 5, after: "c" });
  });
});
