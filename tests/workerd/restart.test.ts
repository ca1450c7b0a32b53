/** Memory is lost, between calls and during them, gently and hard: nothing acknowledged is lost or doubled. */
import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { ask, batch, call, freshKey, freshKeyNear, leftovers, partitionOf, statusOf, stub } from "./support/app.ts";
import { fold, foldedOf } from "./support/fold.ts";

const PAGE = 1_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** All of them, in pages well below the size of a result. */
async function entriesOf(service: string, key: string): Promise<Array<[number, string]>> {
  const all: Array<[number, string]> = [];
  for (;;) {
    const { body } = await ask([service, key], "entries", { from: (all.at(-1)?.[0] ?? 0) + 1, limit: PAGE });
    all.push(...(body as Array<[number, string]>));
    if ((body as unknown[]).length < PAGE) return all;
  }
}

/** Lets timers fire: within one isolate calls alone never leave the event loop, and everybody's timers would starve. */
function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

describe("between calls", () => {
  test("an evicted partition has everything that it answered", async () => {
    const key = freshKey();
    // Few: an eviction waits for the object's pending timers, up to five seconds.
    for (let n = 1; n <= 2; n++) {
      expect((await call(["ledger", key], "append", { id: `e${n}` })).body).toBe(n);
      await evictDurableObject(stub(partitionOf(key)));
    }
    expect((await entriesOf("mirror", key)).map(([, id]) => id)).toEqual(["e1", "e2"]);
  });

  test("an aborted partition has everything that it answered", async () => {
    const key = freshKey();
    for (let n = 1; n <= 5; n++) {
      expect((await call(["ledger", key], "append", { id: `e${n}` })).body).toBe(n);
      await abortAllDurableObjects();
    }
    expect((await ask(["ledger", key], "both")).body).toEqual({ ledger: 5, mirror: 5 });
  });

  test("each start is a new incarnation, which answers show", async () => {
    const key = freshKey();
    const incarnation = async () =>
      (await ask(["account", key], "balance")).headers.get("tidegate-epoch")?.split(".")[0];
    const before = Number(await incarnation());
    await abortAllDurableObjects();
    expect(Number(await incarnation())).toBe(before + 1);
  });
});

describe("under load", () => {
  test("hard aborts at any moment: every answered append is there once, at the position that was told", async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    const random = createRandom(seed);
    const keys = Array.from({ length: 6 }, freshKey);
    const told: Array<{ key: string; id: string; position: number }> = [];
    let stopping = false;

    /** Repeats until it is answered, as a client does. */
    async function client(name: string): Promise<void> {
      for (let n = 0; !stopping; n++) {
        await tick();
        const key = random.pick(keys);
        const id = `${name}.${n}`;
        for (;;) {
          const answer = await call(["ledger", key], "append", { id }, id).catch(() => null);
          if (answer?.status === 200) {
            told.push({ key, id, position: answer.body as number });
            break;
          }
          await sleep(1);
        }
      }
    }

    async function batchClient(name: string): Promise<void> {
      for (let n = 0; !stopping; n++) {
        await tick();
        const lines = Array.from({ length: 40 }, (_, line) => {
          const id = `${name}.${n}.${line}.${"x".repeat(300)}`;
          return { service: "ledger", key: random.pick(keys), function: "append", id, input: { id } };
        });
        for (;;) {
          const results = await batch(lines, { idempotencyKey: `${name}.${n}` }).catch(() => []);
          if (results.length === lines.length && results.every(({ status }) => status === 200)) {
            for (const { line, result } of results) {
              const { key, input } = lines[line - 1] as (typeof lines)[number];
              told.push({ key, id: input.id, position: result as number });
            }
            break;
          }
          await sleep(1);
        }
      }
    }

    const clients = [client("a"), client("b"), client("c"), client("d"), batchClient("batch")];
    for (let abort = 0; abort < 25; abort++) {
      const before = told.length;
      await sleep(random.int(120));
      while (told.length === before) await sleep(5);
      await abortAllDurableObjects();
    }
    stopping = true;
    await Promise.all(clients);
    await abortAllDurableObjects();

    for (const key of keys) {
      const entries = await entriesOf("ledger", key);
      expect(await entriesOf("mirror", key)).toEqual(entries);
      const expected = told.filter((one) => one.key === key).sort((a, b) => a.position - b.position);
      expect(entries).toEqual(expected.map(({ id, position }) => [position, id]));
    }
    expect(told.length).toBeGreaterThan(200);
  });

  test("graceful evictions during calls lose nothing either", async () => {
    const key = freshKey();
    let stopping = false;
    let answered = 0;
    const client = async (name: string) => {
      for (let n = 0; !stopping; n++) {
        await tick();
        const id = `${name}.${n}`;
        while ((await call(["ledger", key], "append", { id }, id).catch(() => null))?.status !== 200) await sleep(1);
        answered += 1;
      }
    };
    const clients = [client("a"), client("b")];
    for (let n = 0; n < 2; n++) {
      await sleep(20);
      await evictDurableObject(stub(partitionOf(key)));
    }
    stopping = true;
    await Promise.all(clients);
    expect((await ask(["ledger", key], "both")).body).toEqual({ ledger: answered, mirror: answered });
  });
});

