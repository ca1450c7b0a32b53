/** An app served in workerd and its page opened in a real browser, for the tests of a file. TIDEGATE_SCREENSHOTS=folder keeps what it looked like. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { freePort } from "../../../cli/ports.ts";
import { bundle } from "../../../scripts/lib/bundle.ts";
import { type LocalServer, serve } from "../../../scripts/lib/local-server.ts";

export const TOKEN = "test-token";
export const SHOTS = process.env["TIDEGATE_SCREENSHOTS"];
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
/** On a machine without the browser the page is not tested; where everything is to be, that is a failure. */
export const isThere = existsSync(CHROMIUM) || process.env["CI"] === "true";

export interface Opened {
  readonly page: Page;
  /** What the browser complained of: errors of scripts, and of the policy that nothing else may run. */
  readonly complaints: string[];
}
interface OpenOptions {
  readonly dark?: boolean;
  readonly phone?: boolean;
  /** View, and what follows it in the address. */
  readonly at?: string;
  /** Runs in the page before its own script. */
  readonly first?: () => void;
}

export class ServedConsole {
  #server: LocalServer | null = null;
  #browser: Browser | null = null;

  /** @param config path of a wrangler.jsonc */
  async start(config: string): Promise<void> {
    this.#server = await serve({ bundle: await bundle(config), port: await freePort(), token: TOKEN });
    this.#browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#server?.stop();
  }

  get url(): string {
    return (this.#server as LocalServer).url;
  }

  get browser(): Browser {
    return this.#browser as Browser;
  }

  /** As the owner. @throws Error for what is neither taken nor refused */
  async post(path: string, body: unknown, type = "application/json"): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": type };
    const response = await fetch(this.url + path, { method: "POST", headers, body: text });
    if (response.status >= 400 && response.status !== 409) throw new Error(`${path}: ${await response.text()}`);
    return response;
  }

  /** The page, in a tab and a session of its own until the test ends: one left open would go on asking for the overview. */
  async open({ dark = false, phone = false, at, first }: OpenOptions = {}): Promise<Opened> {
    const context = await this.browser.newContext({
      colorScheme: dark ? "dark" : "light",
      viewport: phone ? { width: 390, height: 800 } : { width: 1_180, height: 820 },
    });
    const page = await context.newPage();
    const traffic = trafficOf(page);
    onTestFinished(async ({ task }) => {
      if (task.result?.state === "fail") console.error(`${traffic()}\n${await textOf(page)}`);
      await context.close();
    });
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    if (first !== undefined) await page.addInitScript(first);
    await page.goto(`${this.url}/console`);
    await page.getByLabel("Token", { exact: true }).fill(TOKEN);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    if (at !== undefined) await page.goto(`${this.url}/console#/${at}`);
    return { page, complaints };
  }
}

/** For a test that fails: what its page asked for and was not answered, and what it was answered last. */
function trafficOf(page: Page): () => string {
  const asked = new Map<unknown, string>();
  const answered: string[] = [];
  page.on("request", (request) => asked.set(request, `${request.method()} ${request.url()}`));
  page.on("requestfailed", (request) => asked.delete(request));
  page.on("requestfinished", (request) => asked.delete(request));
  page.on("response", (response) => answered.push(`${response.status()} ${response.url()}`));
  return () => `unanswered: ${[...asked.values()].join(", ")}\nanswered last: ${answered.slice(-10).join(", ")}`;
}

const textOf = (page: Page): Promise<string> => page.evaluate<string>("document.body.innerText").catch(String);

/** @param fill gives the app something to show */
export function useConsole(config: string, fill: (served: ServedConsole) => Promise<void>): ServedConsole {
  const served = new ServedConsole();
  beforeAll(async () => {
    if (!isThere) return;
    await served.start(config);
    await fill(served);
  }, 120_000);
  afterAll(() => served.stop());
  return served;
}

export async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `${name}.jpg`), type: "jpeg", quality: 65 });
}

/** A page as wide as its window has nothing that only a mouse would find. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
