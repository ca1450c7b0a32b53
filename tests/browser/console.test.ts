/** The page for people in a real browser, over the shop with real data. */
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { isThere, overflow, type ServedConsole, shoot, SHOTS, TOKEN, useConsole } from "./support/served-console.ts";

async function fill(served: ServedConsole): Promise<void> {
  for (const customer of ["alice", "bob", "carol"])
    await served.post(`/v1/services/account/${customer}/deposit`, { amount: 50_000 });
  for (const item of ["teapot", "kettle"]) await served.post(`/v1/services/stock/${item}/restock`, { quantity: 40 });
  for (const customer of ["alice", "bob"]) {
    await served.post(`/v1/services/cart/${customer}/add`, { item: "teapot", price: 1_900, quantity: 2 });
    await served.post(`/v1/services/cart/${customer}/checkout`, "null");
  }
  const events = Array.from({ length: 200 }, (_, n) =>
    JSON.stringify({
      item: n % 2 === 0 ? "teapot" : "kettle",
      amount: 1_900,
      quantity: 1,
      at: 1_700_000_000_000 + n * 1_000,
    }),
  );
  await (await served.post("/v1/streams/sales", events.join("\n"), "application/x-ndjson")).text();
}

const served = useConsole(resolve(import.meta.dirname, "../../wrangler.jsonc"), fill);
const post: ServedConsole["post"] = (...asked) => served.post(...asked);
const open: ServedConsole["open"] = (options) => served.open(options);

/** What of an OpenAPI document is changed. */
interface Described {
  readonly paths: Readonly<
    Record<string, { readonly post?: { readonly requestBody?: { readonly content: Record<string, unknown> } } }>
  >;
}

/** With some seconds of load behind it, that crosses partitions. */
async function shootBusy(page: Page): Promise<void> {
  const customers = ["alice", "bob", "carol", "dave", "erin", "frank"];
  await post("/v1/services/stock/cup/restock", { quantity: 100_000 });
  const until = Date.now() + 25_000;
  await Promise.all(
    customers.map(async (customer) => {
      await post(`/v1/services/account/${customer}/deposit`, { amount: 10_000_000 });
      while (Date.now() < until) {
        await post(`/v1/services/cart/${customer}/add`, { item: "cup", price: 500, quantity: 1 });
        await post(`/v1/services/cart/${customer}/checkout`, "null");
        await page.waitForTimeout(20 + 60 * Math.random());
      }
    }),
  );
  await shoot(page, "overview");
}

/** In the page: what a framework puts off until a frame was painted comes seconds later, as on a machine that has too much to do. */
function paintLate(): void {
  const scope = globalThis as unknown as { requestAnimationFrame: unknown; setTimeout: typeof setTimeout };
  const { setTimeout: timer } = scope;
  scope.requestAnimationFrame = () => 0;
  const isForFrames = (ms = 0): boolean => ms > 0 && ms < 100;
  scope.setTimeout = ((act: () => void, ms?: number) => timer(act, isForFrames(ms) ? 3_000 : ms)) as typeof setTimeout;
}

