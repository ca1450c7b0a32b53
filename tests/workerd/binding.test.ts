/** Another Worker's client: the same types, over a service binding. */
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Binding, createClient, ProblemError } from "../../sdk/client/index.ts";
import { Account } from "../app/src/account.ts";
import { freshKey } from "./support/app.ts";

const binding = (exports as unknown as { Services: Binding }).Services;
const client = createClient(binding, { Account });

describe("a service binding", () => {
  test("carries calls, refusals and queries, as the owner's", async () => {
    const [key, other] = [freshKey(), freshKey()];
    expect(await client.account(key).deposit({ amount: 5 })).toBe(5);
    await client.account(key).transfer({ to: other, amount: 2 });
    expect(await client.account(other).balance()).toBe(2);
    expect(await client.account(key).balance(undefined, { consistency: "snapshot" })).toBe(3);
    const refused = await client.account(key).withdraw.try({ amount: 50 });
    expect(refused).toEqual({ ok: false, refusal: "insufficient-funds", data: { balance: 3 } });
  });

  test("executes a call once under one Idempotency-Key", async () => {
    const key = freshKey();
    const once = { idempotencyKey: `binding-${key}` };
    expect(await client.account(key).deposit({ amount: 5 }, once)).toBe(5);
    expect(await client.account(key).deposit({ amount: 5 }, once)).toBe(5);
    await expect(client.account(key).deposit({ amount: 6 }, once)).rejects.toMatchObject({ status: 422 });
  });

  test("carries batches as they come, events and messages", async () => {
    const key = freshKey();
    const lines = Array.from({ length: 20 }, () => ({
      service: "account" as const,
      key,
      function: "deposit" as const,
      input: { amount: 1 },
    }));
    const statuses: number[] = [];
    for await (const { status } of client.batch(lines)) statuses.push(status);
    expect(statuses).toEqual(lines.map(() => 200));
    expect(await client.account(key).balance()).toBe(20);
    const sale = { item: "binding", amount: 1n, at: Date.now() };
    expect(await client.stream("sales").send([sale])).toMatchObject({ accepted: 1 });
    expect(await client.account(key).deposit.send({ amount: 1 })).toMatchObject({ id: expect.any(String) as string });
  });

  test("carries bodies of more than 16 Mi characters, also with letters beyond Latin-1", async () => {
    const item = `${"a".repeat(999)}\u03B1`;
    const sales = Array.from({ length: 17_000 }, () => ({ item, amount: 1n, at: Date.now() }));
    const patient = createClient(binding, { Account }, { retries: 1, timeoutMs: 60_000 });
    expect(await patient.stream("sales").send(sales)).toMatchObject({ accepted: sales.length });
  }, 60_000);

  test("with a token of its own a request is whose that is, and without a binding's word no more than that", async () => {
    const other = createClient(binding, { Account }, { token: "wrong", retries: 0 });
    await expect(other.account("a").balance()).rejects.toBeInstanceOf(ProblemError);
  });

  test("nobody waits any more when the signal aborts", async () => {
    const slow: Binding = { ask: () => new Promise(() => undefined) };
    const signal = AbortSignal.timeout(20);
    await expect(createClient(slow, { Account }).account("a").balance(undefined, { signal })).rejects.toThrow();
    const silent = createClient(slow, { Account }, { timeoutMs: 20, retries: 1 });
    await expect(silent.account("a").balance()).rejects.toMatchObject({ name: "UnreachableError" });
  });
});
