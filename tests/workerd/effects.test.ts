/** Effects: they leave with the commit of their transaction, always under the same key, and what becomes of each is told once. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { crawling, deadly, running, world } from "../app/src/outside.ts";
import { ask, call, freshKey, leftovers, problemOf } from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne, PATIENCE_MS, settled, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

const ROUNDS = 25;
const SMALL = { repostMs: 100, tickMs: 20, alarmMs: 500, maxEffectsRunning: 4 };
const limits = useLimits(SMALL);

afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function talesOf(key: string): Promise<readonly string[]> {
  return (await ask(["outside", key], "tales")).body as readonly string[];
}

/** Deeds under a fresh name, which is the key of who asks for them. */
async function act(input: object = {}): Promise<string> {
  const name = freshKey();
  expect((await call(["outside", name], "ask", { name, ...input })).status).toBe(200);
  await settled();
  return name;
}

describe("ctx.effect", () => {
  test("runs after the commit, with the bindings of the Worker, and its result is told", async () => {
    const name = await act();
    expect(world.get(name)).toMatchObject([{ attempt: 1, env: true }]);
    expect(await talesOf(name)).toEqual([`${name}: ${name} 1`]);
  });

  test("of a transaction that fails never runs", async () => {
    const name = freshKey();
    expect((await call(["outside", name], "ask", { name, end: "throw" })).status).toBe(500);
    expect((await call(["outside", name], "ask", { name, end: "refuse" })).status).toBe(409);
    await settled();
    expect(world.get(name)).toBeUndefined();
  });

  test("of a called key leaves with the whole transaction only, and not from a failed try", async () => {
    const [root, by] = keysApart(2);
    for (const [tried, end, deeds] of [
      [false, "throw", 0],
      [true, "throw", 0],
      [true, "return", 1],
      [false, "return", 1],
    ] as const) {
      const name = freshKey();
      const answer = await call(["outside", root], "relay", { name, by, tried, end });
      expect(answer.status).toBe(end === "throw" && !tried ? 500 : 200);
      await settled();
      expect(world.get(name)?.length ?? 0).toBe(deeds);
    }
  });

  test("is tried again under the same key until it succeeds", async () => {
    const name = await act({ failures: 2 });
    const deeds = world.get(name) ?? [];
    expect(deeds.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(deeds.map(({ key, at }) => `${key} ${at}`)).size).toBe(1);
    expect(await talesOf(name)).toEqual([`${name}: ${name} 3`]);
  });

  test("fails for good after its attempts, or at once where its handler says so", async () => {
    const often = await act({ failures: 9 });
    expect(world.get(often)?.length).toBe(4);
    expect(await talesOf(often)).toEqual([`${often}: effect-failed: failure 4`]);
    const once = await act({ how: "final" });
    expect(world.get(once)?.length).toBe(1);
    expect(await talesOf(once)).toEqual([`${once}: effect-failed: never again`]);
  });

  test("that does not answer is given up after its time, each time", async () => {
    const name = await act({ how: "hang" });
    expect(world.get(name)?.length).toBe(4);
    expect(await talesOf(name)).toEqual([`${name}: timeout: the attempt took longer than 1000 ms`]);
  });

  test.each([
    ["odd", "invalid-output"],
    ["large", "transaction-too-large"],
  ])("whose result cannot be told (%s) has failed", async (how, type) => {
    const name = await act({ how });
    const [tale] = await talesOf(name);
    expect(tale).toContain(`${name}: ${type}: `);
    expect(world.get(name)?.length).toBe(1);
  });

  test("tells values that JSON does not have, another key, and nothing", async () => {
    const to = freshKey();
    const name = await act({ how: "rich", to });
    expect(await talesOf(to)).toEqual([`${name}: ${name} 1 7`]);
    const key = freshKey();
    await call(["outside", key], "askNothing");
    await settled();
    expect(await talesOf(key)).toEqual(["nothing true"]);
  });

  test("runs so many at a time, and one that is slow holds up nobody's requests", async () => {
    const name = freshKey();
    running.most = 0;
    await call(["outside", name], "askMany", { name, count: 12, ms: 30 });
    expect((await ask(["outside", name], "tales")).status).toBe(200);
    await settled();
    expect((await talesOf(name)).length).toBe(12);
    expect(running.most).toBe(4);
  });

  test("of one name takes its part of the places, and others run beside it", async () => {
    Object.assign(limits, { maxEffectsOfName: 2 });
    const key = freshKey();
    crawling.mayEnd = false;
    await call(["outside", key], "askSlow", { count: 6 });
    expect((await call(["outside", key], "ask", { name: key })).status).toBe(200);
    const end = Date.now() + PATIENCE_MS;
    while ((await talesOf(key)).length === 0 && Date.now() < end) await sleep(5);
    expect([(await talesOf(key)).length, crawling.now]).toEqual([1, 2]);
    crawling.mayEnd = true;
    await settled();
  });

  test("whose places are all taken refuses more of its name, and neither messages nor other effects", async () => {
    Object.assign(limits, { maxEffectsOfName: 1, maxEffectsWaiting: 3 });
    const [key, to] = keysApart(2) as [string, string];
    crawling.mayEnd = false;
    expect((await call(["outside", key], "askSlow", { count: 3 })).status).toBe(200);
    const refused = await call(["outside", key], "askSlow", { count: 1 });
    expect([refused.status, problemOf(refused)]).toEqual([503, "overloaded"]);
    expect((await call(["outside", key], "ask", { name: key, to })).status).toBe(200);
    const end = Date.now() + PATIENCE_MS;
    while ((await talesOf(to)).length === 0 && Date.now() < end) await sleep(5);
    expect(await talesOf(to)).toHaveLength(1);
    crawling.mayEnd = true;
    await settled();
  });

  test.each([
    ["unknown", 500, "misconfigured"],
    ["input", 422, "invalid-input"],
    ["query", 405, "method-not-allowed"],
  ])("that cannot be (%s) fails the transaction, though that is caught", async (what, status, problem) => {
    const answer = await call(["outside", freshKey()], "askWrong", { what });
    expect([answer.status, problemOf(answer)]).toEqual([status, problem]);
  });

  test("is not there for a query", async () => {
    expect((await ask(["outside", freshKey()], "askInQuery")).body).toBe("a query cannot ask for effects");
  });
});

