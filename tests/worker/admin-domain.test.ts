/** A domain's partitions, asked by their administration: asked again, and told of as what they are. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { unstarted } from "../../protocol/unstarted.ts";
import { Domain } from "../../worker/admin/domain.ts";
import type { AdminBackend } from "../../worker/backend.ts";
import { LIMITS } from "../../worker/limits.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge } from "./support/edge.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => void vi.useRealTimers());

async function asked(admin: () => Promise<unknown>): Promise<unknown> {
  const backend = { partition: () => ({ admin }) } as unknown as AdminBackend;
  const answer = new Domain(backend, { partitions: 1, version: 1 }).ask(0, { op: "unpin", id: "b" } as never);
  const settled = answer.then(
    (value) => value,
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(60_000);
  return settled;
}

test("one that does not start is told of, without its cause", async () => {
  const admin = vi.fn(() => Promise.reject(unstarted("a secret of the storage")));
  const refused = await asked(admin);
  expect(refused).toMatchObject({ problem: { type: "/problems/overloaded", status: 503, retryable: true } });
  expect((refused as Error).message).toContain("does not start");
  expect((refused as Error).message).not.toContain("secret");
  expect(admin).toHaveBeenCalledTimes(LIMITS.attempts);
});

test("one that starts over is asked again", async () => {
  const admin = vi.fn(() => Promise.resolve<unknown>({ status: 200, body: '{"held":1}' }));
  admin.mockImplementationOnce(() => Promise.reject(new Error("Network connection lost.")));
  expect(await asked(admin)).toEqual({ held: 1 });
  expect(admin).toHaveBeenCalledTimes(2);
});

test("the platform's word that a request may make no more calls is the last", async () => {
  const admin = vi.fn(() => Promise.reject(new Error("Too many subrequests by single Worker invocation.")));
  const refused = await asked(admin);
  expect(refused).toMatchObject({ problem: { type: "/problems/overloaded", status: 503, retryable: true } });
  expect((refused as Error).message).toContain("no more calls");
  expect(admin).toHaveBeenCalledTimes(1);
});

test("an erase that waits asks each partition some dozens of times, not each 20 ms", async () => {
  const admin = vi.fn(() => Promise.resolve({ status: 200, body: '{"done":false}' }));
  const backend = Object.assign(new FakeBackend(), { admin: { token: "t", partition: () => ({ admin }) } });
  backend.rescaled = { ...(await backend.rescaleStatus()), partitions: 8, known: 8 };
  const headers = { authorization: "Bearer t", "content-type": "application/json" };
  const body = '{"service":"account","key":"alice"}';
  const answer = edge(backend as never).ask("/admin/erase", { method: "POST", body, headers });
  await vi.advanceTimersByTimeAsync(60_000);
  expect((await answer).status).toBe(504);
  expect(admin.mock.calls.length).toBeGreaterThan(8 * 20);
  expect(admin.mock.calls.length).toBeLessThan(8 * 50);
});
