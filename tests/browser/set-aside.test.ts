/** What flows have set aside, on the page for people in a real browser: dead letters that are sent again and deleted, and late events. */
import { resolve } from "node:path";
import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { isThere, overflow, type ServedConsole, shoot, TOKEN, useConsole } from "./support/served-console.ts";

const T = 1_800_000_000_000;
/** Beyond the whole numbers that a double can have. */
const CODE = "9007199254740993";

const served = useConsole(resolve(import.meta.dirname, "app/wrangler.jsonc"), async () => undefined);

interface Delivery {
  readonly shelf: string;
  readonly n: number;
  readonly at?: number;
}
async function deliver(...deliveries: readonly Delivery[]): Promise<void> {
  const lines = deliveries.map(({ shelf, n, at = T }) => `{"shelf":"${shelf}","n":${n},"code":${CODE},"at":${at}}`);
  await (await served.post("/v1/streams/deliveries", lines.join("\n"), "application/x-ndjson")).text();
}

const clear = (shelf: string) => served.post(`/v1/services/shelf/${shelf}/clear`, "null");

async function get<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(served.url + path, { headers })).json()) as T;
}
const totalOf = (shelf: string) => get<number>(`/v1/services/shelf/${shelf}/total`);

/** Deliveries are answered before their calls are done: who opens the page earlier does not see them, and who empties a shelf makes room. */
async function setAside(wanted: number): Promise<void> {
  const there = async () =>
    (await get<{ events: unknown[] }>("/v1/flows/stocking/dead-letters?limit=100")).events.length;
  await expect.poll(there, { timeout: 10_000 }).toBe(wanted);
}

const lettersOn = (page: Page): Locator => page.getByLabel(/^Dead letter \d+ of stocking$/);
const letterOf = (page: Page, shelf: string): Locator =>
  page.locator(".letter").filter({ hasText: `under “${shelf}”` });
const count = (page: Page, wanted: number) => expect.poll(() => lettersOn(page).count()).toBe(wanted);
const button = (at: Page | Locator, name: string): Locator => at.getByRole("button", { name, exact: true });

async function opened(): ReturnType<ServedConsole["open"]> {
  const it = await served.open({ at: "streams" });
  await it.page.getByRole("heading", { name: "Dead letters" }).waitFor();
  return it;
}

