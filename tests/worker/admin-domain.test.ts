/** A domain's partitions, asked by their administration: asked again, and told of as what they are. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { unstarted } from "../../protocol/unstarted.ts";
import { Domain } from "../../worker/admin/domain.ts";
import type { AdminBackend } from "../../worker/backend.ts";
import { LIMITS } from "../../worker/limits.ts";

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
