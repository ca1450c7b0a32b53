/** Messages that fail: tried again a bounded number of times, then kept as dead letters, which can be read, sent again and deleted. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { createRandom } from "../../sim/random.ts";
import { attempts, deadly, poisonous } from "../app/src/mail.ts";
import {
  type Answer,
  ask,
  call,
  freshKey,
  freshKeyNear,
  inside,
  leftovers,
  problemOf,
  send,
  statusOf,
} from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

const PATIENCE_MS = 20_000;
const REPOST_MS = 40;
const limits = useLimits({ repostMs: REPOST_MS, repostMaxMs: 80, tickMs: 20, alarmMs: 500 });

afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Letter {
  readonly id: string;
  readonly message: string;
  readonly from: { readonly service: string; readonly key: string } | null;
  readonly key: string;
  readonly function: string;
  readonly input?: unknown;
  readonly inputLength?: number;
  readonly attempts: ReadonlyArray<{ readonly status: number; readonly type: string; readonly error: string }>;
}
interface Page {
  readonly letters: readonly Letter[];
  readonly next?: string;
}

async function json(path: string, method = "GET", idempotencyKey?: string): Promise<Answer> {
  const headers: Record<string, string> =
    idempotencyKey === undefined ? {} : { "idempotency-key": `"${idempotencyKey}"` };
  const response = await send(path, { method, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
}

async function page(query = ""): Promise<Page> {
  const { status, body } = await json(`/v1/dead-letters/mail${query}`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body as Page;
}

async function lettersTo(key: string): Promise<readonly Letter[]> {
  return (await page("?limit=1000")).letters.filter((letter) => letter.key === key);
}

async function untilDead(key: string, count: number): Promise<readonly Letter[]> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const letters = await lettersTo(key).catch(() => []);
    if (letters.length >= count) return letters;
    if (Date.now() > end) throw new Error(`${letters.length} of ${count} dead letters`);
    await sleep(10);
  }
}

async function delivered(...keys: string[]): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const sizes = await Promise.all(
      keys.map((key) =>
        statusOf(key).then(
          ({ outbox }) => outbox,
          () => 1,
        ),
      ),
    );
    if (sizes.every((size) => size === 0)) return;
    if (Date.now() > end) throw new Error("messages are not delivered");
    await sleep(5);
  }
}

async function until<T>(what: () => Promise<T>, enough: (value: T) => boolean): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await what().catch(() => undefined);
    if (value !== undefined && enough(value)) return value;
    if (Date.now() > end) throw new Error("it never comes to that");
    await sleep(10);
  }
}

const bounces = async (key: string): Promise<number> => (await ask(["mail", key], "bounces")).body as number;
const redrive = (id: string, key?: string) => json(`/v1/dead-letters/${id}/redrive`, "POST", key);
const remove = (id: string, key?: string) => json(`/v1/dead-letters/${id}`, "DELETE", key);

describe("a message that fails", () => {
  test("is tried as often as its service says, then given up, and those behind it go on", async () => {
    const [a, b] = keysApart(2) as [string, string];
    const bad = `bad-${a}`;
    poisonous.add(bad);
    const names = [`one-${a}`, bad, `two-${a}`];
    await call(["mail", a], "sendPoison", { to: b, names });
    const [letter] = await untilDead(b, 1);
    await delivered(a);
    expect(await bounces(b)).toBe(2);
    expect(names.map((name) => attempts.get(name))).toEqual([1, 4, 1]);
    expect(letter).toMatchObject({
      message: expect.stringMatching(/^m[0-9a-f]{31}$/),
      from: { service: "mail", key: a },
      service: "mail",
      key: b,
      function: "poison",
      input: { name: bad },
    });
    expect(letter?.attempts.map(({ status, type, error }) => [status, type, error])).toEqual(
      Array.from({ length: 4 }, () => [500, "internal-error", `TypeError: ${bad} is poisonous`]),
    );
    expect(JSON.stringify(letter)).not.toContain("src/mail");
  });

  test("remembers what has failed when memory is lost", async () => {
    const [a, b] = keysApart(2) as [string, string];
    const bad = `bad-${a}`;
    poisonous.add(bad);
    limits.repostMs = 300;
    limits.repostMaxMs = 300;
    await call(["mail", a], "sendPoison", { to: b, names: [bad] });
    await until(
      async () => attempts.get(bad) ?? 0,
      (count) => count >= 2,
    );
    await fold(a);
    await abortAllDurableObjects();
    const [letter] = await untilDead(b, 1);
    // One that was under way when it was lost is not counted.
    expect(attempts.get(bad)).toBeGreaterThanOrEqual(4);
    expect(attempts.get(bad)).toBeLessThanOrEqual(6);
    expect(letter?.attempts).toHaveLength(4);
  });

  test.each(["another partition", "its sender's partition"])(
    "and ends whoever runs it, at %s, is given up like any, and those behind it and beside it go on",
    async (where) => {
      const [a, b] = keysApart(2) as [string, string];
      const to = where === "another partition" ? b : freshKeyNear(a, true);
      const bad = `deadly-${to}`;
      deadly.add(bad);
      Object.assign(limits, { suspectPauseMs: 60, suspectSpreadMs: 200 });
      await call(["mail", a], "sendPoison", { to, names: [bad, `one-${to}`] });
      await call(["mail", freshKeyNear(a, true)], "sendPoison", { to, names: [`two-${to}`] });
      let killed = 0;
      const [letter] = await until(
        async () => {
          const runs = attempts.get(bad) ?? 0;
          if (runs > killed) await abortOne(to);
          killed = Math.max(killed, runs);
          return lettersTo(to);
        },
        (letters) => letters.length > 0,
      );
      await delivered(a, to);
      expect(letter?.attempts.map(({ type }) => type)).toEqual(Array.from({ length: 4 }, () => "interrupted"));
      // Those that it had outlived before it was suspected are not counted.
      expect(attempts.get(bad)).toBeLessThanOrEqual(4 + LIMITS.suspectRestarts + 1);
      expect(
        await until(
          () => bounces(to),
          (count) => count >= 2,
        ),
      ).toBe(2);
    },
  );

  test("for its input is given up at once; one that is refused is answered, and no dead letter", async () => {
    const key = freshKey();
    await call(["mail", key], "receive/send", { from: 1 });
    await call(["mail", key], "decline/send");
    const [letter] = await untilDead(key, 1);
    await delivered(key);
    expect(await lettersTo(key)).toHaveLength(1);
    expect(letter).toMatchObject({ from: null, function: "receive", input: { from: 1 } });
    expect(letter?.attempts.map(({ status, type }) => [status, type])).toEqual([[422, "invalid-input"]]);
  });

  test("with an input that is too long for a page is listed with the length of that", async () => {
    const key = freshKey();
    const [name] = [`long-${"x".repeat(LIMITS.maxDeadInputUnits)}`];
    poisonous.add(name);
    await call(["mail", key], "poison/send", { name });
    const [letter] = await untilDead(key, 1);
    expect(letter?.input).toBeUndefined();
    expect(letter?.inputLength).toBe(JSON.stringify({ name }).length);
    poisonous.delete(name);
    await redrive(letter?.id ?? "");
    await until(
      () => bounces(key),
      (count) => count === 1,
    );
  });
});

describe("/v1/dead-letters", () => {
  async function deadTo(key: string, count: number): Promise<readonly Letter[]> {
    for (let n = 0; n < count; n++) {
      poisonous.add(`${key}-${n}`);
      await call(["mail", key], "poison/send", { name: `${key}-${n}` });
    }
    return untilDead(key, count);
  }

  test("sends one again, once for each Idempotency-Key, and it is gone from the list", async () => {
    const key = freshKey();
    const [letter, other] = await deadTo(key, 2);
    poisonous.delete((letter as { input: { name: string } }).input.name);
    const id = letter?.id ?? "";
    const first = await redrive(id, "one");
    expect([first.status, first.body]).toEqual([200, { redriven: true }]);
    await abortAllDurableObjects();
    const again = await redrive(id, "one");
    expect([again.status, again.body, again.headers.get("idempotency-replayed")]).toEqual([200, first.body, "true"]);
    const gone = await redrive(id);
    expect([gone.status, problemOf(gone)]).toEqual([404, "unknown-message"]);
    await until(
      () => bounces(key),
      (count) => count > 0,
    );
    await delivered(key);
    expect(await bounces(key)).toBe(1);
    expect((await lettersTo(key)).map((each) => each.id)).toEqual([other?.id]);
  });

  test("that fails again is a dead letter again", async () => {
    const key = freshKey();
    const [letter] = await deadTo(key, 1);
    await redrive(letter?.id ?? "");
    const again = await until(
      () => lettersTo(key),
      (letters) => letters.length === 1 && letters[0]?.id !== letter?.id,
    );
    expect(again[0]).toMatchObject({ from: null, key, input: letter?.input });
    expect(await bounces(key)).toBe(0);
  });

  test("deletes one", async () => {
    const key = freshKey();
    const [letter, other] = await deadTo(key, 2);
    const answer = await remove(letter?.id ?? "");
    expect([answer.status, answer.body]).toEqual([200, { deleted: true }]);
    expect((await remove(letter?.id ?? "")).status).toBe(404);
    expect((await lettersTo(key)).map((each) => each.id)).toEqual([other?.id]);
  });

  test("lists page by page, oldest first", async () => {
    const all = (await page("?limit=1000")).letters;
    expect(all.length).toBeGreaterThan(3);
    const ids: string[] = [];
    let cursor = "";
    for (let n = 0; n < all.length; n += 2) {
      const part = await page(`?limit=2${cursor}`);
      ids.push(...part.letters.map(({ id }) => id));
      cursor = part.next === undefined ? "" : `&cursor=${part.next}`;
    }
    expect(ids).toEqual(all.map(({ id }) => id));
    expect(ids).toEqual(ids.toSorted());
  });

  test.each([
    ["GET", "/v1/dead-letters/nobody", 404, "unknown-service"],
    ["GET", "/v1/dead-letters/%23dead", 404, "unknown-service"],
    ["GET", "/v1/dead-letters/mail?limit=0", 400, "invalid-parameter"],
    ["GET", "/v1/dead-letters/mail?cursor=x", 400, "invalid-parameter"],
    ["DELETE", "/v1/dead-letters/mail", 404, "unknown-message"],
    ["POST", "/v1/dead-letters/x/redrive", 404, "unknown-message"],
    ["POST", "/v1/dead-letters/mail", 405, "method-not-allowed"],
  ])("answers %s %s with %d %s", async (method, path, status, type) => {
    const answer = await json(path, method);
    expect([answer.status, problemOf(answer)]).toEqual([status, type]);
  });

  test("above its bound keeps those that come with their senders, and loses none", async () => {
    const key = freshKey();
    const known = (await page("?limit=1000")).letters;
    limits.maxDeadLetters = known.length + 1;
    for (const n of [0, 1]) {
      poisonous.add(`${key}-${n}`);
      await call(["mail", key], "poison/send", { name: `${key}-${n}` });
    }
    await untilDead(key, 1);
    await sleep(300);
    const [letter] = await lettersTo(key);
    expect(await lettersTo(key)).toHaveLength(1);
    expect((await statusOf(key)).outbox).toBe(1);
    await remove(letter?.id ?? "");
    await until(
      () => lettersTo(key),
      (letters) => letters.length === 1 && letters[0]?.id !== letter?.id,
    );
    await delivered(key);
  });

  test("under lost memory nothing is lost or doubled, whether it dies, is sent again, or goes through", async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    const random = createRandom(seed);
    const [a, b] = keysApart(2) as [string, string];
    const names = Array.from({ length: 24 }, (_, n) => `storm-${a}-${n}`);
    for (const name of names) if (random.oneIn(2)) poisonous.add(name);
    for (let n = 0; n < names.length; n += 4)
      await until(
        () =>
          call(
            ["mail", n % 8 === 0 ? a : freshKeyNear(a, true)],
            "sendPoison",
            { to: b, names: names.slice(n, n + 4) },
            `${a}-${n}`,
          ),
        ({ status }) => status === 200,
      );
    const bad = names.filter((name) => poisonous.has(name));
    let stopping = false;
    const breaking = (async () => {
      while (!stopping) {
        await sleep(60 + random.int(120));
        if (random.oneIn(3)) await abortAllDurableObjects();
        else
          await inside(random.pick([a, b]), (state) => void setTimeout(() => state.abort("Instance dispose"), 5)).catch(
            () => null,
          );
      }
    })();
    await sleep(1_500);
    for (const name of bad) poisonous.delete(name);
    // What is dead by now is sent again, each under one name however often it is asked for.
    const dead = await until(
      () => lettersTo(b),
      () => true,
    );
    for (const { id } of dead)
      await until(
        () => redrive(id, id),
        ({ status }) => status === 200,
      );
    stopping = true;
    await breaking;
    await until(
      async () => (await bounces(b)) + (await lettersTo(b)).length,
      (count) => count >= names.length,
    );
    for (const { id } of await lettersTo(b))
      await until(
        () => redrive(id, id),
        ({ status }) => status === 200,
      );
    await until(
      () => bounces(b),
      (count) => count >= names.length,
    );
    await delivered(a, b);
    expect(await bounces(b)).toBe(names.length);
    expect(await lettersTo(b)).toEqual([]);
  });
});
