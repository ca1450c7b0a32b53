/** A change of the state's form that is deployed over state that is there, and deployed back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle, type Bundle } from "../../scripts/lib/bundle.ts";
import { type LocalServer, serve } from "../../scripts/lib/local-server.ts";

const TOKEN = "test-token";
const apps = resolve(import.meta.dirname, "../app-versions");
/** Enough that both partitions have some, and that a fold writes some of them to blocks. */
const PEOPLE = 60;

let folder: string;
let server: LocalServer;
let one: Bundle;
let three: Bundle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-evolution-"));
  [one, three] = await Promise.all([bundle(join(apps, "one.jsonc")), bundle(join(apps, "three.jsonc"))]);
  server = await serve({ bundle: one, port: await freePort(), persist: folder, token: TOKEN });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function request(path: string, input?: unknown): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const init = input === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(input) };
  const response = await fetch(server.url + path, init);
  return { status: response.status, body: await response.json() };
}
const post = (key: string, name: string, input: unknown = null) => request(`/v1/services/person/${key}/${name}`, input);
const get = async (key: string, name: string) => (await request(`/v1/services/person/${key}/${name}`)).body;
const refused = { status: 503, body: expect.objectContaining({ type: "/problems/newer-state" }) };

test("old keys are brought up and nothing is lost; old code is refused on what newer code wrote, and on nothing else", async () => {
  for (let n = 0; n < PEOPLE; n++) {
    expect((await post(`p${n}`, "name", { name: `N${n}` })).status).toBe(200);
    expect((await post(`p${n}`, "note", { at: 1, text: `note of ${n}` })).status).toBe(200);
  }

  await server.reload(three);
  for (let n = 0; n < PEOPLE; n++) {
    expect(await get(`p${n}`, "show")).toEqual({ names: [`N${n}`], seen: { total: 2 } });
    expect(await get(`p${n}`, "notes")).toEqual([[1, { text: `note of ${n}`, lang: "en" }]]);
  }
  expect(await get("nobody", "show")).toEqual({ names: [], seen: { total: 0 } });
  // A value that changes, an entry that is added beside a value that is not looked at, and one that is written under a key without a value.
  await post("p0", "name", { name: "Again" });
  await post("p1", "noteBlindly", { at: 2, text: "neu" });
  await post("fresh", "noteBlindly", { at: 1, text: "neu" });
  expect(await get("p0", "show")).toEqual({ names: ["N0", "Again"], seen: { total: 3 } });
  expect(await get("p1", "show")).toEqual({ names: ["N1"], seen: { total: 2 } });
  expect(await get("p1", "notes")).toEqual([
    [1, { text: "note of 1", lang: "en" }],
    [2, { text: "neu", lang: "de" }],
  ]);

  await server.reload(one);
  for (const key of ["p0", "p1", "fresh"]) {
    expect(await post(key, "name", { name: "old" })).toEqual(refused);
    expect(await post(key, "noteBlindly", { at: 2, text: "old" })).toEqual(refused);
    expect(await post(key, "forget")).toEqual(refused);
    expect(await request(`/v1/services/person/${key}/show`)).toEqual(refused);
  }
  expect(await request("/v1/services/person/p1/notes")).toEqual(refused);
  // What newer code only looked at is as it was.
  expect(await get("p2", "show")).toEqual({ name: "N2", seen: 2 });
  expect((await post("p3", "name", { name: "by old code" })).status).toBe(200);

  await server.reload(three);
  expect(await get("p0", "show")).toEqual({ names: ["N0", "Again"], seen: { total: 3 } });
  expect(await get("p1", "notes")).toEqual([
    [1, { text: "note of 1", lang: "en" }],
    [2, { text: "neu", lang: "de" }],
  ]);
  expect(await get("p3", "show")).toEqual({ names: ["by old code"], seen: { total: 3 } });
  expect(await get("fresh", "notes")).toEqual([[1, { text: "neu", lang: "de" }]]);
  for (let n = 4; n < PEOPLE; n++) expect(await get(`p${n}`, "show")).toEqual({ names: [`N${n}`], seen: { total: 2 } });
});
