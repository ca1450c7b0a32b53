/** Retries of a client: the same request under the same identity, bounded, and only where it may help. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { createClient, UnreachableError } from "../../../sdk/client/index.ts";
import { contract, fn, query } from "../../../sdk/index.ts";
import type { ClientOptions } from "../../../sdk/client/index.ts";
import { chunked, ok, problem, server } from "./server.ts";
import type { Server } from "./server.ts";

const Account = contract("account", {
  deposit: fn({ input: z.number(), output: z.number() }),
  balance: query({ output: z.number() }),
});
const account = (
  fake: Server,
  options: ClientOptions = {},
): { deposit(amount: number): Promise<number>; balance(): Promise<number> } =>
  createClient("https://x", { Account }, { fetch: fake.fetch, ...options }).account("a");
const lost = (): Error => new TypeError("fetch failed");

const BEFOREHAND = [
  [400, "body-incomplete"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [429, "rate-limited"],
  [503, "overloaded"],
] as const;

/** The outcome of a call while time passes by itself. */
async function settled<T>(call: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [[outcome]] = await Promise.all([Promise.allSettled([call]), vi.runAllTimersAsync()]);
  return outcome;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a request is repeated, with the same identity and body,", () => {
  test.each([
    ["when the connection is lost", lost()],
    ["when the answer breaks off", chunked("12", lost())],
    ["on 503", problem(503, "overloaded")],
    ["on 504", problem(504, "deadline-exceeded")],
    ["on a gateway's 502 in its own words", new Response("bad gateway", { status: 502 })],
    ["on 500 that is marked retryable", problem(500, "transaction-aborted", { retryable: true })],
  ])("%s", async (_when, failure) => {
    const fake = server(typeof failure === "object" && failure instanceof Response ? () => failure : failure, ok(5));
    expect(await settled(account(fake).deposit(5))).toEqual({ status: "fulfilled", value: 5 });
    const [first, second] = fake.sent;
    expect(second?.headers.get("idempotency-key")).toBe(first?.headers.get("idempotency-key"));
    expect(second).toMatchObject({ url: first?.url, body: "5", method: "POST" });
  });

  test("without a token, behind an attempt whose outcome is open, is as open, and can be repeated with its identity", async () => {
    const cause = new TypeError("the issuer does not answer");
    const failingFrom = (attempt: number) => {
      let asked = 0;
      return () => (++asked < attempt ? Promise.resolve("t") : Promise.reject(cause));
    };
    const fake = server(lost());
    const open = await settled(account(fake, { token: failingFrom(2) }).deposit(5));
    const idempotencyKey = fake.sent[0]?.headers.get("idempotency-key")?.slice(1, -1);
    expect(open).toMatchObject({ status: "rejected", reason: { name: "UnreachableError", idempotencyKey, cause } });
    // Nothing was sent, and reads have no outcome.
    expect(await settled(account(server(), { token: failingFrom(1) }).deposit(5))).toMatchObject({ reason: cause });
    expect(await settled(account(server(lost()), { token: failingFrom(2) }).balance())).toMatchObject({
      reason: cause,
    });
  });

  test("when it is a query, too", async () => {
    expect(await settled(account(server(lost(), ok(1))).balance())).toEqual({ status: "fulfilled", value: 1 });
  });

  test("when nothing is heard for the time limit", async () => {
    const silent = (_: unknown, signal: AbortSignal): Promise<Response> =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const fake = server(silent, ok(5));
    const started = Date.now();
    expect(await settled(account(fake, { timeoutMs: 2_000 }).deposit(5))).toEqual({ status: "fulfilled", value: 5 });
    expect(Date.now() - started).toBeGreaterThanOrEqual(2_000);
  });
});

