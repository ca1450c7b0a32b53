/** The shop's server dies in the middle of the demo, and the demo's audit holds; it holds again in a second run after a restart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle } from "../../scripts/lib/bundle.ts";
import { createRandom } from "../../sim/random.ts";
import { Demo } from "./support/demo.ts";
import { ServerProcess, storeBundle } from "./support/process-group.ts";

/** What the demo is at when its server is killed, as its progress says. */
const KILLED_AT = ["checkouts:", "checkouts:", "checkouts in batches:", "events:"];
/** Time under load before each kill. */
const LOAD_MS = { least: 20, most: 1_500 };
const config = join(dirname(fileURLToPath(import.meta.url)), "../../wrangler.jsonc");

let folder: string;
let server: ServerProcess | undefined;
let demo: Demo | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-shop-"));
});
afterEach(async () => {
  demo?.stop();
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("the demo's audit holds although its server is killed on the way", async () => {
  const seed = Number(process.env["TIDEGATE_SEED"] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed} (repeat its choices with TIDEGATE_SEED=${seed})`);
  const random = createRandom(seed);
  const place = { bundlePath: join(folder, "bundle.json"), persist: join(folder, "data"), port: await freePort() };
  const url = `http://127.0.0.1:${place.port}`;
  await storeBundle(await bundle(config), place.bundlePath);
  server = await ServerProcess.start(place);
  demo = new Demo(url, folder, ["--checkouts", "2000", "--events", "400000", "--seed", String(seed)]);
  let kills = 0;
  for (const part of KILLED_AT) {
    // On a slow machine its clients may not be back yet: then nothing would be tried.
    while (demo.running && (demo.times(part) === 0 || demo.times("server back") < kills)) await sleep(20);
    await sleep(LOAD_MS.least + random.int(LOAD_MS.most - LOAD_MS.least));
    if (!demo.running) break;
    await server.kill();
    kills += 1;
    while (demo.running && demo.times("server away") < kills) await sleep(20);
    server = await ServerProcess.start(place);
  }
  const code = await demo.ended;
  console.log(`${kills} kills\n${demo.output}`);
  expect(demo.output).toContain("All audits passed");
  expect(code).toBe(0);
  // Otherwise nothing was tried.
  expect(kills).toBeGreaterThan(0);

  await server.kill();
  server = await ServerProcess.start(place);
  demo = new Demo(url, folder, ["--checkouts", "300", "--events", "20000"]);
  const again = await demo.ended;
  expect(demo.output).toContain(
    "orders, each there once with its lines, and none besides them, as earlier runs left them",
  );
  expect(again, demo.output).toBe(0);
}, 240_000);
