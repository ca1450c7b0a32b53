/** Calls over HTTP, from request to state and back. */
import { describe, expect, test } from "vitest";
import { ask, call, freshKey, freshKeyNear, leftovers, problemOf, send } from "./support/app.ts";

describe("a call", () => {
  test("answers with the function's result and keeps what it wrote", async () => {
    const key = freshKey();
    expect((await call(["account", key], "deposit", { amount: 5 })).body).toBe(5);
    expect((await call(["account", key], "deposit", { amount: 2 })).body).toBe(7);
    const balance = await ask(["account", key], "balance");
    expect([balance.status, balance.body]).toEqual([200, 7]);
    expect(balance.headers.get("tidegate-epoch")).toMatch(/^\d+\.\d+$/);
    expect(balance.headers.get("cache-control")).toBe("no-store");
  });

  test("of a function without output answers null", async () => {
    const key = freshKey();
    expect((await call(["values", key], "clear")).body).toBe(null);
  });

  test("keeps the state of each key and each service apart", async () => {
    const [a, b] = [freshKey(), freshKey()];
    await call(["account", a], "deposit", { amount: 5 });
    expect((await ask(["account", b], "balance")).body).toBe(0);
    expect((await ask(["ledger", a], "both")).body).toEqual({ ledger: 0, mirror: 0 });
  });

  test("takes keys of any characters, each its own", async () => {
    const keys = ["a/b", "a%2Fb", "~", "\u0000", "\u0001", "\u0001\u0002", "ü", "😀", " ", ".", "a?b#c"].map(
      (end) => freshKey() + end,
    );
    for (const [n, key] of keys.entries()) await call(["account", key], "deposit", { amount: n + 1 });
    const balances = await Promise.all(keys.map(async (key) => (await ask(["account", key], "balance")).body));
    expect(balances).toEqual(keys.map((_, n) => n + 1));
  });

  test("with an input that does not fit is refused with the places of its faults", async () => {
    const answer = await call(["account", freshKey()], "deposit", { amount: -1 });
    expect([answer.status, problemOf(answer)]).toEqual([422, "invalid-input"]);
    expect(JSON.stringify(answer.body)).toContain("amount");
  });

  test("of what does not exist is refused", async () => {
    expect(problemOf(await call(["nobody", "k"], "deposit", {}))).toBe("unknown-service");
    expect(problemOf(await call(["account", "k"], "nothing", {}))).toBe("unknown-function");
  });

  test("without the token is refused", async () => {
    const response = await send("/v1/services/account/k/balance", { headers: { authorization: "Bearer wrong" } });
    expect(response.status).toBe(401);
  });
});

describe("a refusal", () => {
  test("is a 409 with its own type and data, and writes nothing", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 3 });
    const answer = await call(["account", key], "withdraw", { amount: 4 });
    expect([answer.status, problemOf(answer)]).toEqual([409, "account/insufficient-funds"]);
    expect(answer.body).toMatchObject({ data: { balance: 3 } });
    expect((await ask(["account", key], "balance")).body).toBe(3);
  });

  test("of a called function refuses the whole transaction by the called service's type", async () => {
    const [from, to] = [freshKey(), freshKey()];
    const answer = await call(["account", from], "transfer", { to, amount: 1 });
    expect([answer.status, problemOf(answer)]).toEqual([409, "account/insufficient-funds"]);
  });
});

describe("a call of another key", () => {
  test("of the same partition is one transaction with its caller", async () => {
    const from = freshKey();
    const to = freshKeyNear(from, true);
    await call(["account", from], "deposit", { amount: 10 });
    expect((await call(["account", from], "transfer", { to, amount: 4 })).status).toBe(200);
    expect((await ask(["account", from], "balance")).body).toBe(6);
    expect((await ask(["account", to], "balance")).body).toBe(4);
  });

  test("of another partition is one transaction with its caller", async () => {
    const from = freshKey();
    const to = freshKeyNear(from, false);
    await call(["account", from], "deposit", { amount: 10 });
    const answer = await call(["account", from], "transfer", { to, amount: 4 });
    expect(answer.status).toBe(200);
    expect((await ask(["account", from], "balance")).body).toBe(6);
    expect((await ask(["account", to], "balance")).body).toBe(4);
  });
});

describe("a query", () => {
  test("answers by POST too", async () => {
    expect((await call(["account", freshKey()], "balance")).body).toBe(0);
  });

  test("is the only kind that GET takes", async () => {
    const answer = await ask(["account", freshKey()], "deposit", { amount: 1 });
    expect([answer.status, problemOf(answer), answer.headers.get("allow")]).toEqual([
      405,
      "method-not-allowed",
      "POST",
    ]);
  });

  test("creates nothing: a key that was only asked has no row and no record", async () => {
    const key = freshKey();
    await ask(["account", key], "balance");
    const { body } = await ask(["account", key], "balance", undefined, "consistency=snapshot");
    expect(body).toBe(0);
  });
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
