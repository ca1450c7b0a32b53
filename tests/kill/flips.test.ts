/** One byte of a database file is changed, again and again: what is asked then is answered as before, or with an error, never otherwise. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle } from "../../scripts/lib/bundle.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { databasesIn, foldedIn } from "./support/audit.ts";
import { ServerProcess, type ServerPlace, storeBundle, TOKEN } from "./support/process-group.ts";

/** More of them: TIDEGATE_FLIPS=40. */
const FLIPS = Number(process.env["TIDEGATE_FLIPS"] ?? 10);
const KEYS = Array.from({ length: 24 }, (_, n) => `key-${n}`);
/** Deposits of each key, 1 each, so that its balance is their number. */
const DEPOSITS = 3;
const ENTRIES = 60;
/** Writes over and over what makes partitions fold. */
const PADS = 12;
/** An answer that takes longer is none. */
const PATIENCE_MS = 2_500;
const config = join(dirname(fileURLToPath(import.meta.url)), "../app/wrangler.jsonc");

let folder: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-flips-"));
});
afterEach(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

interface Question {
  readonly path: string;
  /** Present for a POST: its Idempotency-Key, and its input. */
  readonly post?: { readonly id: string; readonly input: unknown };
}

/** What a question is answered, or null where there is no answer in time. */
async function ask(place: ServerPlace, { path, post }: Question): Promise<{ status: number; body: string } | null> {
  const headers: Record<string, string> = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  if (post) headers["idempotency-key"] = `"${post.id}"`;
  const init = post ? { method: "POST", body: JSON.stringify(post.input ?? null) } : {};
  try {
    const url = `http://127.0.0.1:${place.port}/v1/services/${path}`;
    const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    return { status: response.status, body: await response.text() };
  } catch {
    return null;
  }
}

const post = (path: string, id: string, input?: unknown): Question => ({ path, post: { id, input } });
const deposits = (key: string): Question[] =>
  Array.from({ length: DEPOSITS }, (_, n) => post(`account/${key}/deposit`, `${key}-deposit-${n}`, { amount: 1 }));

/** What is asked before and after: state, ranges in both directions, and repetitions of what was answered. */
const questions = KEYS.flatMap((key): Question[] => [
  ...deposits(key),
  { path: `account/${key}/balance` },
  { path: `values/${key}/padding` },
  { path: `values/${key}/range?input=${encodeURIComponent('{"of":"byName"}')}` },
  { path: `values/${key}/range?input=${encodeURIComponent('{"of":"byNumber","reverse":true,"limit":5}')}` },
]);

async function fill(place: ServerPlace): Promise<void> {
  const done = async (question: Question) => expect((await ask(place, question))?.status).toBe(200);
  for (const key of KEYS) for (const question of deposits(key)) await done(question);
  for (let round = 0; round < PADS; round++) {
    for (const [n, key] of KEYS.entries()) {
      const entries = Array.from({ length: ENTRIES }, (_, at) => [at % 2 ? at : `n${at}`, `${key} ${round}`]);
      if (round === 0) await done(post(`values/${key}/put`, `${key}-put`, entries));
      const chars = round < PADS - 1 ? 90_000 : 20_000;
      await done(post(`values/${key}/pad`, `${key}-pad-${round}`, { chars: chars + n + round, fill: "x" }));
    }
  }
  // Folds and merges that are due.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}

/** Everything in the file itself, and nothing in it that is free. */
async function settle(place: ServerPlace): Promise<string[]> {
  const files = await databasesIn(place.persist);
  for (const file of files) {
    const database = new DatabaseSync(file);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM;");
    database.close();
  }
  return files;
}

/** Where some byte of some block lies in a file; undefined where there are no blocks, or the bytes go over the end of a page. */
function placeInBlock(file: string, bytes: Buffer, random: Random): number | undefined {
  const database = new DatabaseSync(file, { readOnly: true });
  const blocks = database.prepare("SELECT bytes FROM blocks").all() as Array<{ bytes: Uint8Array }>;
  database.close();
  if (blocks.length === 0) return undefined;
  const block = random.pick(blocks).bytes;
  const from = random.int(Math.max(1, block.length - WINDOW));
  const at = bytes.indexOf(block.subarray(from, from + WINDOW));
  return at < 0 ? undefined : at + random.int(WINDOW);
}

/** Bytes of a block that are looked for in a file: so many are there once. */
const WINDOW = 24;

test(`${FLIPS} changed bytes are reported, or harmless`, async () => {
  const seed = Number(process.env["TIDEGATE_SEED"] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed} (repeat its choices with TIDEGATE_SEED=${seed})`);
  const random = createRandom(seed);
  const place = { bundlePath: join(folder, "bundle.json"), persist: join(folder, "data"), port: await freePort() };
  await storeBundle(await bundle(config), place.bundlePath);
  server = await ServerProcess.start(place);
  await fill(place);
  const expected = await Promise.all(questions.map((question) => ask(place, question)));
  await server.kill();
  const folded = await foldedIn(place.persist);
  console.log(`folded: ${folded.join()}`);
  expect(folded.filter((records) => records > 0).length).toBeGreaterThan(folded.length / 2);
  const files = await settle(place);
  const kept = join(folder, "kept");
  await cp(place.persist, kept, { recursive: true });

  let [harmless, reported, failed] = [0, 0, 0];
  const wrong: string[] = [];
  for (let flip = 0; flip <= FLIPS; flip++) {
    await rm(place.persist, { recursive: true });
    await cp(kept, place.persist, { recursive: true });
    const file = random.pick(files);
    const bytes = await readFile(file);
    // The first is a control; of the others every second one lies within a block: there is more of records.
    const at = (flip % 2 === 1 ? placeInBlock(file, bytes, random) : undefined) ?? random.int(bytes.length);
    const bit = random.int(8);
    if (flip > 0) bytes[at] = (bytes[at] as number) ^ (1 << bit);
    await writeFile(file, bytes);
    server = await ServerProcess.start(place);
    const found = await Promise.all(questions.map((question) => ask(place, question)));
    await server.kill();
    let failures = 0;
    for (const [n, answer] of found.entries()) {
      if (answer?.status === expected[n]?.status && answer?.body === expected[n]?.body) continue;
      failures += 1;
      if (answer === null || answer.status >= 500) continue;
      const { path } = questions[n] as Question;
      wrong.push(`byte ${at} bit ${bit} of ${bytes.length}: ${path} ${answer.status} ${answer.body.slice(0, 200)}`);
    }
    if (flip === 0) expect(failures).toBe(0);
    else if (failures === 0) harmless += 1;
    else reported += 1;
    failed += failures;
  }
  console.log(
    `${FLIPS} flips: ${harmless} harmless, ${reported} reported by ${failed} of ${questions.length * FLIPS} answers`,
  );
  expect(wrong).toEqual([]);
  // Otherwise nothing was tried.
  expect(reported).toBeGreaterThan(0);
}, 600_000);