describe.skipIf(!isThere)("the console", { timeout: 60_000 }, () => {
  test("goes where its address leads, however early that changes", async () => {
    const { page } = await open({ at: "streams", first: paintLate });
    await page.getByRole("heading", { name: "Streams" }).waitFor({ timeout: 10_000 });
  });

  test("opens with the token only, and forgets it with the tab", async () => {
    const context = await served.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${served.url}/console`);
    await page.getByLabel("Token", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toContain("401");
    await page.getByLabel("Token", { exact: true }).fill(TOKEN);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    await page.reload();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    expect(await page.evaluate("localStorage.length + document.cookie.length")).toBe(0);
    const other = await context.newPage();
    await other.goto(`${served.url}/console`);
    await other.getByLabel("Token", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    await context.close();
  });

  test("shows live numbers that move, and partitions that are up", async () => {
    const { page, complaints } = await open();
    await page.getByRole("heading", { name: "Partitions" }).waitFor();
    expect(await page.locator("tbody tr").count()).toBe(4);
    expect(await page.getByRole("cell", { name: "up" }).count()).toBe(4);
    const committed = async () =>
      Number((await page.locator('[data-outcome="committed"]').textContent())?.replaceAll(",", ""));
    const before = await committed();
    for (let n = 0; n < 30; n++) await post("/v1/services/account/alice/deposit", { amount: 1 });
    await expect.poll(committed, { timeout: 15_000 }).toBeGreaterThanOrEqual(before + 30);
    // The rate is of the last second: it rises while somebody deposits.
    const rate = async () => {
      await post("/v1/services/account/bob/deposit", { amount: 1 });
      return Number((await page.locator('[data-figure="transactions a second"]').textContent())?.replaceAll(",", ""));
    };
    await expect.poll(rate, { timeout: 15_000, interval: 50 }).toBeGreaterThan(0);
    if (SHOTS !== undefined) await shootBusy(page);
    expect(complaints).toEqual([]);
  });

  test("calls a function from its form, and follows that transaction through partitions and its epoch", async () => {
    const { page, complaints } = await open({ at: "services/cart/add" });
    await page.getByLabel("key", { exact: true }).fill("carol");
    await page.getByLabel("item").fill("kettle");
    await page.getByLabel("price").fill("2500");
    await page.getByLabel("quantity").fill("3");
    await page.getByRole("button", { name: "Call cart.add" }).click();
    await page.getByRole("status").waitFor();
    expect(await page.locator("[data-status]").textContent()).toBe("200");
    await shoot(page, "form");
    await page.getByRole("link", { name: "checkout" }).click();
    await page.getByLabel("key", { exact: true }).fill("carol");
    await page.getByRole("button", { name: "Call cart.checkout" }).click();
    await page.getByRole("status").waitFor();
    expect(await page.locator("[data-status]").textContent()).toBe("200");
    await page.getByRole("link", { name: "follow this transaction" }).click();
    const timeline = page.getByRole("table", { name: "Timeline of the transaction" });
    await timeline.waitFor();
    const rows = await timeline.getByRole("row").allTextContents();
    const named = (name: string) => rows.filter((row) => row.includes(name)).length;
    expect(named("stock.reserve (kettle)")).toBe(1);
    expect(named("account.charge (carol)")).toBe(1);
    expect(named("epoch ")).toBe(2);
    expect(new Set(rows.flatMap((row) => /partition \d/.exec(row) ?? [])).size).toBeGreaterThan(1);
    await shoot(page, "timeline");
    expect(complaints).toEqual([]);
  });

  test("shows a refusal, and what an input that does not fit is told", async () => {
    const { page } = await open({ at: "services/account/charge" });
    await page.getByLabel("key", { exact: true }).fill("nobody");
    await page.getByLabel("amount").fill("5");
    await page.getByRole("button", { name: "Call account.charge" }).click();
    await page.getByText("insufficient-funds").waitFor();
    expect(await page.locator("[data-status]").textContent()).toBe("409");
    await page.getByLabel("amount").fill("-5");
    await page.getByRole("button", { name: "Call account.charge" }).click();
    // The browser itself does not send what the schema's bounds forbid, where it has them.
    const told = page.getByText("invalid-input");
    const isStopped = await page.evaluate("document.querySelector('#input-amount').validity.valid === false");
    if (isStopped !== true) await told.waitFor();
  });

  test("sends nothing while what is written as JSON is none", async () => {
    const { page } = await open();
    // A schema without fields to fill in.
    await page.route("**/openapi.json", async (route) => {
      const answer = await route.fetch();
      const json = JSON.parse(await answer.text()) as Described;
      const { requestBody } = json.paths["/v1/services/account/{key}/deposit"]?.post ?? {};
      if (requestBody !== undefined) requestBody.content["application/json"] = { schema: {} };
      await route.fulfill({ json });
    });
    await page.goto(`${served.url}/console#/services/account/deposit`);
    await page.reload();
    await page.getByLabel("key", { exact: true }).fill("dora");
    await page.getByPlaceholder("JSON").fill('{"amount":7}');
    await page.getByPlaceholder("JSON").fill('{"amount":700');
    await page.getByRole("button", { name: "Call account.deposit" }).click();
    await page.waitForTimeout(500);
    expect(await page.getByRole("status").count()).toBe(0);
    await page.getByPlaceholder("JSON").fill('{"amount":700}');
    await page.getByRole("button", { name: "Call account.deposit" }).click();
    await page.getByRole("status").waitFor();
    expect(await page.getByLabel("Answer").textContent()).toContain('"balance": 700');
  });

  test("browses keys and state, with the last transactions of a key", async () => {
    const { page, complaints } = await open({ at: "state/account" });
    await page.getByRole("navigation", { name: "Keys of account" }).getByRole("link", { name: "alice" }).click();
    await page.getByRole("heading", { name: "account “alice”" }).waitFor();
    expect(await page.getByLabel("Value").textContent()).toContain('"balance"');
    await page
      .getByRole("cell", { name: /^account\./ })
      .first()
      .waitFor();
    await shoot(page, "state");
    await page.getByLabel("key of account").fill("nobody-at-all");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing is stored under this key").waitFor();
    expect(complaints).toEqual([]);
  });

  test("draws services and flows, with the calls that were seen", async () => {
    const { page, complaints } = await open({ at: "services" });
    const graph = page.getByRole("img", { name: "Services and flows" });
    await graph.waitFor();
    for (const name of ["cart", "account", "stock", "order", "sales", "sales-per-minute"])
      expect(await graph.getByText(name, { exact: true }).count()).toBeGreaterThan(0);
    await expect.poll(() => graph.locator("path.way").count()).toBeGreaterThanOrEqual(2);
    await shoot(page, "services");
    expect(complaints).toEqual([]);
  });

  test("lists transactions, and the streams with their watermarks", async () => {
    const { page, complaints } = await open({ at: "transactions" });
    await page.getByRole("cell", { name: "cart.checkout" }).first().waitFor();
    await page.goto(`${served.url}/console#/streams`);
    await page.getByRole("heading", { name: "sales-per-minute", level: 2 }).waitFor();
    await expect.poll(() => page.locator('[data-fact="events"]').textContent()).toBe("200");
    expect(await page.locator('[data-fact="watermark"]').textContent()).toMatch(/^2023-11-14 /);
    await page.getByText("operators", { exact: true }).first().click();
    await page.locator("details[open] .json").first().waitFor();
    await shoot(page, "streams");
    await page.goto(`${served.url}/console#/messages`);
    await page.getByRole("heading", { name: "Waiting to be delivered" }).waitFor();
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
  });

  test("shows messages that wait for their time, and sends a dead letter again", async () => {
    const { page } = await open({ at: "messages" });
    await page.locator("[data-timers]").first().waitFor();
    const timers = async () =>
      (await page.locator("[data-timers]").allTextContents()).reduce((sum, count) => sum + Number(count), 0);
    // The engine has some of its own.
    const before = await timers();
    await post("/v1/services/account/alice/deposit/send?delay=1h", { amount: 5 });
    await expect.poll(timers, { timeout: 10_000 }).toBe(before + 1);
    // It can never succeed, and so it is a dead letter at once.
    await post("/v1/services/account/alice/deposit/send", { amount: "much" });
    const letters = page.getByLabel(/^Dead letter /);
    const listed = async () => {
      await page.reload();
      await page.getByRole("heading", { name: "Dead letters" }).waitFor();
      await page.waitForTimeout(300);
      return letters.allTextContents();
    };
    await expect.poll(async () => (await listed()).length, { timeout: 20_000 }).toBe(1);
    const [first = ""] = await letters.allTextContents();
    expect(first).toContain('"much"');
    await shoot(page, "dead-letter");
    await page.getByRole("button", { name: "Send again" }).click();
    // It fails again, as another message.
    await expect
      .poll(async () => (await listed()).filter((text) => text !== first).length, { timeout: 20_000 })
      .toBe(1);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete it for good" }).click();
    await expect.poll(() => letters.count()).toBe(0);
    expect(await listed()).toEqual([]);
  });

  test("shows how far a saga is", async () => {
    const input = { customer: "alice", item: "teapot", quantity: 1, total: 1_900, collectWithin: 3_600_000 };
    await post("/v1/sagas/ship-order/parcel-17", input);
    const { page } = await open({ at: "messages" });
    await page.getByLabel("saga", { exact: true }).fill("ship-order");
    await page.getByLabel("id", { exact: true }).fill("parcel-17");
    const shown = page.getByLabel("Saga", { exact: true });
    await expect
      .poll(async () => {
        await page.getByRole("button", { name: "Show" }).click();
        await shown.waitFor();
        return shown.textContent();
      })
      .toMatch(/collected.*1 × teapot for parcel-17|1 × teapot for parcel-17.*collected/s);
    await shoot(page, "saga");
  });

  test("can be worked by keyboard alone", async () => {
    const { page } = await open();
    await page.getByRole("heading", { name: "Partitions" }).waitFor();
    await page.keyboard.press("3");
    await page
      .getByRole("navigation", { name: "Keys of account" })
      .or(page.getByRole("navigation", { name: /Keys of/ }))
      .waitFor();
    await page.keyboard.press("4");
    await page.getByRole("heading", { name: "Transactions", exact: true }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Transactions", exact: true }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
  });

  test.each(["overview", "services", "state/account/alice", "transactions", "streams", "messages"])(
    "fits a phone, in dark: %s",
    async (at) => {
      const { page } = await open({ dark: true, phone: true, at });
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForTimeout(500);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      const [back, ink] = (await page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]",
      )) as [string, string];
      expect([back, ink]).toEqual(["rgb(16, 21, 27)", "rgb(230, 235, 240)"]);
      if (at === "overview") await shoot(page, "phone-dark");
    },
  );

  test("is served with a policy that lets it run nothing else and ask nobody else", async () => {
    const response = await fetch(`${served.url}/console`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(await response.text()).not.toContain(TOKEN);
  });
});