describe("state larger than memory", () => {
  test("is right after it was folded, pushed out of the cache and read back, in every order", async () => {
    const first = freshKey();
    const keys = [first, ...Array.from({ length: 39 }, () => freshKeyNear(first, true))];
    // 40 keys of 900,000 characters: more than the cache of 24 MiB holds.
    const fills = "abcdefghij";
    for (const [n, key] of keys.entries()) {
      expect((await call(["values", key], "pad", { chars: 900_000, fill: fills[n % 10] })).status).toBe(200);
      await sleep(2);
    }
    await fold(first);
    const { cachedBytes } = await statusOf(first);
    expect(cachedBytes).toBeLessThan(24 * 1024 * 1024);
    const check = async () => {
      for (const [n, key] of keys.entries()) {
        expect((await ask(["values", key], "padding")).body).toEqual({ chars: 900_000, first: fills[n % 10] });
      }
    };
    await check();
    await abortAllDurableObjects();
    await check();
  });
});

describe("folding", () => {
  test("survives aborts at any moment of it: entries that were cleared stay cleared, entries put again are there", async () => {
    const key = freshKey();
    const near = freshKeyNear(key, true);
    const expected = new Map<number, string>();
    for (let round = 0; round < 6; round++) {
      const fill = String.fromCharCode(97 + round);
      await call(["values", key], "flood", { entries: 600, chars: 100, fill });
      for (let n = 0; n < 600; n++) expected.set(n, fill);
      await call(["values", key], "put", [[round + 1_000, "kept"]]);
      expected.set(round + 1_000, "k");
      if (round % 2 === 1) {
        await call(["values", key], "clear");
        expected.clear();
        await call(["values", key], "put", [
          [round, fill],
          [2_000 + round, fill],
        ]);
        expected.set(round, fill).set(2_000 + round, fill);
      }
      await call(["values", key], "remove", [2, 3]);
      expected.delete(2);
      expected.delete(3);
      const before = await foldedOf(key);
      for (let n = 0; n < 6; n++) await call(["values", near], "pad", { chars: 900_000, fill: String(n) });
      // The fold takes several turns: the abort meets it at another place in each round.
      for (let turn = 0; turn < round; turn++) await sleep(1);
      await abortAllDurableObjects();
      const { body } = await ask(["values", key], "range", { of: "byNumber" });
      const found = (body as Array<[number, string]>).map(([n, text]) => [n, text[0]]);
      expect([round, found]).toEqual([round, [...expected].sort(([a], [b]) => a - b)]);
      expect(await foldedOf(key)).toBeGreaterThanOrEqual(before);
    }
    await fold(key);
    await abortAllDurableObjects();
    const { body } = await ask(["values", key], "range", { of: "byNumber" });
    expect((body as unknown[]).length).toBe(expected.size);
  });

  test("drops the records that it has folded, and their bytes", async () => {
    const key = freshKey();
    await fold(key);
    const status = await statusOf(key);
    expect(status.unfoldedBytes).toBeLessThan(8 * 1024 * 1024);
    expect(status.seq).toBeGreaterThan(0);
  });
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
