/** The examples of docs/guide/effects.md, run. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { EffectDefinition, ServiceDefinition } from "../../sdk/index.ts";
import { LonePartition } from "../protocol/support/lone-partition.ts";
import { openPage, type Page } from "./support/page.ts";

let page: Page;
beforeAll(async () => {
  page = await openPage("docs/guide/effects.md");
});
afterAll(() => page.remove());
afterEach(() => void vi.unstubAllGlobals());

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("the guide to effects", () => {
  test.each([
    ["paid, receipt r1", [500, 200]],
    ["not paid: the card was declined", [402]],
  ])("an order is %s", async (status, answers) => {
    const { order } = await page.module<{ order: ServiceDefinition }>("order.ts");
    const { chargeCard } = await page.module<{ chargeCard: EffectDefinition }>("effects.ts");
    const partition = new LonePartition([order], { effects: [chargeCard] });
    partition.env = { PAYMENTS_TOKEN: "token" };
    const keys = new Set<string | null>();
    const left = [...answers];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      keys.add(new Headers(init.headers).get("idempotency-key"));
      return new Response("r1", { status: left.shift() ?? 500 });
    });
    const at = { service: "order", key: "17" };
    await partition.call({ ...at, name: "pay", input: { card: "4242", cents: 4900 } });
    await partition.pass(3_000);
    expect((await partition.call({ ...at, name: "status" })).body).toBe(JSON.stringify(status));
    expect(left).toEqual([]);
    expect(keys.size).toBe(1);
  });

  test("what the webhook sends, the receiver takes, once signed", async () => {
    const { orderPaid } = await page.module<{ orderPaid: EffectDefinition }>("webhooks.ts");
    const receiver = await page.module<{
      default: { fetch(request: Request, env: object): Promise<Response> };
    }>("receiver.ts");
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const receive = (url: string, init: RequestInit) =>
      receiver.default.fetch(new Request(url, init as never), { WEBHOOK_SECRET: SECRET });
    vi.stubGlobal("fetch", receive);
    const ctx = {
      idempotencyKey: "m1",
      attempt: 1,
      at: 0,
      signal: new AbortController().signal,
      env: { WEBHOOK_SECRET: SECRET },
      fail: (message: string) => new Error(message),
    };
    const input = { url: "https://hooks.example.com/x", order: "17", cents: 4900 };
    expect(await orderPaid.handler(ctx as never, input)).toEqual({ status: 204 });
    const data = { order: "17", cents: 4900 };
    expect(log.mock.calls).toEqual([
      ["webhook", "m1", { type: "order.paid", timestamp: "1970-01-01T00:00:00.000Z", data }],
    ]);
    log.mockRestore();
    const forged = await receive(input.url, { method: "POST", body: "{}", headers: { "webhook-id": "m1" } });
    expect([forged.status, await forged.text()]).toEqual([401, "missing-header"]);
  });
});
