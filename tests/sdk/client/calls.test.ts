/** Calls of a client: addresses, bodies, identities, results and refusals. */

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createClient, ProblemError, RefusalError } from "../../../sdk/client/index.ts";
import { contract, fn, noData, query } from "../../../sdk/index.ts";
import { ok, problem, server } from "./server.ts";

const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: z.number() }), output: z.number() }),
  transfer: fn({
    input: z.object({ to: z.string(), amount: z.number() }),
    refusals: { "insufficient-funds": z.object({ balance: z.number() }), frozen: noData },
  }),
  balance: query({ output: z.number() }),
  history: query({ input: z.object({ from: z.string() }), output: z.array(z.number()) }),
});
const Cart = contract("shopping-cart", { checkout: fn({ output: z.number() }) });

describe(".try", () => {
  test.each([
    ["of another service", "bank/frozen"],
    ["that the function does not declare", "account/too-late"],
    ["that every object has a member for", "account/constructor"],
  ])("throws a refusal %s, which its types do not know", async (_what, type) => {
    const { fetch } = server(problem(409, type, { data: { since: 1 } }));
    const client = createClient("https://x", { Account }, { fetch });
    const tried = client.account("a").transfer.try({ to: "b", amount: 1 });
    await expect(tried).rejects.toMatchObject({ name: "RefusalError", data: { since: 1 } });
  });
});

describe("a call of a function", () => {
  test("posts the input to the key's address with a token and a quoted identity", async () => {
    const { sent, fetch } = server(ok(5), ok(6));
    const client = createClient("https://api.example.com/base/", { Account }, { fetch, token: "secret" });
    expect(await client.account("a b/c").deposit({ amount: 5 })).toBe(5);
    expect(await client.account("alice").deposit({ amount: 5 })).toBe(6);
    expect(sent[0]).toMatchObject({
      method: "POST",
      url: "https://api.example.com/base/v1/services/account/~YSBiL2M/deposit",
      body: '{"amount":5}',
    });
    expect(sent[0]?.headers.get("content-type")).toBe("application/json");
    expect(sent[0]?.headers.get("authorization")).toBe("Bearer secret");
    const identities = sent.map(({ headers }) => headers.get("idempotency-key"));
    expect(identities[0]).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(identities[0]).not.toBe(identities[1]);
  });

  test("is sent as a message by .send, which queries do not have", async () => {
    const { sent, fetch } = server(Response.json({ id: "m1" }, { status: 202 }));
    const { account } = createClient("https://x", { Account }, { fetch });
    expect(await account("a").deposit.send({ amount: 5 }, { idempotencyKey: "k" })).toEqual({ id: "m1" });
    expect(sent[0]).toMatchObject({
      method: "POST",
      url: "https://x/v1/services/account/a/deposit/send",
      body: '{"amount":5}',
    });
    expect(sent[0]?.headers.get("idempotency-key")).toBe('"k"');
    expect("send" in account("a").balance).toBe(false);
  });

  test("that failed for good is listed, sent again and deleted", async () => {
    const { sent, fetch } = server(ok({ letters: [], next: "n" }), ok({}), ok({}));
    const letters = createClient("https://x", { Account }, { fetch }).deadLetters(Account);
    expect(await letters.list({ limit: 5, cursor: "c" })).toEqual({ letters: [], next: "n" });
    await letters.redrive("id-account");
    await letters.delete("id-account");
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET https://x/v1/dead-letters/account?limit=5&cursor=c",
      "POST https://x/v1/dead-letters/id-account/redrive",
      "DELETE https://x/v1/dead-letters/id-account",
    ]);
  });

  test("is reached by the contract's name in camel case, from a record or a list", async () => {
    const { sent, fetch } = server(ok(1), ok(1));
    await createClient("https://x", { Anything: Cart }, { fetch }).shoppingCart("a").checkout();
    await createClient("https://x", [Cart], { fetch }).shoppingCart("a").checkout();
    expect(sent[0]).toMatchObject({ url: "https://x/v1/services/shopping-cart/a/checkout", body: "" });
    expect(sent[0]?.headers.has("content-type")).toBe(false);
    expect(sent[1]?.url).toBe(sent[0]?.url);
  });

  test("takes an identity of the caller's, escaped, and a token made for each attempt", async () => {
    const { sent, fetch } = server(ok(1));
    const client = createClient("https://x", { Account }, { fetch, token: () => Promise.resolve("fresh") });
    await client.account("a").deposit({ amount: 1 }, { idempotencyKey: 'order "7" \\' });
    expect(sent[0]?.headers.get("idempotency-key")).toBe('"order \\"7\\" \\\\"');
    expect(sent[0]?.headers.get("authorization")).toBe("Bearer fresh");
    await expect(client.account("a").deposit({ amount: 1 }, { idempotencyKey: "é" })).rejects.toThrow(
      "printable ASCII",
    );
  });
});

