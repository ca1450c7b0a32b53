/** The examples of docs/guide/messages.md, as they stand there, run on a partition whose clock is in the test's hands. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServiceDefinition } from "../../sdk/index.ts";
import { LonePartition } from "../protocol/support/lone-partition.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let folder: string;
let lone: LonePartition;

beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, ".run-"));
  const page = await readFile(join(ROOT, "docs/guide/messages.md"), "utf8");
  for (const [, file = "", text = ""] of page.matchAll(/^```ts\n\/\/ ((?:orders|reports)\.ts)\n(.*?)^```$/gms)) {
    await writeFile(join(folder, file), text.replaceAll('from "tidegate"', `from "${join(ROOT, "sdk/index.ts")}"`));
  }
  const load = async (file: string, name: string) =>
    ((await import(join(folder, file))) as Record<string, ServiceDefinition>)[name] as ServiceDefinition;
  lone = new LonePartition([await load("orders.ts", "order"), await load("reports.ts", "report")]);
  await lone.settle();
});
afterAll(() => rm(folder, { recursive: true }));

async function ask(service: string, key: string, name: string, input?: unknown): Promise<unknown> {
  const { status, body } = await lone.call({ service, key, name, input });
  return status === 200 ? (JSON.parse(body) as unknown) : status;
}

async function pass(ms: number): Promise<void> {
  lone.partition.clock += ms;
  lone.partition.engine.input({ kind: "alarm" });
  await lone.settle();
}

test("an order that nobody pays expires after half an hour, and one that is paid does not", async () => {
  for (const key of ["17", "18"]) await ask("order", key, "place", { price: 4200 });
  await pass(29 * MINUTE);
  expect(await ask("order", "18", "pay")).toBeNull();
  expect(await ask("order", "17", "status")).toBe("open");
  await pass(MINUTE);
  expect([await ask("order", "17", "status"), await ask("order", "18", "status")]).toEqual(["expired", "paid"]);
  expect(await ask("order", "17", "pay")).toBe(409);
});

test("a report is built every night, once for all nights that were missed, and an order is watched until it is not", async () => {
  expect(await ask("report", "desk", "watch", { order: "19" })).toBeNull();
  await pass(DAY);
  expect(await ask("report", "stock", "built")).toEqual(["stock of 2027-01-16"]);
  await pass(7 * DAY);
  expect(await ask("report", "stock", "built")).toEqual(["stock of 2027-01-16", "stock of 2027-01-23"]);
  expect(await ask("order", "19", "status")).toBe("expired");
  expect(await ask("report", "desk", "unwatch", { order: "19" })).toBe(true);
  expect(await ask("report", "desk", "unwatch", { order: "19" })).toBe(false);
});
