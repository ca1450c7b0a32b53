/** A domain is backed up while it works and restored elsewhere; what is damaged is refused, and a restore survives a crash. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle } from "../../scripts/lib/bundle.ts";
import { ask, Clients, judge, rescale, restore, takeBackup, takeBackupBehindMove } from "./support/backups.ts";
import { type ServerPlace, ServerProcess, storeBundle } from "./support/process-group.ts";

/** Backups that are restored and judged; more of them with TIDEGATE_BACKUPS=20. */
const BACKUPS = Number(process.env["TIDEGATE_BACKUPS"] ?? 3);
const config = join(dirname(fileURLToPath(import.meta.url)), "../app/wrangler.jsonc");

let folder: string;
const servers: ServerProcess[] = [];
let places = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-backup-"));
  await storeBundle(await bundle(config), join(folder, "bundle.json"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function emptyPlace(): Promise<ServerPlace> {
  return { bundlePath: join(folder, "bundle.json"), persist: join(folder, `data-${places++}`), port: await freePort() };
}

async function start(place: ServerPlace): Promise<{ url: string; server: ServerProcess }> {
  const server = await ServerProcess.start(place);
  servers.push(server);
  return { url: `http://127.0.0.1:${place.port}`, server };
}

function typeOf(text: string): string {
  return (JSON.parse(text) as { type: string }).type;
}

test(
  `${BACKUPS} backups of a domain that works, each restored elsewhere: sums, answers and messages are whole`,
  async () => {
    const { url } = await start(await emptyPlace());
    const clients = new Clients(url, 7);
    clients.start(12);
    try {
      for (let n = 0; n < BACKUPS; n++) {
        await clients.more(60);
        const before = clients.acknowledged.slice(-40);
        const backup = await takeBackup(url);
        const target = await start(await emptyPlace());
        expect(await restore(target.url, backup)).toMatchObject({ status: 200 });
        expect(await judge(target.url, before)).toEqual([]);
        await target.server.kill();
      }
    } finally {
      await clients.stop();
    }
    const slowest = Math.max(...clients.latencies);
    console.log(
      `${BACKUPS} backups during ${clients.acknowledged.length} requests; the slowest took ${slowest.toFixed(0)} ms`,
    );
    expect(clients.faults).toEqual([]);
  },
  30_000 + BACKUPS * 20_000,
);

test("what is cut short or damaged is refused and leaves nothing; then the whole goes in, once and not over anything", async () => {
  const { url } = await start(await emptyPlace());
  const clients = new Clients(url, 8);
  clients.start(6);
  await clients.more(150);
  await clients.stop();
  const backup = await takeBackup(url);
  const target = await start(await emptyPlace());
  for (const [what, bytes] of wrongOnes(backup)) {
    const refused = await restore(target.url, bytes);
    expect([what, refused.status, typeOf(refused.text)]).toEqual([what, 422, "/problems/invalid-backup"]);
  }
  // Partitions may still be starting over, each with nothing.
  const balance = (): Promise<string> =>
    ask(target.url, "/v1/services/bank/account-1/balance").then(({ text }) => text);
  await expect.poll(balance, { timeout: 20_000 }).toBe("100");
  expect(await restore(target.url, backup)).toMatchObject({ status: 200 });
  expect(await judge(target.url, clients.acknowledged.slice(-30))).toEqual([]);
  expect(await restore(target.url, backup)).toMatchObject({ status: 200 });

  const used = await restore(url, backup);
  expect([used.status, typeOf(used.text)]).toEqual([409, "/problems/domain-not-empty"]);
  expect(await judge(url, clients.acknowledged.slice(-20))).toEqual([]);
}, 90_000);

function wrongOnes(backup: Buffer): Array<[string, Uint8Array]> {
  const flipped = (at: number): Uint8Array => {
    const copy = Uint8Array.from(backup);
    copy[at] = (copy[at] as number) ^ 4;
    return copy;
  };
  const half = backup.length >> 1;
  return [
    ["nothing of it", Buffer.from("x")],
    ["half", backup.subarray(0, half)],
    ["all but the last byte", backup.subarray(0, -1)],
    ["a flipped bit at half", flipped(half)],
    ["a flipped bit in the length", flipped(8)],
    ["twice", Buffer.concat([backup, backup])],
  ];
}

test("a server that is killed while it restores goes on from where it was", async () => {
  const { url } = await start(await emptyPlace());
  const clients = new Clients(url, 9);
  clients.start(6);
  await clients.more(150);
  await clients.stop();
  const backup = await takeBackup(url);
  for (const delay of [0, 15, 40]) {
    const place = await emptyPlace();
    const first = await start(place);
    const cut = restore(first.url, backup).catch(() => null);
    await sleep(delay);
    await first.server.kill();
    await cut;
    const second = await start(place);
    expect(await restore(second.url, backup)).toMatchObject({ status: 200 });
    expect(await judge(second.url, clients.acknowledged.slice(-30))).toEqual([]);
    await second.server.kill();
  }
}, 90_000);

test("a backup of a domain that has grown under load goes into one that has gone the same way, and that may shrink again", async () => {
  const { url } = await start(await emptyPlace());
  const clients = new Clients(url, 10);
  clients.start(6);
  await clients.more(60);
  await rescale(url, 6);
  await clients.more(40);
  const before = clients.acknowledged.slice(-60);
  const backup = await takeBackupBehindMove(url);
  await clients.stop();
  expect(clients.faults).toEqual([]);
  const target = await start(await emptyPlace());
  const refused = await restore(target.url, backup);
  expect([refused.status, typeOf(refused.text)]).toEqual([422, "/problems/invalid-backup"]);
  await rescale(target.url, 6);
  expect(await restore(target.url, backup)).toMatchObject({ status: 200 });
  expect(await judge(target.url, before)).toEqual([]);
  await rescale(target.url, 3);
  expect(await judge(target.url, before)).toEqual([]);
}, 120_000);
