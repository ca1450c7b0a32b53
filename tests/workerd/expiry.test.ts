/** State with a time to live: there until the very moment, not seen from then on, and deleted later whatever breaks. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import { TTL_MS } from "../app/src/shortlived.ts";
import { admin, ask, call, freshKey, freshKeyNear, inside, leftovers, partitionOf, stub } from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

useLimits({ tickMs: 20, alarmMs: 500, expiryPauseMs: 100, expiryRowsPerTurn: 8 });
afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const PATIENCE_MS = 15_000;

interface Shown {
  readonly n: number;
  readonly entries: readonly string[];
}
const look = async (service: string, key: string) => (await ask([service, key], "look")).body as Shown;
const GONE = { n: 0, entries: [] };

/** Rows that a backup has of a key: what is really there. */
async function rowsOf(service: string, key: string): Promise<number> {
  const backup = await admin("/admin/backup", { method: "POST" });
  const text = new TextDecoder("latin1").decode(await backup.arrayBuffer());
  return text.split(`${service}\u0001${key}\u0001`).length - 1;
}

async function untilGone(service: string, key: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while ((await rowsOf(service, key)) > 0) {
    if (Date.now() > end) throw new Error("what has expired is not deleted");
    await sleep(50);
  }
}

describe.each(["written", "used"])("state that lives after it was %s", (service) => {
  test("is seen until its time, and not from then on", async () => {
    const key = freshKey();
    const before = Date.now();
    await call([service, key], "add");
    await call([service, key], "put", "a");
    const after = Date.now();
    let seen: Shown | undefined;
    for (;;) {
      const asked = Date.now();
      const there =
        service === "written"
          ? await look(service, key)
          : ((await ask([service, key], "look", undefined, "consistency=snapshot")).body as Shown);
      const answered = Date.now();
      if (answered < before + TTL_MS) expect(there).toEqual({ n: 1, entries: ["a"] });
      if (asked > after + TTL_MS) {
        seen = there;
        break;
      }
      await sleep(10);
    }
    expect(seen).toEqual(GONE);
    // What comes next begins anew, also where nothing was deleted yet.
    expect((await call([service, key], "add")).body).toBe(1);
    expect(await look(service, key)).toEqual({ n: 1, entries: [] });
  });

  test("is renewed by a write", async () => {
    const key = freshKey();
    for (let n = 1; n <= 5; n++) {
      expect((await call([service, key], n % 2 === 0 ? "addAt" : "add", n % 2 === 0 ? key : undefined)).body).toBe(n);
      await sleep(TTL_MS / 2);
    }
    await call([service, key], "put", "a");
    await sleep(TTL_MS / 2);
    await call([service, key], "drop", "a");
    await sleep(TTL_MS / 2 + 20);
    expect((await look(service, key)).n).toBe(5);
  });

  test("is deleted in the background, all of it and only it", async () => {
    const key = freshKey();
    const near = freshKeyNear(key, true);
    await call(["values", near], "pad", { chars: 10, fill: "x" });
    for (let n = 0; n < 30; n++) await call([service, key], "put", `item-${n}`);
    const others = Array.from({ length: 20 }, () => freshKeyNear(key, true));
    for (const other of others) await call([service, other], "add");
    await fold(key);
    const kept = freshKeyNear(key, true);
    expect(await rowsOf(service, key)).toBeGreaterThan(30);
    await call([service, kept], "clear");
    await call([service, kept], "add");
    // What is written often enough stays, whatever goes around it.
    const renewing = (async () => {
      let [n, began] = [1, Date.now()];
      for (let round = 0; round < 20; round++) {
        await sleep(TTL_MS / 8);
        const starts = Date.now();
        const { body } = await call([service, kept], "add");
        if (Date.now() < began + TTL_MS) expect(body).toBe(n + 1);
        [n, began] = [body as number, starts];
      }
    })();
    await untilGone(service, key);
    for (const other of others) await untilGone(service, other);
    await renewing;
  });

  test("is deleted by an instance that nobody has asked for anything", async () => {
    const key = freshKey();
    await call([service, key], "add");
    await abortAllDurableObjects();
    await sleep(TTL_MS + 2_000);
    // The alarm has started it: it is there, and has deleted what it found.
    const rows = await inside(key, ({ storage }) =>
      Number(storage.sql.exec("SELECT count(*) FROM records").one()["count(*)"]),
    );
    expect(rows).toBeGreaterThan(1);
    expect(await rowsOf(service, key)).toBe(0);
  });

  test("is not seen in an export, nor where people look, and costs nothing once it is gone", async () => {
    const key = freshKey();
    await call([service, key], "add");
    await call([service, key], "put", "a");
    const exported = async () => {
      const text = await (await admin(`/admin/export?service=${service}`)).text();
      expect(text).not.toContain("#ttl");
      return text.split("\n").filter((line) => line.includes(`"${key}"`)).length;
    };
    // The key and its value, or neither.
    const browsed = async () => {
      const keys = await (await admin(`/admin/keys?service=${service}&limit=1000`)).text();
      const state = (await (await admin(`/admin/state?service=${service}&key=${key}`)).json()) as object;
      return [keys.includes(`"${key}"`), "value" in state];
    };
    expect([await exported(), await browsed()]).toEqual([2, [true, true]]);
    await sleep(TTL_MS + 5);
    expect([await exported(), await browsed()]).toEqual([0, [false, false]]);
    await untilGone(service, key);
    const before = (await stub(partitionOf(key)).status()).seq;
    await sleep(300);
    expect((await stub(partitionOf(key)).status()).seq - before).toBeLessThanOrEqual(1);
  });

  test("stays exact under hard aborts", { timeout: 60_000 }, async () => {
    const keys = keysApart(3);
    for (let round = 0; round < 6; round++) {
      for (const key of keys) {
        while ((await call([service, key], "clear").catch(() => ({ status: 503 }))).status !== 200) await sleep(5);
        const first = Date.now();
        for (let n = 1; n <= 3; n++) {
          const answer = await call([service, key], "add", undefined, `${key} ${round} ${n}`).catch(() => null);
          if (n === 2) await abortOne(key);
          if (answer?.status === 200 && Date.now() < first + TTL_MS) expect(answer.body).toBe(n);
        }
      }
      await sleep(TTL_MS);
      for (const key of keys) {
        const answer = await ask([service, key], "look").catch(() => null);
        if (answer?.status === 200) expect(answer.body).toEqual(GONE);
      }
    }
    for (const key of keys) await untilGone(service, key);
  });
});