describe.skipIf(!isThere)("what a flow has set aside", { timeout: 60_000 }, () => {
  test("is nothing at first", async () => {
    const { page, complaints } = await opened();
    await expect.poll(() => page.getByText("none", { exact: true }).count()).toBe(2);
    expect(await button(page, "Send all again").count()).toBe(0);
    expect(await button(page, "Next page").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("a dead letter tells what went wrong, and is sent again when it is taken by now", async () => {
    await deliver({ shelf: "a", n: 8 }, { shelf: "a", n: 5 });
    await setAside(1);
    const { page } = await opened();
    await count(page, 1);
    const letter = letterOf(page, "a");
    expect(await letter.textContent()).toContain('shelf.put under “a” · refused: full {"room":2}');
    expect(await lettersOn(page).textContent()).toMatch(new RegExp(`"n": 5,\\s+"code": ${CODE},`));
    await button(letter, "Send again").click();
    // It is refused once more, and stays.
    await letter.getByRole("alert").waitFor();
    expect(await letter.getByRole("alert").textContent()).toContain("409");
    await shoot(page, "flow-letter");
    await clear("a");
    await button(letter, "Send again").click();
    await count(page, 0);
    expect(await totalOf("a")).toBe(5);
  });

  test("one is deleted, when that is said twice", async () => {
    await deliver({ shelf: "b", n: 11 }, { shelf: "b", n: 12 });
    await setAside(2);
    const { page, complaints } = await opened();
    await count(page, 2);
    const letter = letterOf(page, "b").first();
    await button(letter, "Delete").click();
    expect(await lettersOn(page).count()).toBe(2);
    await button(letter, "Delete it for good").click();
    await count(page, 1);
    expect(await lettersOn(page).textContent()).toContain('"n": 12');
    expect(await button(page, "Delete").count()).toBe(1);
    await button(letterOf(page, "b"), "Delete").click();
    await button(letterOf(page, "b"), "Delete it for good").click();
    await count(page, 0);
    expect(complaints).toEqual([]);
  });

  test("what got no answer is asked again under the same key, and done once", async () => {
    await deliver({ shelf: "c", n: 9 }, { shelf: "c", n: 3 });
    await setAside(1);
    await clear("c");
    const { page } = await opened();
    await count(page, 1);
    const keys: string[] = [];
    await page.route("**/redrive", async (route) => {
      keys.push((await route.request().headerValue("idempotency-key")) ?? "");
      if (keys.length > 1) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await button(letterOf(page, "c"), "Send again").click();
    await letterOf(page, "c").getByText("The app does not answer").waitFor();
    await button(letterOf(page, "c"), "Send again").click();
    await count(page, 0);
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(keys[0]).toMatch(/^"[\w-]{36}"$/);
    expect(await totalOf("c")).toBe(3);
  });

  test("many come in pages, and are sent again all at once; what is refused stays", async () => {
    const many = Array.from({ length: 45 }, (_, n) => ({ shelf: `p${n}`, n: 11 + n }));
    await deliver(...many, { shelf: "d", n: 7 }, { shelf: "d", n: 4 }, { shelf: "e", n: 9 }, { shelf: "e", n: 2 });
    await setAside(47);
    await clear("d");
    await clear("e");
    const { page } = await opened();
    await count(page, 20);
    expect(await lettersOn(page).first().textContent()).toContain('"p0"');
    await button(page.getByRole("navigation", { name: /dead letters/ }), "Next page").click();
    await expect.poll(() => lettersOn(page).first().textContent()).toContain('"p20"');
    await button(page.getByRole("navigation", { name: /dead letters/ }), "Next page").click();
    await expect.poll(() => lettersOn(page).last().textContent()).toContain('"e"');
    await count(page, 7);
    expect(await button(page, "Next page").count()).toBe(0);
    await shoot(page, "flow-letters");
    await button(page, "Send all again").click();
    await page.getByText("2 sent again, 45 not taken").waitFor();
    expect(await page.getByRole("alert").first().textContent()).toContain("409");
    await count(page, 20);
    expect([await totalOf("d"), await totalOf("e")]).toEqual([4, 2]);
    // One that is not there any more is nobody's fault.
    expect(await lettersOn(page).first().textContent()).toContain('"p0"');
  });

  test("late events are readable, with what they were too late for", async () => {
    await deliver({ shelf: "f", n: 0, at: T + 600_000 });
    await deliver({ shelf: "f", n: 1, at: T + 1_000 }, { shelf: "f", n: 0, at: T + 2_000 });
    const { page, complaints } = await opened();
    const table = page.getByRole("table", { name: "Late events of stocking" });
    await table.waitFor();
    const rows = await table.getByRole("row").allTextContents();
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatch(
      /aggregate-1.*2027-01-15 .*\{"shelf":"f","n":1,"code":9007199254740993,"at":1800000001000\}/,
    );
    await shoot(page, "late-events");
    expect(complaints).toEqual([]);
  });

  test("what a flow could not process at all is among the dead letters of messages", async () => {
    const { page } = await served.open();
    const letter = { id: "letter-1", service: "#stream", key: "deliveries", function: "take" };
    await page.route("**/v1/dead-letters/%23stream?*", (route) => {
      const isFirst = !route.request().url().includes("cursor=");
      return route.fulfill({ json: isFirst ? { letters: [letter], next: "more of it" } : { letters: [] } });
    });
    await page.goto(`${served.url}/console#/messages`);
    await page.getByRole("heading", { name: "#stream" }).waitFor();
    expect(await page.getByLabel("Dead letter letter-1").textContent()).toContain('"deliveries"');
    await page.getByText("shelf: none").waitFor();
    expect(await page.getByText("#flow:stocking").count()).toBe(0);
    await button(page, "Next page").click();
    await page.getByText("none behind these").waitFor();
    await button(page, "First page").click();
    await page.getByLabel("Dead letter letter-1").waitFor();
  });

  test("fits a phone", async () => {
    const { page } = await served.open({ phone: true, dark: true, at: "streams" });
    await page.getByRole("heading", { name: "Late events" }).waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});
