/** What is typed into forms is what is sent, and what is stored is shown whatever numbers are in it, on the page for people in a real browser. */
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { isThere, useConsole } from "./support/served-console.ts";

/** Beyond the whole numbers that a double counts one by one. */
const LARGE = 1.7e18;

const served = useConsole(resolve(import.meta.dirname, "app/wrangler.jsonc"), async () => {
  for (const at of [1, LARGE]) await served.post("/v1/services/price/noted/note", { at });
});

/** Calls the function of the form, and returns its answer. */
async function answerOf(page: Page, name: string): Promise<unknown> {
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button", { name: `Call ${name}` }).click();
  return (await answered).json();
}

describe.skipIf(!isThere)("values", { timeout: 60_000 }, () => {
  test("a number is sent as it was typed", async () => {
    const { page } = await served.open({ at: "services/price/set" });
    await page.locator("#key").fill("called");
    const field = page.locator("#input-amount");
    for (const typed of ["10.05", "-0.5", "100.001", "1e3", "0"]) {
      await field.fill("");
      await field.pressSequentially(typed);
      expect(await field.inputValue()).toBe(typed);
      expect(await answerOf(page, "price.set")).toBe(Number(typed));
    }
  });

  test("what was called is followed, whatever key is written meanwhile", async () => {
    const { page } = await served.open({ at: "services/price/set" });
    await page.locator("#key").fill("called");
    await page.locator("#input-amount").fill("1");
    await answerOf(page, "price.set");
    await page.locator("#key").fill("other");
    expect(await page.getByText("state of this key").getAttribute("href")).toBe("#/state/price/called");
  });

  test("an item that is removed takes along what was typed into it, and no other's", async () => {
    const { page } = await served.open({ at: "services/price/tag" });
    await page.locator("#key").fill("called");
    for (const [at, text] of ['{"first":1}', '{"second":2}', '{"third":'].entries()) {
      await page.getByRole("button", { name: "add to tags" }).click();
      await page.locator(`#input-tags-${at}`).fill(text);
    }
    await page.getByRole("button", { name: "remove tags 1" }).click();
    expect(await page.locator("#input-tags-0").inputValue()).toBe('{"second":2}');
    expect(await page.locator("#input-tags-1").inputValue()).toBe('{"third":');
    await page.getByRole("button", { name: "remove tags 2" }).click();
    expect(await answerOf(page, "price.tag")).toEqual([{ second: 2 }]);
  });

  test("entries and bounds beyond what a double counts one by one are shown", async () => {
    const { page, complaints } = await served.open({ at: "state/price/noted" });
    await page.getByText(`notes ${BigInt(LARGE)}`).waitFor();
    await page.goto(`${served.url}/console#/services/price/cap`);
    await page.locator("#key").fill("called");
    await page.locator("#input-amount").fill("2");
    expect(await answerOf(page, "price.cap")).toBe(2);
    expect(complaints).toEqual([]);
  });

  test("a page of entries that are gone meanwhile does not say that nothing is stored", async () => {
    const { page } = await served.open();
    const state = { service: "price", key: "noted", partition: 0 };
    const entries = [{ collection: "notes", entry: 1, value: "noted" }];
    await page.route("**/admin/state?*", (route) => {
      const isFirst = !route.request().url().includes("after=");
      return route.fulfill({ json: isFirst ? { ...state, entries, next: "more" } : { ...state, entries: [] } });
    });
    await page.goto(`${served.url}/console#/state/price/noted`);
    await page.getByRole("button", { name: "more entries" }).click();
    await page.getByText("There are no entries behind that.").waitFor();
    expect(await page.getByText("Nothing is stored").count()).toBe(0);
  });

  test("what takes longer than it is asked for anew is shown, and asked for once at a time", async () => {
    const { page } = await served.open();
    let underWay = 0;
    let most = 0;
    await page.route("**/admin/transactions?*", async (route) => {
      most = Math.max(most, ++underWay);
      await page.waitForTimeout(3_000);
      underWay--;
      await route.continue();
    });
    await page.goto(`${served.url}/console#/transactions`);
    await page.getByRole("cell", { name: "price.note" }).first().waitFor({ timeout: 10_000 });
    await page.waitForTimeout(2_500);
    expect(most).toBe(1);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
});
