/** A server whose configuration changes, and how long it takes to start. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle, type Bundle } from "../../scripts/lib/bundle.ts";
import { type LocalServer, serve } from "../../scripts/lib/local-server.ts";

const TOKEN = "test-token";
const config = join(dirname(fileURLToPath(import.meta.url)), "../app/wrangler.jsonc");

let folder: string;
let server: LocalServer;
let four: Bundle;
let spawned = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-deploy-"));
  four = await bundle(config);
  const port = await freePort();
  spawned = performance.now();
  server = await serve({ bundle: four, port, persist: folder, token: TOKEN });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The bundle as it would be with another number of partitions; the bundler numbers names that several modules have. */
function withPartitions(count: number): Bundle {
  let changed = 0;
  const modules = four.modules.map((module) => {
    if (module.type !== "ESModule") return module;
    const text = module.contents
      .toString()
      .replace(/\b(PARTITIONS\d*) = 4\b/g, (_, name: string) => `${name} = ${(changed++, count)}`);
    return { ...module, contents: Buffer.from(text) };
  });
  if (changed !== 1) throw new Error(`the number of partitions is in the bundle ${changed} times`);
  return { modules };
}

async function request(
  path: string,
  body?: string,
): Promise<{ status: number; type: string; detail: string; body: unknown }> {
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    "content-type": path.includes("streams") || path.includes("batch") ? "application/x-ndjson" : "application/json",
  };
  const response = await fetch(server.url + path, body === undefined ? { headers } : { headers, method: "POST", body });
  const parsed = JSON.parse((await response.text()).split("\n")[0] as string) as Record<string, string>;
  return { status: response.status, type: parsed["type"] ?? "", detail: parsed["detail"] ?? "", body: parsed };
}

const deposit = (amount: number) => request("/v1/services/account/alice/deposit", JSON.stringify({ amount }));

test("answers soon after it is started", async () => {
  const ready = performance.now();
  expect((await deposit(5)).body).toBe(5);
  const answered = performance.now();
  console.log(
    `start-up: ${Math.round(ready - spawned)} ms from spawning workerd until it serves, the first durable answer ${Math.round(answered - ready)} ms later`,
  );
  expect(answered - spawned).toBeLessThan(10_000);
});

test("of another number of partitions moves its keys to that many, and back", async () => {
  const { body: before } = await request("/v1/services/account/alice/balance");
  for (const [partitions, config] of [
    [5, withPartitions(5)],
    [4, four],
  ] as const) {
    await server.reload(config);
    await expect
      .poll(async () => (await request("/admin/partitions")).body, { timeout: 20_000 })
      .toMatchObject({
        partitions,
        wanted: partitions,
        phase: "still",
      });
    expect((await request("/v1/services/account/alice/balance")).body).toBe(before);
  }
});

test("keeps its state over a reload of the code", async () => {
  const before = (await request("/v1/services/account/alice/balance")).body;
  await server.reload(four);
  expect((await request("/v1/services/account/alice/balance")).body).toBe(before);
});

/** As if the main module did not export the class. */
function withoutEffects(): Bundle {
  let changed = 0;
  const modules = four.modules.map((module) => {
    if (module.type !== "ESModule") return module;
    const text = module.contents.toString().replace(/^export \{[^}]*\};?$/gm, (list) => {
      const left = list.replace(/^\s*(?:\w+ as )?Effects,?\n/m, () => (changed++, ""));
      return left;
    });
    return { ...module, contents: Buffer.from(text) };
  });
  if (changed !== 1) throw new Error(`the class Effects is exported ${changed} times`);
  return { modules };
}

test("says what to add where the class that runs effects is missing", async () => {
  await server.reload(withoutEffects());
  const answer = await deposit(1);
  expect([answer.status, answer.type]).toEqual([500, "/problems/misconfigured"]);
  expect(answer.detail).toContain("export class Effects extends app.Effects {}");
  await server.reload(four);
  expect((await deposit(1)).status).toBe(200);
});
