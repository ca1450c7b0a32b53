/** The door with real objects behind it: tenants are domains of their own, rules hold for all that comes from outside, and for nothing else. */
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { admin, send } from "./support/app.ts";

/** As the bearer of a static key; "" for nobody. */
async function ask(as: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const own = exports as unknown as { default: { fetch(url: string, init: RequestInit): Promise<Response> } };
  const response = await own.default.fetch(`http://tidegate.example${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(as === "" ? {} : { authorization: `Bearer tgk_${as}` }),
      ...(body === undefined ? {} : { "content-type": path === "/v1/batch" ? "text/plain" : "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const lockerOf = (key: string, name: string) => `/v1/services/locker/${key}/${name}`;

describe("API1 broken object level authorization", () => {
  test("another's key is closed, to calls, queries, messages and lines", async () => {
    expect((await ask("alice", lockerOf("alice", "put"), { what: "ring" })).status).toBe(200);
    for (const [path, body] of [
      [lockerOf("alice", "put"), { what: "x" }],
      [lockerOf("alice", "put/send"), { what: "x" }],
      [lockerOf("alice", "things"), undefined],
    ] as const)
      expect((await ask("bob", path, body)).status).toBe(403);
    const lines = ["alice", "bob", "alice"].map((key) =>
      JSON.stringify({ service: "locker", key, function: "put", input: { what: `of ${key}` } }),
    );
    const { text } = await ask("bob", "/v1/batch?ordered=1", lines.join("\n"), {
      "content-type": "application/x-ndjson",
    });
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { status: number }).status),
    ).toEqual([403, 200, 403]);
    expect((await ask("alice", lockerOf("alice", "things"))).text).toBe('{"things":["ring"]}');
  });

  test("another tenant's data is out of reach under the same key, and stays apart in storage", async () => {
    await ask("carol", lockerOf("carol", "put"), { what: "of globex" });
    const asOwner = async (tenant: string) =>
      (await send(lockerOf("carol", "things"), { headers: { "tidegate-tenant": tenant } })).text();
    expect(await asOwner("globex")).toBe('{"things":["of globex"]}');
    expect(await asOwner("acme")).toBe('{"things":[]}');
    expect(await (await send(lockerOf("carol", "things"))).text()).toBe('{"things":[]}');
    const forged = { "tidegate-tenant": "acme" };
    expect((await ask("carol", lockerOf("carol", "things"), undefined, forged)).status).toBe(403);
    // Whose key names no tenant has no data to see.
    expect((await ask("dave", lockerOf("dave", "things"))).status).toBe(403);
  });

  test("the administrator's export has the data of one tenant", async () => {
    await ask("bob", lockerOf("bob", "put"), { what: "of acme" });
    await ask("carol", lockerOf("carol", "put"), { what: "of globex" });
    const exported = async (tenant?: string) => {
      const headers: Record<string, string> = tenant === undefined ? {} : { "tidegate-tenant": tenant };
      return (await admin("/admin/export?service=locker", { headers })).text();
    };
    expect([(await exported("acme")).includes("of globex"), (await exported("acme")).includes("of acme")]).toEqual([
      false,
      true,
    ]);
    expect(await exported()).not.toContain("of acme");
  });

  test("calls over several partitions, and messages, stay within the tenant", async () => {
    const headers = { "tidegate-tenant": "crossing", "content-type": "application/json" };
    const owner = async (path: string, body?: object) => {
      const response = await send(`/v1/services/account/${path}`, {
        headers,
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      });
      return response.json();
    };
    await owner("payer/deposit", { amount: 100 });
    // Of eight keys some are on other partitions.
    for (let i = 0; i < 8; i++) await owner("payer/transfer", { to: `payee-${i}`, amount: 10 });
    for (let i = 0; i < 8; i++) expect(await owner(`payee-${i}/balance`)).toBe(10);
    expect(await (await send("/v1/services/account/payee-0/balance")).json()).toBe(0);
    const domain = (exports as unknown as { Partition: DurableObjectNamespace }).Partition;
    expect(domain.idFromName("partition-0@crossing").toString()).not.toBe(domain.idFromName("partition-0").toString());
  });
});

describe("API3 broken object property level authorization", () => {
  test("what the schema does not name neither enters state nor leaves it", async () => {
    const body = '{"what":"ring","locked":false,"things":["all"],"__proto__":{"polluted":true}}';
    const { status, text } = await ask("alice", lockerOf("alice", "put"), body);
    expect(status).toBe(200);
    expect(text).not.toContain("locked");
    expect(text).not.toContain("all");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    const exported = await (
      await admin("/admin/export?service=locker", { headers: { "tidegate-tenant": "acme" } })
    ).text();
    expect(exported).toContain('"locked":true');
    expect(exported).not.toContain("polluted");
  });
});

describe("API5 broken function level authorization", () => {
  test("a service without a rule is the owner's, but functions that may be called call it", async () => {
    expect((await ask("alice", "/v1/services/account/alice/balance")).status).toBe(403);
    expect((await ask("alice", lockerOf("alice", "pay"), { amount: 7 })).text).toBe("7");
    expect((await ask("alice", lockerOf("alice", "owe"), { amount: 5 })).status).toBe(200);
    const balance = async () =>
      (await send("/v1/services/account/alice/balance", { headers: { "tidegate-tenant": "acme" } })).json();
    await expect.poll(balance, { timeout: 10_000 }).toBe(12);
  });

  test("what is public is open without a credential, and nothing else", async () => {
    expect(await ask("", lockerOf("alice", "count"))).toEqual({ status: 200, text: "0" });
    expect((await ask("", lockerOf("alice", "things"))).status).toBe(401);
    expect((await ask("", "/v1/services/account/alice/balance")).status).toBe(401);
    expect((await ask("", lockerOf("alice", "count"), undefined, { "tidegate-tenant": "acme" })).status).toBe(403);
  });
});

describe("API4 unrestricted resource consumption", () => {
  test("deep and oversized bodies are refused before any object sees them", async () => {
    const deep = `{"what":${"[".repeat(600)}${"]".repeat(600)}}`;
    expect((await ask("alice", lockerOf("alice", "put"), deep)).status).toBe(400);
    expect((await ask("alice", lockerOf("alice", "put"), `{"what":"${"x".repeat(1024 * 1024)}"}`)).status).toBe(413);
  });
});