describe("through hard aborts", () => {
  test(
    "each effect happens at least once under one key, and its outcome is told exactly once",
    { timeout: 120_000 },
    async () => {
      const random = createRandom(11);
      const names: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const [name, to] = keysApart(2) as [string, string];
        names.push(name);
        const input = { name, to, failures: random.int(3), ms: random.int(30) };
        const asked = untilAnswered(() => call(["outside", name], "ask", input, `ask-${name}`));
        // Between any two steps: before the commit, while it runs, before its outcome is kept, before that is delivered.
        for (let n = random.int(4); n > 0; n--) {
          await sleep(random.int(25));
          await abortOne(random.int(2) === 0 ? name : to);
        }
        await asked;
        if (random.int(4) === 0) await fold(name);
        if (round % 8 === 7) await abortAllDurableObjects();
        await settled();
        expect(await talesOf(to), `round ${round}`).toHaveLength(1);
      }
      for (const name of names) {
        const deeds = world.get(name) ?? [];
        expect(deeds.length).toBeGreaterThan(0);
        expect(new Set(deeds.map(({ key, at }) => `${key} ${at}`)).size).toBe(1);
      }
      expect(new Set(names.map((name) => world.get(name)?.[0]?.key)).size).toBe(names.length);
    },
  );

  test("an effect that takes its partition along in every attempt fails for good, and that is told", async () => {
    const name = freshKey();
    deadly.kill = (key) => abortOne(key);
    await untilAnswered(() => call(["outside", name], "ask", { name, how: "deadly" }, `ask-${name}`));
    const end = Date.now() + PATIENCE_MS;
    while ((await talesOf(name).catch(() => [])).length === 0 && Date.now() < end) await sleep(20);
    expect(await talesOf(name)).toEqual([`${name}: interrupted: whoever began the attempt was lost before it ended`]);
    // Of four that are declared the first may have been begun without being written down.
    expect(world.get(name)?.length).toBeGreaterThanOrEqual(4);
    expect(world.get(name)?.length).toBeLessThanOrEqual(5);
    await settled();
  });

  test("attempts that have failed are not counted anew", async () => {
    const name = freshKey();
    await call(["outside", name], "ask", { name, failures: 99 });
    const end = Date.now() + PATIENCE_MS;
    while ((world.get(name)?.length ?? 0) < 2 && Date.now() < end) await sleep(1);
    await sleep(30);
    await abortOne(name);
    await settled();
    expect((await talesOf(name)).length).toBe(1);
    // At most one attempt, whose end was lost, has its number twice.
    expect(world.get(name)?.length).toBeLessThanOrEqual(5);
    expect(world.get(name)?.at(-1)?.attempt).toBe(4);
  });
});