describe("a call of a query", () => {
  test("gets, with the input in the address and no identity", async () => {
    const { sent, fetch } = server(ok(7), ok([1]), ok(8));
    const account = createClient("https://x", { Account }, { fetch }).account("alice");
    expect(await account.balance()).toBe(7);
    expect(await account.history({ from: "a&b" })).toEqual([1]);
    await account.balance(undefined, { consistency: "snapshot" });
    expect(sent.map(({ url }) => url)).toEqual([
      "https://x/v1/services/account/alice/balance",
      "https://x/v1/services/account/alice/history?input=%7B%22from%22%3A%22a%26b%22%7D",
      "https://x/v1/services/account/alice/balance?consistency=snapshot",
    ]);
    expect(sent.every(({ method, headers }) => method === "GET" && !headers.has("idempotency-key"))).toBe(true);
  });

  test("posts an input that is too long for an address, without an identity", async () => {
    const { sent, fetch } = server(ok([1]), ok([2]));
    const account = createClient("https://x", { Account }, { fetch }).account("alice");
    const from = "é".repeat(4_000);
    expect(await account.history({ from })).toEqual([1]);
    // Snapshots are read by GET only.
    expect(await account.history({ from }, { consistency: "snapshot" })).toEqual([2]);
    const [posted, got] = sent;
    expect([posted?.method, posted?.url, got?.method]).toEqual([
      "POST",
      "https://x/v1/services/account/alice/history",
      "GET",
    ]);
    expect(JSON.parse(posted?.body ?? "")).toEqual({ from });
    expect(posted?.headers.has("idempotency-key")).toBe(false);
  });
});

describe("a refusal", () => {
  const refused = (): Response => problem(409, "account/insufficient-funds", { data: { balance: 3 } });

  test("is thrown as a typed error", async () => {
    const { fetch } = server(refused());
    const error: unknown = await createClient("https://x", { Account }, { fetch })
      .account("a")
      .transfer({ to: "b", amount: 9 })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RefusalError);
    expect(error).toMatchObject({
      service: "account",
      refusal: "insufficient-funds",
      status: 409,
      data: { balance: 3 },
    });
    if (!(error instanceof RefusalError)) throw error;
    expect(error.is(Account, "transfer", "insufficient-funds")).toBe(true);
    expect(error.is(Account, "transfer", "frozen")).toBe(false);
    expect(error.is(contract("bank", Account.functions), "transfer", "insufficient-funds")).toBe(false);
  });

  test("is a value of try, with its data, or null where it has none", async () => {
    const { fetch } = server(refused(), problem(409, "account/frozen", { data: null }), ok(null));
    const { transfer } = createClient("https://x", { Account }, { fetch }).account("a");
    expect(await transfer.try({ to: "b", amount: 9 })).toEqual({
      ok: false,
      refusal: "insufficient-funds",
      data: { balance: 3 },
    });
    expect(await transfer.try({ to: "b", amount: 9 })).toEqual({ ok: false, refusal: "frozen", data: null });
    expect(await transfer.try({ to: "b", amount: 9 })).toEqual({ ok: true, value: null });
  });
});

describe("another problem", () => {
  test("is thrown, by try too, with its stable type and whole document", async () => {
    const issues = [
      { path: "/amount", message: "too small" },
      { path: "", message: "too odd" },
    ];
    const { fetch } = server(problem(422, "invalid-input", { detail: "bad amount", issues }));
    const error: unknown = await createClient("https://x", { Account }, { fetch })
      .account("a")
      .deposit.try({ amount: 0 })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).not.toBeInstanceOf(RefusalError);
    expect(error).toMatchObject({ type: "invalid-input", status: 422, problem: { issues } });
    expect((error as Error).message).toBe("bad amount: /amount: too small; /: too odd");
  });

  test("is made up for an answer in other words", async () => {
    for (const body of ["<h1>no</h1>", "null", "[]", '{"type":5}']) {
      const { fetch } = server(new Response(body, { status: 403 }));
      const call = createClient("https://x", { Account }, { fetch }).account("a").balance();
      await expect(call).rejects.toMatchObject({ name: "ProblemError", type: "about:blank", status: 403 });
    }
  });
});

describe("createClient", () => {
  test("refuses two members of one name", () => {
    const clash = (name: string): unknown =>
      createClient("https://x", { A: contract(name, { f: fn() }), B: contract("myCart", { f: fn() }) });
    expect(() => clash("my-cart")).toThrow('the client member "myCart" of contract "myCart" is taken');
    for (const taken of ["batch", "stream", "view"]) expect(() => clash(taken)).toThrow(`member "${taken}"`);
    expect(clash("constructor")).toHaveProperty("constructor");
  });

  test("refuses a key that is none before anything is sent", () => {
    const { sent, fetch } = server();
    expect(() => createClient("https://x", { Account }, { fetch }).account("")).toThrow(
      expect.objectContaining({ type: "invalid-key" }),
    );
    expect(sent).toHaveLength(0);
  });
});