describe("a request is not repeated", () => {
  test.each([Infinity, 2 ** 31])("within a time limit of %d ms", async (timeoutMs) => {
    const slow = (_: unknown, signal: AbortSignal): Promise<Response> =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        setTimeout(() => resolve(ok(5)), 50);
      });
    const fake = server(slow);
    expect(await settled(account(fake, { timeoutMs, retries: 0 }).deposit(5))).toEqual({
      status: "fulfilled",
      value: 5,
    });
    expect(fake.sent).toHaveLength(1);
  });

  test.each([
    [400, "malformed-json"],
    [401, "unauthorized"],
    [409, "account/frozen"],
    [422, "invalid-input"],
    [500, "internal-error"],
    [405, "method-not-allowed"],
  ])("on %d %s", async (status, type) => {
    const fake = server(problem(status, type));
    expect(await settled(account(fake).deposit(5))).toMatchObject({ status: "rejected", reason: { status, type } });
    expect(fake.sent).toHaveLength(1);
  });

  test("more often than allowed, and the last problem is thrown", async () => {
    const fake = server(...Array.from({ length: 3 }, (_, at) => problem(503, "overloaded", { detail: String(at) })));
    expect(await settled(account(fake, { retries: 2 }).deposit(5))).toMatchObject({
      status: "rejected",
      reason: { message: "2" },
    });
    expect(fake.sent).toHaveLength(3);
  });

  test("more often than allowed after lost connections, and the error keeps the identity", async () => {
    const fake = server(lost(), lost());
    const outcome = await settled(account(fake, { retries: 1 }).deposit(5));
    const identity = fake.sent[0]?.headers.get("idempotency-key")?.slice(1, -1);
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { attempts: 2, idempotencyKey: identity, cause: { message: "fetch failed" } },
    });
    expect(outcome.status === "rejected" && outcome.reason).toBeInstanceOf(UnreachableError);
  });

  test.each([
    ["the connection was lost", lost()],
    ["a gateway gave up", new Response("bad gateway", { status: 502 })],
    ["something on the way had no room", new Response("busy", { status: 503 })],
    ["something on the way waited in vain", new Response("timeout", { status: 504 })],
    ["nobody answered the edge", problem(504, "deadline-exceeded", { retryable: true })],
  ])("and an outcome that is open stays so when %s first, whatever keeps the rest out", async (_name, first) => {
    for (const [status, type] of BEFOREHAND) {
      const fake = server(first, problem(status, type));
      const outcome = await settled(account(fake, { retries: 1 }).deposit(5));
      const identity = fake.sent[0]?.headers.get("idempotency-key")?.slice(1, -1);
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { name: "UnreachableError", attempts: 2, idempotencyKey: identity, cause: { status, type } },
      });
      expect(outcome.status === "rejected" && String(outcome.reason)).toContain(
        "outcome unknown, refused in 2 attempts: ",
      );
    }
  });

  test("and something on the way that has no room twice is what is thrown", async () => {
    const fake = server(new Response("busy", { status: 503 }), new Response("busy", { status: 503 }));
    const outcome = await settled(account(fake, { retries: 1 }).deposit(5));
    expect(outcome).toMatchObject({ status: "rejected", reason: { name: "ProblemError", status: 503 } });
  });

  test("and a read has no outcome: what keeps it out is thrown", async () => {
    for (const [status, type] of BEFOREHAND) {
      const outcome = await settled(account(server(lost(), problem(status, type)), { retries: 1 }).balance());
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "ProblemError", status } });
    }
  });

  test("and what is said of the transaction itself is thrown after an open outcome, too", async () => {
    const fake = server(lost(), problem(409, "account/frozen"));
    expect(await settled(account(fake).deposit(5))).toMatchObject({ status: "rejected", reason: { status: 409 } });
  });

  test("and a transaction that took too long has done nothing", async () => {
    const fake = server(problem(504, "deadline-exceeded"), problem(503, "overloaded"));
    const outcome = await settled(account(fake, { retries: 1 }).deposit(5));
    expect(outcome).toMatchObject({ status: "rejected", reason: { status: 503 } });
  });

  test("when Retry-After asks for more patience than there is", async () => {
    const fake = server(problem(503, "overloaded", {}, { "retry-after": "3600" }));
    expect(await settled(account(fake).deposit(5))).toMatchObject({ status: "rejected", reason: { status: 503 } });
    expect(fake.sent).toHaveLength(1);
  });
});

describe("the pause before a retry", () => {
  async function pauseAfter(headers: Record<string, string>): Promise<number> {
    const times: number[] = [];
    const stamped = (response: Response) => () => {
      times.push(Date.now());
      return response;
    };
    await settled(account(server(stamped(problem(503, "overloaded", {}, headers)), stamped(ok(1)))).deposit(5));
    return (times[1] ?? NaN) - (times[0] ?? NaN);
  }

  test("is what Retry-After says, in seconds or as a date", async () => {
    expect(await pauseAfter({ "retry-after": "7" })).toBe(7_000);
    const now = Math.ceil(Date.now() / 1_000) * 1_000;
    vi.setSystemTime(now);
    expect(await pauseAfter({ "retry-after": new Date(now + 9_000).toUTCString() })).toBe(9_000);
    expect(await pauseAfter({ "retry-after": new Date(now - 9_000).toUTCString() })).toBe(0);
  });

  test("is a short one otherwise, and grows", async () => {
    for (const headers of [{}, { "retry-after": "soon" }]) {
      const pause = await pauseAfter(headers);
      expect(pause).toBeGreaterThanOrEqual(50);
      expect(pause).toBeLessThanOrEqual(101);
    }
    const started = Date.now();
    await settled(account(server(lost(), lost(), lost(), lost(), ok(1))).deposit(5));
    expect(Date.now() - started).toBeGreaterThanOrEqual((100 + 200 + 400 + 800) / 2);
  });

  test("ends when the caller gives up", async () => {
    const controller = new AbortController();
    const fake = server(problem(503, "overloaded", {}, { "retry-after": "30" }));
    const client = createClient("https://x", { Account }, { fetch: fake.fetch });
    const call = client.account("a").deposit(5, { signal: controller.signal });
    const outcome = expect(call).rejects.toThrow("enough");
    await vi.advanceTimersByTimeAsync(1_000);
    controller.abort(new Error("enough"));
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("a caller's signal ends a running request, and one already aborted sends nothing", async () => {
  const controller = new AbortController();
  const silent = (_: unknown, signal: AbortSignal): Promise<Response> =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const fake = server(silent);
  const client = createClient("https://x", { Account }, { fetch: fake.fetch, retries: 0 }).account("a");
  const enough = new Error("enough");
  const outcome = expect(client.deposit(5, { signal: controller.signal })).rejects.toBe(enough);
  await vi.advanceTimersByTimeAsync(10);
  controller.abort(enough);
  await outcome;
  await expect(client.deposit(5, { signal: controller.signal })).rejects.toBe(enough);
  expect(fake.sent).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("a caller's signal keeps nothing of a call that is over", async () => {
  const listeners = new Set<unknown>();
  const { signal } = new AbortController();
  signal.addEventListener = (_type: string, listener: unknown): void => void listeners.add(listener);
  signal.removeEventListener = (_type: string, listener: unknown): void => void listeners.delete(listener);
  const fake = server(lost(), problem(503, "overloaded"), ok(5));
  const client = createClient("https://x", { Account }, { fetch: fake.fetch });
  await settled(client.account("a").deposit(5, { signal }));
  expect(fake.sent).toHaveLength(3);
  expect(listeners.size).toBe(0);
});
