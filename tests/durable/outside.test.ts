/** An attempt of an effect on its way from a partition to who runs it, where the two have different code. */
import { expect, test, vi } from "vitest";
import { runOutside } from "../../durable/outside.ts";
import type { GivenCall } from "../../protocol/outside/work.ts";
import { defineApp, effect } from "../../sdk/index.ts";
import { runEffect } from "../../worker/effects/run.ts";

const platform = vi.hoisted(() => ({ exports: {} as Record<string, unknown> }));
vi.mock("cloudflare:workers", () => platform);

const ID = "m0010000000000020000000000000003";
const KEY = "5e0d8961-0000-4000-8000-000000000000-1";

/** What the handler is told is the key. */
async function keyOf(run: (app: ReturnType<typeof defineApp>) => Promise<unknown>): Promise<unknown> {
  let key: unknown;
  const pay = effect("pay", { handler: (ctx) => void (key = ctx.idempotencyKey) });
  expect(await run(defineApp({ services: [], effects: [pay] }))).toMatchObject({ ok: true });
  return key;
}
const call = { id: ID, name: "pay", input: "", attempt: 1, at: 0 };

test("has the effect's key", async () => {
  const key = await keyOf((app) => {
    platform.exports["Effects"] = { run: (given: GivenCall) => runEffect(app, given, {}) };
    return runOutside(app, { ...call, key: KEY });
  });
  expect(key).toBe(KEY);
});

test("has it as its id for code that knows of no other key", async () => {
  const key = await keyOf((app) => {
    platform.exports["Effects"] = { run: ({ id }: GivenCall) => runEffect(app, { ...call, id }, {}) };
    return runOutside(app, { ...call, key: KEY });
  });
  expect(key).toBe(KEY);
});

test("is known by its id where a partition's code knows of no other key", async () => {
  expect(await keyOf((app) => runEffect(app, call, {}))).toBe(ID);
});
