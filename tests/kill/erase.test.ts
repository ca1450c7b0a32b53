/** A key is erased: nothing of it is left, in the answers or in the bytes on disk. What others have stays. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle } from "../../scripts/lib/bundle.ts";
import { ask, type Fetched, rescale } from "./support/backups.ts";
import { type ServerPlace, ServerProcess, storeBundle } from "./support/process-group.ts";

const config = join(dirname(fileURLToPath(import.meta.url)), "../app/wrangler.jsonc");
/** Words that are nowhere else. */
const SECRET = "xylophone-secret";
const NAME = "zanzibar-name";
const OTHERS = "quetzal-others";
const WRITES = 40;

let folder: string;
let place: ServerPlace;
let server: ServerProcess;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-erase-"));
  place = { bundlePath: join(folder, "bundle.json"), persist: join(folder, "data"), port: await freePort() };
  await storeBundle(await bundle(config), place.bundlePath);
  server = await ServerProcess.start(place);
  url = `http://127.0.0.1:${place.port}`;
});
afterEach(async () => {
  await server.kill();
  await rm(folder, { recursive: true, force: true });
});

function post(key: string, name: string, input: object, idempotencyKey?: string): Promise<Fetched> {
  const id: Record<string, string> = idempotencyKey === undefined ? {} : { "idempotency-key": `"${idempotencyKey}"` };
  const headers = { "content-type": "application/json", ...id };
  return ask(url, `/v1/services/diary/${key}/${name}`, { method: "POST", body: JSON.stringify(input), headers });
}

/** How often each word is in the files of the server, which must not run. */
async function countOnDisk(words: readonly string[]): Promise<Record<string, number>> {
  const counts = Object.fromEntries(words.map((word) => [word, 0]));
  for (const name of await readdir(place.persist, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const text = (await readFile(join(name.parentPath, name.name))).toString("latin1");
    for (const word of words) counts[word]! += text.split(word).length - 1;
  }
  return counts;
}

async function fill(): Promise<void> {
  for (let n = 0; n < WRITES; n++) {
    await post(NAME, "write", { text: `${SECRET}-${n}-${"s".repeat(n * 50)}` }, `write-${n}`);
    await post(NAME, "write", { text: `${SECRET}-without-key-${n}` });
    await post(`other-${n}`, "write", { text: `${OTHERS}-${n}` }, `other-${n}`);
  }
  await post("other-1", "pass", { to: NAME, text: `${SECRET}-to` });
  await post(NAME, "pass", { to: "other-2", text: `${SECRET}-from` });
}

test.each([
  ["leaves no trace", []],
  ["leaves none where it was before its key group moved, in partitions too that keep nothing any more", [7, 1]],
  ["leaves none when groups have gone and come again", [1, 4]],
])(
  "an erased key %s",
  async (_, moves) => {
    await fill();
    for (const partitions of moves) await rescale(url, partitions);
    await server.kill();
    const before = await countOnDisk([SECRET, NAME, OTHERS]);
    expect(before[SECRET]).toBeGreaterThan(WRITES);
    expect(before[NAME]).toBeGreaterThan(WRITES);
    server = await ServerProcess.start(place);

    const body = JSON.stringify({ service: "diary", key: NAME });
    const erase = () =>
      ask(url, "/admin/erase", { method: "POST", body, headers: { "content-type": "application/json" } });
    let erased = await erase();
    // What is left by a move is deleted first.
    for (; erased.status === 503; erased = await erase()) await new Promise((resolve) => setTimeout(resolve, 50));
    expect([erased.status, JSON.parse(erased.text)]).toEqual([
      200,
      { service: "diary", key: NAME, erased: true, scrubbed: true },
    ]);
    // The last partition starts over a moment after it has answered.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.kill();
    const after = await countOnDisk([SECRET, NAME, OTHERS]);
    expect(after[SECRET]).toBe(0);
    expect(after[NAME]).toBe(0);
    expect(after[OTHERS]).toBeGreaterThanOrEqual(WRITES);

    server = await ServerProcess.start(place);
    expect((await ask(url, `/v1/services/diary/${NAME}/read`)).text).toBe('{"last":"","pages":[]}');
    const again = await post(NAME, "write", { text: `${SECRET}-3-${"s".repeat(150)}` }, "write-3");
    expect([again.status, (JSON.parse(again.text) as { type: string }).type]).toEqual([410, "/problems/result-erased"]);
    expect((await ask(url, `/v1/services/diary/${NAME}/read`)).text).toBe('{"last":"","pages":[]}');
    for (const n of [0, 7, WRITES - 1]) {
      const other = JSON.parse((await ask(url, `/v1/services/diary/other-${n}/read`)).text) as object;
      expect(other).toEqual({ last: `${OTHERS}-${n}`, pages: [`${OTHERS}-${n}`] });
      const kept = await post(`other-${n}`, "write", { text: `${OTHERS}-${n}` }, `other-${n}`);
      expect([kept.status, kept.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    }
  },
  90_000,
);
