/** The examples of docs/guide/promises-and-sagas.md, run. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EffectDefinition, SagaDefinition, ServiceDefinition } from "../../sdk/index.ts";
import { LonePartition } from "../protocol/support/lone-partition.ts";
import { openPage, type Page } from "./support/page.ts";

let page: Page;
beforeAll(async () => {
  page = await openPage("docs/guide/promises-and-sagas.md");
});
afterAll(() => page.remove());

const DAY_MS = 24 * 60 * 60 * 1000;

describe("the guide to promises", () => {
  test.each([
    ["granted by ann", { ok: true, value: { by: "ann" } }],
    ["refused: too many", { ok: false, reason: "too many" }],
    ["nobody answered", null],
  ])("a leave is %s", async (status, settlement) => {
    const { leave } = await page.module<{ leave: ServiceDefinition }>("leave.ts");
    const partition = new LonePartition([leave]);
    const at = { service: "leave", key: "bob" };
    const asked = await partition.call({ ...at, name: "ask", input: { days: 3 } });
    const { promise } = JSON.parse(asked.body) as { promise: string };
    const settle = { service: "#promises", key: promise, name: "settle", internal: true };
    if (settlement) expect((await partition.call({ ...settle, input: settlement })).status).toBe(200);
    await partition.pass(3 * DAY_MS + 1_000, DAY_MS / 2);
    expect((await partition.call({ ...at, name: "status" })).body).toBe(JSON.stringify(status));
  });
});

describe("the guide to sagas", () => {
  async function start(count: number): Promise<LonePartition> {
    const { shop, stock } = await page.module<{ shop: ServiceDefinition; stock: ServiceDefinition }>("shop.ts");
    const { shipOrder, label } = await page.module<{ shipOrder: SagaDefinition; label: EffectDefinition }>("saga.ts");
    const partition = new LonePartition([shop, stock], { effects: [label], sagas: [shipOrder] });
    const input = { order: "17", item: "teapot", count };
    await partition.call({ service: "shop", key: "main", name: "ship", input });
    await partition.pass(3_000);
    return partition;
  }
  const bodyOf = async (partition: LonePartition, service: string, key: string, name: string) =>
    JSON.parse((await partition.call({ service, key, name })).body) as unknown;
  const view = async (partition: LonePartition) => {
    const row = { service: "#saga.ship-order", key: "17", name: "status", internal: true };
    return JSON.parse((await partition.call(row)).body) as object;
  };

  test("an order is shipped", async () => {
    const partition = await start(2);
    expect(await view(partition)).toMatchObject({ status: "running", step: "rest", waiting: "delay" });
    await partition.pass(60_000, 5_000);
    const results = { label: { parcel: "parcel of 17" } };
    const waiting = { step: "collected", waiting: "promise", promise: "collected-17", results };
    expect(await view(partition)).toMatchObject(waiting);
    const settle = { service: "#promises", key: "collected-17", name: "settle", internal: true };
    await partition.call({ ...settle, input: { ok: true } });
    await partition.pass(2_000);
    expect(await view(partition)).toMatchObject({ status: "completed", step: null });
    expect(await bodyOf(partition, "shop", "main", "log")).toEqual(["17: shipped"]);
    expect(await bodyOf(partition, "stock", "teapot", "left")).toBe(8);
  });

  test("one that nobody collects, and one that is sold out, leave the stock as it was", async () => {
    const partition = await start(2);
    await partition.pass(60_000, 5_000);
    await partition.pass(2 * DAY_MS, DAY_MS / 4);
    await partition.pass(5_000);
    expect(await view(partition)).toMatchObject({ status: "compensated", failure: { type: "deadline" } });
    expect(await bodyOf(partition, "stock", "teapot", "left")).toBe(10);
    const soldOut = await start(11);
    expect(await view(soldOut)).toMatchObject({
      status: "compensated",
      failure: { type: "sold-out", step: "reserve" },
    });
    expect(await bodyOf(soldOut, "shop", "main", "log")).toEqual(["17: sold-out"]);
  });
});