describe("a use", () => {
  test(
    "is a query, also one that is called, but neither a snapshot nor what looks at nothing",
    { retry: 2 },
    async () => {
      const [root, key] = keysApart(2) as [string, string];
      const uses: ReadonlyArray<() => Promise<unknown>> = [
        () => look("used", key),
        () => ask(["used", root], "lookAt", key),
        () => look("used", key),
      ];
      await call(["used", key], "add");
      for (const use of uses) {
        await sleep(TTL_MS * 0.6);
        await use();
      }
      expect((await look("used", key)).n).toBe(1);
      await sleep(TTL_MS * 0.6);
      await ask(["used", key], "nothing");
      await ask(["used", key], "look", undefined, "consistency=snapshot");
      await sleep(TTL_MS * 0.6);
      expect(await look("used", key)).toEqual(GONE);
    },
  );

  test("does not renew what lives after a write, and makes nothing of nothing", async () => {
    const key = freshKey();
    await call(["written", key], "add");
    await sleep(TTL_MS * 0.6);
    await look("written", key);
    await sleep(TTL_MS * 0.6);
    expect(await look("written", key)).toEqual(GONE);
    const nobody = freshKey();
    await look("used", nobody);
    expect(await rowsOf("used", nobody)).toBe(0);
  });
});
