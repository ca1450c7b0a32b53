/** The example of a time to live in docs/guide/services.md, run. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServiceDefinition } from "../../sdk/index.ts";
import { LonePartition } from "../protocol/support/lone-partition.ts";
import { openPage, type Page } from "./support/page.ts";

let page: Page;
beforeAll(async () => {
  page = await openPage("docs/guide/services.md");
});
afterAll(() => page.remove());

const MINUTE_MS = 60_000;

test("a session lives for half an hour after it was used last", async () => {
  const { session } = await page.module<{ session: ServiceDefinition }>("sessions.ts");
  const partition = new LonePartition([session]);
  const at = { service: "session", key: "s1" };
  const user = async () => JSON.parse((await partition.call({ ...at, name: "user" })).body) as unknown;
  await partition.call({ ...at, name: "open", input: { user: "ann" } });
  for (let n = 0; n < 3; n++) {
    await partition.pass(29 * MINUTE_MS, MINUTE_MS);
    expect(await user()).toBe("ann");
  }
  partition.partition.clock += 30 * MINUTE_MS - 1;
  expect(await user()).toBe("ann");
  partition.partition.clock += 30 * MINUTE_MS;
  expect(await user()).toBe(null);
});
