/** Delayed messages: delivered once, never early, whatever breaks; cancelled for certain or not at all. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import { createRandom } from "../../sim/random.ts";
import {
  type Answer,
  ask,
  call,
  freshKey,
  freshKeyNear,
  inside,
  leftovers,
  partitionOf,
  problemOf,
  send,
  stub,
} from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne, PATIENCE_MS, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

/** Long enough that nothing fires by itself meanwhile. */
const LONG = 3_600_000;
const limits = useLimits({ repostMs: 100, tickMs: 50, alarmMs: 500 });

afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Rung {
  readonly from: string;
  readonly n: number;
  readonly due: number;
  readonly at: number;
  readonly clock: number;
}

const later = async (key: string, input: object): Promise<readonly string[]> => {
  const answer = await call(["clock", key], "later", input);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as readonly string[];
};
const rungAt = async (key: string): Promise<readonly Rung[]> =>
  (await ask(["clock", key], "rung")).body as readonly Rung[];

async function untilRung(key: string, count: number): Promise<readonly Rung[]> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const rung = await rungAt(key).catch(() => []);
    if (rung.length >= count) return rung;
    if (Date.now() > end) throw new Error(`${rung.length} of ${count} have been delivered`);
    await sleep(5);
  }
}

/** Once each, none early. */
function expectRung(rung: readonly Rung[], numbers: readonly number[]): void {
  expect(rung.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(numbers);
  expect(rung.filter(({ due, at, clock }) => at < due || clock < due)).toEqual([]);
}

const cancel = async (key: string, ids: readonly string[]): Promise<readonly boolean[]> =>
  (await call(["clock", key], "cancel", { ids })).body as readonly boolean[];

async function del(id: string, idempotencyKey?: string): Promise<Answer> {
  const headers: Record<string, string> =
    idempotencyKey === undefined ? {} : { "idempotency-key": `"${idempotencyKey}"` };
  const response = await send(`/v1/messages/${id}`, { method: "DELETE", headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as unknown };
}

describe("ctx.send with a delay or a time", () => {
  test("reaches another partition, the same one, and the sender itself, at its time", async () => {
    const [a, b] = keysApart(2) as [string, string];
    const due = Date.now() + 150;
    for (const to of [b, freshKeyNear(a, true), a]) {
      await later(a, { to, delay: 150 });
      await later(a, { to, at: Date.now() + 150 });
    }
    const early = await rungAt(b);
    // A machine that is busy may come to it too late to see that.
    if (Date.now() < due) expect(early).toEqual([]);
    expectRung(await untilRung(b, 2), [1, 2]);
    expectRung(await untilRung(a, 2), [5, 6]);
  });

  test("of a time that is past leaves at once, as without any", async () => {
    const [a, b] = keysApart(2) as [string, string];
    await later(a, { to: b, at: 1_000 });
    await later(a, { to: b, delay: 0 });
    expect((await untilRung(b, 2)).map(({ n }) => n).toSorted()).toEqual([1, 2]);
  });

  test("of a transaction or a tried call that fails never leaves", async () => {
    const [a, by, to] = keysApart(3) as [string, string, string];
    expect((await call(["clock", a], "later", { to, delay: 10, then: "throw" })).status).toBe(500);
    for (const there of [by, freshKeyNear(a, true)]) {
      const relay = (tried: boolean, fails: boolean) =>
        call(["clock", a], "relay", { by: there, to, delay: 10, tried, fails });
      expect((await relay(false, true)).status).toBe(500);
      expect((await relay(true, true)).body).toEqual([]);
      expect((await relay(true, false)).body).toHaveLength(1);
      expect((await relay(false, false)).body).toHaveLength(1);
    }
    expect(await untilRung(to, 4)).toHaveLength(4);
    await sleep(100);
    expect(await rungAt(to)).toHaveLength(4);
  });

  test.each([{ delay: -1 }, { delay: 1.5 }, { delay: 400 * 24 * LONG }, { at: Number.MAX_SAFE_INTEGER }])(
    "of what is no time, or too far ahead (%j), fails",
    async (when) => {
      expect((await call(["clock", freshKey()], "later", { to: "x", ...when })).status).toBe(500);
    },
  );

  test("is delivered though nobody asks for any of the keys, and the objects have been lost meanwhile", async () => {
    const [a, b] = keysApart(2) as [string, string];
    limits.timerAwakeMs = 0;
    await later(a, { to: b, delay: 1_000 });
    await fold(a);
    await later(a, { to: b, delay: 1_100 });
    await abortAllDurableObjects();
    await sleep(1_500);
    // Only the alarm has started them.
    const rung = await untilRung(b, 2);
    expectRung(rung, [1, 2]);
    expect(Math.max(...rung.map(({ clock, due }) => clock - due))).toBeLessThan(1_000);
  });

  test("that was due while the object was away fires at once", async () => {
    const [a, b] = keysApart(2) as [string, string];
    limits.timerAwakeMs = 0;
    await later(a, { to: b, delay: 300 });
    const others = await later(a, { to: b, delay: LONG });
    await inside(a, async (state) => {
      // As if it had rung for an instance that was lost.
      await state.storage.deleteAlarm();
    });
    await abortOne(a);
    await sleep(400);
    expect(await rungAt(b)).toEqual([]);
    await call(["clock", a], "sent").catch(() => null);
    expectRung(await untilRung(b, 1), [1]);
    expect(await cancel(a, others)).toEqual([true]);
  });

  test("of many keys is one alarm, at the time of the first", async () => {
    const key = freshKey();
    limits.timerAwakeMs = 0;
    const near = [key, ...Array.from({ length: 9 }, () => freshKeyNear(key, true))];
    const now = Date.now();
    const ids = await Promise.all(
      near.map((each, n) => later(each, { to: each, at: now + LONG - n * 1_000, count: 5 })),
    );
    const alarm = await inside(key, (state) => state.storage.getAlarm());
    expect(alarm).toBeLessThan(now + LONG - 8_000);
    expect(alarm).toBeGreaterThan(now);
    const partition = stub(partitionOf(key));
    // Early: nothing happens but that it is set again.
    await inside(key, (state) => state.storage.setAlarm(Date.now() + LONG));
    await runDurableObjectAlarm(partition);
    expect(await rungAt(key)).toEqual([]);
    const again = (await inside(key, (state) => state.storage.getAlarm())) ?? 0;
    expect(again).toBeGreaterThanOrEqual(now + LONG - 9_000);
    expect(again).toBeLessThan(now + LONG - 8_000);
    expect(await cancel(key, ids.flat())).toEqual(ids.flat().map(() => true));
  });
});

describe("ctx.cancel", () => {
  test("of a message of this key, of another of the same partition and of another partition", async () => {
    const [a, b] = keysApart(2) as [string, string];
    for (const by of [a, freshKeyNear(a, true), b]) {
      const ids = await later(a, { to: b, delay: 300, count: 3 });
      expect(await cancel(by, ids.slice(0, 2))).toEqual([true, true]);
      expect(await cancel(by, ids.slice(0, 2))).toEqual([false, false]);
    }
    expectRung(await untilRung(b, 3), [3, 6, 9]);
    await sleep(300);
    expect(await rungAt(b)).toHaveLength(3);
  });

  test("of a transaction that fails, or in a tried call that does, cancels nothing", async () => {
    const [a, b, by] = keysApart(3) as [string, string, string];
    const ids = await later(a, { to: b, delay: 300 });
    expect((await call(["clock", by], "cancel", { ids, then: "throw" })).status).toBe(500);
    expect((await call(["clock", freshKey()], "cancelInVain", { by, ids })).body).toBe(false);
    expect((await call(["clock", freshKey()], "cancelInVain", { by: a, ids })).body).toBe(false);
    expectRung(await untilRung(b, 1), [1]);
    expect(await cancel(by, ids)).toEqual([false]);
  });

  test("of what the same transaction has sent", async () => {
    const [a, b] = keysApart(2) as [string, string];
    const ids = await later(a, { to: b, delay: 50, count: 2, then: "cancel" });
    await later(a, { to: b, delay: 50 });
    expectRung(await untilRung(b, 1), [3]);
    expect(await cancel(a, ids)).toEqual([false, false]);
    expect(await rungAt(b)).toHaveLength(1);
  });

  test("and firing at the same time exclude each other: what was cancelled is not delivered, all else is", async () => {
    const senders = keysApart(4);
    const to = freshKey();
    const outcomes = new Map<string, boolean>();
    let count = 0;
    for (let round = 0; round < 6; round++) {
      const at = Date.now() + 120;
      const sent = await Promise.all(
        senders.map(async (key) => [key, await later(key, { to, at, count: 4 })] as const),
      );
      await sleep(at - Date.now() - 10);
      // Around the time at which they fire.
      const cancels = sent.map(async ([key, ids], n) => {
        await sleep(n * 6);
        const by = senders[(n + round) % senders.length] as string;
        const won = await cancel(by, ids.slice(0, 3));
        for (const [index, isWon] of won.entries()) outcomes.set(`${key}.${round * 4 + index + 1}`, isWon);
        outcomes.set(`${key}.${round * 4 + 4}`, false);
      });
      await Promise.all(cancels);
      count += 16;
    }
    expect(outcomes.size).toBe(count);
    const fired = [...outcomes].filter(([, isWon]) => !isWon).map(([name]) => name);
    const rung = await untilRung(to, fired.length);
    await sleep(200);
    expect(await rungAt(to)).toHaveLength(fired.length);
    expect(rung.map(({ from, n }) => `${from}.${n}`).toSorted()).toEqual(fired.toSorted());
    expect(fired.length).toBeLessThan(count);
  });

  test.each(["", "m", "t0", `t${"0".repeat(31)}`, `t${"0".repeat(31)}-%`])("of %j fails", async (id) => {
    const answer = await call(["clock", freshKey()], "cancel", { ids: [id] });
    expect([answer.status, problemOf(answer)]).toEqual([404, "unknown-message"]);
  });
});

describe("POST …/send?delay= and DELETE /v1/messages/{id}", () => {
  const sendLater = (key: string, when: string, n: number, due: number, idempotencyKey?: string) =>
    call(["clock", key], `ring/send?${when}`, { from: "outside", n, due }, idempotencyKey);
  const idOf = ({ body }: Answer): string => (body as { readonly id: string }).id;

  test("is delivered at its time, once for each Idempotency-Key", async () => {
    const key = freshKey();
    const due = Date.now() + 200;
    const first = await sendLater(key, "delay=200ms", 1, due, "one");
    const again = await sendLater(key, "delay=200ms", 1, due, "one");
    await abortAllDurableObjects();
    const third = await sendLater(key, "delay=200ms", 1, due, "one");
    expect([first.status, again.body, third.body]).toEqual([202, first.body, first.body]);
    const other = await sendLater(key, "delay=300ms", 1, due, "one");
    expect([other.status, problemOf(other)]).toEqual([422, "idempotency-conflict"]);
    await sendLater(key, `at=${due}`, 2, due);
    await sendLater(key, `at=${encodeURIComponent(new Date(due).toISOString())}`, 3, due);
    expectRung(await untilRung(key, 3), [1, 2, 3]);
    await sleep(200);
    expect(await rungAt(key)).toHaveLength(3);
  });

  test.each([
    "delay=soon",
    "delay=",
    "delay=-1s",
    "at=tomorrow",
    "at=2027-01-01",
    "at=99999999999999",
    "delay=1s&at=1",
  ])("of ?%s is refused", async (when) => {
    const answer = await sendLater(freshKey(), when, 1, 0);
    expect([answer.status, problemOf(answer)]).toEqual([400, "invalid-parameter"]);
  });

  test("cancels what waits, whose own retry is answered alike, and nothing twice", async () => {
    const key = freshKey();
    const id = idOf(await sendLater(key, "delay=300ms", 1, 0));
    const first = await del(id, "one");
    expect([first.status, first.body]).toEqual([200, { cancelled: true }]);
    const again = await del(id, "one");
    expect([again.status, again.body, again.headers.get("idempotency-replayed")]).toEqual([
      200,
      { cancelled: true },
      "true",
    ]);
    const other = await del(id);
    expect([other.status, problemOf(other)]).toEqual([409, "message-gone"]);
    await sleep(500);
    expect(await rungAt(key)).toEqual([]);
  });

  test("is too late for what is delivered, or was sent without a delay, and knows no other id", async () => {
    const key = freshKey();
    const id = idOf(await sendLater(key, "delay=1ms", 1, 0));
    await untilRung(key, 1);
    const atOnce = idOf(await call(["clock", key], "ring/send", { from: "outside", n: 2, due: 0 }));
    for (const gone of [id, atOnce]) {
      const answer = await del(gone);
      expect([answer.status, problemOf(answer)]).toEqual([409, "message-gone"]);
    }
    const unknown = await del("nothing");
    expect([unknown.status, problemOf(unknown)]).toEqual([404, "unknown-message"]);
  });

  test("of the engine's own functions nobody else makes use", async () => {
    const path = `/v1/services/${encodeURIComponent("#timers")}/x/fire`;
    const answer = await send(path, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
    expect(answer.status).toBe(404);
    const line = JSON.stringify({ service: "#timers", key: "x", function: "fire" });
    const headers = { "content-type": "application/x-ndjson" };
    const batch = await send("/v1/batch", { method: "POST", body: line, headers });
    expect(await batch.text()).toContain("unknown-service");
  });
});

describe("schedules", () => {
  const ticks = async (key: string) =>
    (await ask(["clock", key], "ticks")).body as ReadonlyArray<{ from: string; at: number }>;

  test("that the code declares wait where nobody has asked for anything", async () => {
    const tower = partitionOf("clock-tower");
    await call(["clock", freshKeyNear("clock-tower", false)], "later", { to: "x", delay: 0 });
    const end = Date.now() + PATIENCE_MS;
    // What other tests have left waiting there goes by and by, and the alarm for it.
    const alarm = async () =>
      new Date((await inside("clock-tower", (state) => state.storage.getAlarm())) ?? 0).toISOString();
    while (!(await alarm()).includes("-02-29T00:00:00") && Date.now() < end) await sleep(20);
    expect(await alarm()).toMatch(/-02-29T00:00:00.\d{3}Z$/);
    expect((await stub(tower).status()).timers).toBe(1);
  });

  test("that a function makes come when their time has come, and not when they have ended", async () => {
    const [a, b] = keysApart(2) as [string, string];
    await call(["clock", a], "every", { name: "minutely", cron: "* * * * *", to: b });
    await call(["clock", a], "every", { name: "other", cron: "* * * * *", to: b });
    await call(["clock", a], "every", { name: "failed", cron: "* * * * *", to: b, fails: true });
    expect((await call(["clock", a], "end", { name: "other" })).body).toBe(true);
    expect((await call(["clock", a], "end", { name: "failed" })).body).toBe(false);
    await abortAllDurableObjects();
    const left = 60_000 - (Date.now() % 60_000);
    await sleep(left + 500);
    const seen = await ticks(b);
    expect(seen.map(({ from }) => from)).toEqual([`${a}.minutely`]);
    expect((seen[0]?.at ?? 1) % 60_000).toBeLessThan(1_000);
    expect((await call(["clock", a], "end", { name: "minutely" })).body).toBe(true);
  }, 90_000);
});

describe("lost memory", () => {
  test("neither loses, doubles nor hastens a message, nor undoes a cancel", async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`seed ${seed}`);
    const random = createRandom(seed);
    const senders = keysApart(4);
    const to = freshKey();
    const cancelled = new Set<string>();
    const kept = new Set<string>();
    let stopping = false;
    const client = async (name: string, sender: string): Promise<void> => {
      for (let n = 0; !stopping; n++) {
        const before = (await untilAnswered(() => ask(["clock", sender], "sent"))).body as number;
        const input = { to, delay: random.int(400), count: 2 };
        const answer = await untilAnswered(() => call(["clock", sender], "later", input, `${name}.${n}`));
        const [first = "", second = ""] = answer.body as readonly string[];
        if (random.oneIn(2)) await sleep(random.int(400));
        const by = random.pick(senders);
        const won = await untilAnswered(() => call(["clock", by], "cancel", { ids: [first] }, `${name}.${n}.cancel`));
        ((won.body as readonly boolean[])[0] ? cancelled : kept).add(`${sender}.${before + 1}`);
        const deleted = random.oneIn(3) ? await untilAnswered(() => del(second, `${name}.${n}.delete`)) : null;
        (deleted?.status === 200 ? cancelled : kept).add(`${sender}.${before + 2}`);
      }
    };
    const clients = senders.map((sender, n) => client(`client-${n}`, sender));
    for (let abort = 0; abort < 10; abort++) {
      await sleep(80 + random.int(150));
      if (random.oneIn(3)) await abortAllDurableObjects();
      else await abortOne(random.pick([...senders, to]));
    }
    stopping = true;
    await Promise.all(clients);
    await abortAllDurableObjects();
    const rung = await untilRung(to, kept.size);
    await sleep(500);
    expect(await rungAt(to)).toHaveLength(kept.size);
    expect(rung.map(({ from, n }) => `${from}.${n}`).toSorted()).toEqual([...kept].toSorted());
    expect(rung.filter(({ due, at }) => at < due)).toEqual([]);
    expect(Math.min(cancelled.size, kept.size)).toBeGreaterThan(0);
  });
});
