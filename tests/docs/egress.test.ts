/** The example of docs/guide/flows.md that ends in a queue and a webhook, run. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type FlowDefinition, verifyWebhook } from "../../sdk/index.ts";
import { LonePartition } from "../protocol/support/lone-partition.ts";
import { openPage, type Page } from "./support/page.ts";

let page: Page;
beforeAll(async () => {
  page = await openPage("docs/guide/flows.md");
});
afterAll(() => page.remove());
afterEach(() => void vi.unstubAllGlobals());

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

test("invoices reach the archive and, signed, the partner; what the partner refuses is set aside", async () => {
  const { billing } = await page.module<{ billing: FlowDefinition }>("billing.ts");
  const partition = new LonePartition([], { flows: [billing] });
  const archived: Array<{ id: string; data: unknown }> = [];
  const sendBatch = async (messages: Array<{ body: { id: string; data: unknown } }>) =>
    void archived.push(...messages.map(({ body }) => body));
  partition.env = {
    ARCHIVE: { sendBatch },
    PARTNER_URL: "https://partner.example.com/invoices",
    WEBHOOK_SECRET: SECRET,
  };
  const told: unknown[] = [];
  let status = 503;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    expect(url).toBe("https://partner.example.com/invoices");
    const { body } = await verifyWebhook(SECRET, new Headers(init.headers), String(init.body));
    told.push(JSON.parse(body));
    return new Response(null, { status });
  });
  const invoice = (name: string, cents: number) => ({ invoice: name, customer: "ann", cents, at: cents });
  const give = async (name: string, cents: number): Promise<void> => {
    const row = { service: "#stream", key: "invoices", name: "emitted", internal: true, input: invoice(name, cents) };
    expect((await partition.call(row)).status).toBe(200);
  };
  await give("17", 120_000);
  await give("18", 300);
  // A first attempt has failed by now, and the next one comes a second later.
  status = 200;
  await partition.pass(3_000);
  expect(archived.map(({ data }) => data)).toEqual([invoice("17", 120_000), invoice("18", 300)]);
  expect(new Set(archived.map(({ id }) => id)).size).toBe(2);
  expect(told).toHaveLength(2);
  expect(told[1]).toMatchObject({ type: "invoice.large", data: [invoice("17", 120_000)] });
  expect(told[0]).toEqual(told[1]);

  // It wants no more of them.
  status = 410;
  await give("19", 130_000);
  await partition.pass(1_000);
  const ask = { flow: "billing", what: "d", after: -1, limit: 10 };
  const aside = await partition.call({ service: "#view", key: "invoices", name: "aside", internal: true, input: ask });
  const { events } = JSON.parse(aside.body) as { readonly events: readonly string[] };
  expect(events.map((event) => JSON.parse(event) as unknown)).toMatchObject([
    { sink: "large-invoices", error: { type: "effect-failed" }, event: invoice("19", 130_000) },
  ]);
});
