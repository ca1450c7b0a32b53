/** One-way messages: they leave with the commit of their transaction, arrive once and in order, and nothing that breaks loses or doubles one. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import { checkMessageOrder } from "../../sim/checkers/message-order.ts";
import { createRandom } from "../../sim/random.ts";
import { attempts, poisonous } from "../app/src/mail.ts";
import { ask, call, freshKey, freshKeyNear, leftovers, problemOf, statusOf, stub } from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne, PATIENCE_MS, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

const ABORTS = 10;
const REPOST_MS = 100;
const limits = useLimits({ repostMs: REPOST_MS, tickMs: 50, alarmMs: 500 });

afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Letter {
  readonly from: string;
  readonly n: number;
}

async function received(key: string): Promise<readonly Letter[]> {
  return (await ask(["mail", key], "received")).body as readonly Letter[];
}

/** Nothing of these keys' partitions is under way any more. */
async function delivered(...keys: string[]): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const outboxes = await Promise.all(
      keys.map(async (key) => (await statusOf(key)).outbox).map((all) => all.catch(() => 1)),
    );
    if (outboxes.every((size) => size === 0)) return;
    if (Date.now() > end) throw new Error("messages are not delivered");
    await sleep(5);
  }
}

const sendOne = (to: string, name: string, input?: unknown, idempotencyKey?: string) =>
  call(["mail", to], `${name}/send`, input, idempotencyKey);

describe("ctx.send", () => {
  test("reaches another partition, the same partition, and the sender itself", async () => {
    const [a, b] = keysApart(2);
    const near = freshKeyNear(a, true);
    expect((await call(["mail", a], "send", { to: [b, near, a], count: 2 })).status).toBe(200);
    await delivered(a);
    for (const key of [b, near, a]) {
      expect(await received(key)).toEqual([
        { from: a, n: 1 },
        { from: a, n: 2 },
      ]);
    }
  });

  test.each(["throw", "refuse"])("of a transaction that ends by %s never leaves", async (then) => {
    const [a, b] = keysApart(2);
    const answer = await call(["mail", a], "send", { to: [b], then });
    expect(answer.status).toBe(then === "throw" ? 500 : 409);
    await call(["mail", a], "send", { to: [b] });
    await delivered(a);
    expect(await received(b)).toEqual([{ from: a, n: 1 }]);
  });

  test("of a called key leaves with the whole transaction only, and not from a failed try", async () => {
    const [root, by, to] = keysApart(3) as [string, string, string];
    for (const there of [by, freshKeyNear(root, true)]) {
      const relay = (then: string, tried: boolean) => call(["mail", root], "relay", { by: there, to, then, tried });
      expect((await relay("throw", false)).status).toBe(500);
      expect((await relay("throw", true)).body).toBe(false);
      expect((await relay("return", true)).body).toBe(true);
      expect((await relay("return", false)).body).toBe(true);
      await delivered(root, there);
      expect((await received(to)).filter(({ from }) => from === there)).toEqual([
        { from: there, n: 1 },
        { from: there, n: 2 },
      ]);
    }
  });

  test("carries what ctx.call carries, as it was when it was sent", async () => {
    const [a, b] = keysApart(2);
    for (const to of [b, freshKeyNear(a, true)]) {
      await call(["mail", a], "sendRich", { to });
      await delivered(a);
      const seen = ['at=Date 7 big=bigint 1180591620717411303424 bytes=bytes 1,2 pairs=Map [["a",1]]'];
      expect((await ask(["mail", to], "richSeen")).body).toEqual(seen);
    }
  });

  test.each([
    ["query", 405, "method-not-allowed"],
    ["large", 500, "transaction-too-large"],
    ["many", 500, "transaction-too-large"],
  ])("of what cannot be sent (%s) fails the transaction, though it is caught", async (what, status, problem) => {
    const answer = await call(["mail", freshKey()], "sendWrong", { what });
    expect([answer.status, problemOf(answer)]).toEqual([status, problem]);
  });

  test("is not there for a query", async () => {
    expect((await ask(["mail", freshKey()], "sendInQuery")).body).toBe("a query cannot send messages");
  });

  test("to and fro between two keys goes on by itself, to its end", async () => {
    const [a, b] = keysApart(2);
    expect((await call(["mail", a], "bounce", { left: 40, other: b })).status).toBe(200);
    const end = Date.now() + PATIENCE_MS;
    const bounces = async (key: string) => (await ask(["mail", key], "bounces")).body as number;
    while ((await bounces(a)) + (await bounces(b)) < 41 && Date.now() < end) await sleep(5);
    await delivered(a, b);
    expect([await bounces(a), await bounces(b)]).toEqual([21, 20]);
  });
});

describe("delivery", () => {
  test("keeps the order of each sender and target for 200 messages of concurrent transactions", async () => {
    const senders = keysApart(4);
    const targets = [...keysApart(3), senders[0]];
    const calls = Array.from({ length: 60 }, (_, n) => {
      const sender = senders[n % senders.length] as string;
      // Some as part of transactions over several partitions, which commit later than those between them.
      if (n % 5 === 0) {
        const input = { by: sender, to: targets[n % targets.length], then: "return", tried: n % 2 === 0 };
        return call(["mail", freshKey()], "relay", input);
      }
      return call(["mail", sender], "send", { to: targets });
    });
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
    await delivered(...senders);
    await expectOrder(senders, targets);
  });

  test("keeps the order where nothing is written, of transactions that commit alone and others that take longer", async () => {
    const [root, sender, to] = keysApart(3) as [string, string, string];
    let crossed = 0;
    const cross = async (): Promise<void> => {
      for (let n = 0; n < 12; n++) {
        expect((await call(["mail", root], "nudge", { by: sender, to })).status).toBe(200);
        crossed += 1;
      }
    };
    const stay = async (): Promise<void> => {
      while (crossed < 24) expect((await call(["mail", sender], "nudge", { to })).status).toBe(200);
    };
    await Promise.all([cross(), cross(), stay(), stay(), stay()]);
    await delivered(sender);
    const numbers = (await received(to)).map(({ n }) => n);
    expect(numbers.length).toBeGreaterThan(24);
    expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
  });

  test("of a refusal ends the message, and what it wrote is dropped", async () => {
    const [a, b] = keysApart(2);
    await call(["mail", a], "sendDecline", { to: b });
    await delivered(a);
    await sleep(3 * REPOST_MS);
    expect((await ask(["mail", b], "declined")).body).toBe(0);
    expect(attempts.get(b)).toBe(1);
  });

  test("is tried again after failures, holds up what is behind it, and nobody else", async () => {
    const [a, b] = keysApart(2);
    const [other, third] = [freshKeyNear(a, true), freshKeyNear(b, true)];
    const name = `poison-${a}`;
    poisonous.add(name);
    await call(["mail", a], "sendPoison", { to: b, names: [name] });
    await call(["mail", a], "send", { to: [b, third] });
    await call(["mail", other], "send", { to: [b] });
    const got = async (key: string): Promise<boolean> => (await received(key)).length > 0;
    while (!((await got(third)) && (await got(b)) && (attempts.get(name) ?? 0) > 1)) await sleep(2);
    expect(await received(b)).toEqual([{ from: other, n: 1 }]);
    poisonous.delete(name);
    await delivered(a);
    expect((await ask(["mail", b], "bounces")).body).toBe(1);
    expect(await received(b)).toEqual([
      { from: other, n: 1 },
      { from: a, n: 1 },
    ]);
  });
});

/** What each target has received of each sender is what that has sent, once and in order. */
async function expectOrder(senders: readonly string[], targets: readonly string[]): Promise<void> {
  const sent = [];
  for (const sender of senders) {
    for (const target of targets) {
      const { body } = await untilAnswered(() => ask(["mail", sender], "sent", { to: target }));
      sent.push({ sender, target, count: body as number });
    }
  }
  const lists = await Promise.all(
    targets.map(async (target) => {
      const { body } = await untilAnswered(() => ask(["mail", target], "received"));
      return [target, (body as readonly Letter[]).map(({ from, n }) => ({ sender: from, n }))] as const;
    }),
  );
  expect(sent.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
  expect(checkMessageOrder({ sent, received: Object.fromEntries(lists) })).toEqual([]);
}

describe("lost memory", () => {
  test("neither loses, doubles nor reorders a message", async () => {
    const seed = Date.now() % 1_000_000;
    const random = createRandom(seed);
    const senders = keysApart(4);
    const targets = keysApart(3);
    let stopping = false;
    const client = async (name: string): Promise<void> => {
      for (let n = 0; !stopping; n++) {
        await sleep(0);
        const sender = random.pick(senders);
        const request = random.oneIn(4)
          ? () =>
              call(["mail", random.pick(senders)], "relay", {
                by: sender,
                to: random.pick(targets),
                then: "return",
                tried: false,
              })
          : () => call(["mail", sender], "send", { to: targets }, `${name}.${n}`);
        await untilAnswered(request);
      }
    };
    const clients = ["a", "b", "c"].map(client);
    for (let abort = 0; abort < ABORTS; abort++) {
      await sleep(50 + random.int(100));
      if (random.oneIn(3)) await abortAllDurableObjects();
      else await abortOne(random.pick([...senders, ...targets]));
    }
    stopping = true;
    await Promise.all(clients);
    await abortAllDurableObjects();
    await delivered(...senders);
    console.log(`seed ${seed}`);
    await expectOrder(senders, targets);
  });

  test("before and after folding leaves what was accepted to be delivered by the next instance", async () => {
    const [a, b] = keysApart(2);
    // Not by this instance.
    Object.assign(limits, { repostMs: PATIENCE_MS });
    for (const folded of [false, true]) {
      const name = `late-${a}-${folded}`;
      await call(["mail", a], "sendStubborn", { to: b, name, failures: 1 });
      while ((attempts.get(name) ?? 0) === 0) await sleep(1);
      if (folded) await fold(a);
      await abortAllDurableObjects();
      expect((await statusOf(a)).outbox).toBe(1);
      await delivered(a);
      expect(attempts.get(name)).toBe(2);
    }
    expect((await ask(["mail", b], "bounces")).body).toBe(2);
  });

  test("of a partition that nobody asks again does not keep its messages back", async () => {
    const [a, b] = keysApart(2);
    await call(["mail", a], "sendStubborn", { to: b, name: `alone-${a}`, failures: 1 });
    while ((attempts.get(`alone-${a}`) ?? 0) === 0) await sleep(1);
    await abortAllDurableObjects();
    const end = Date.now() + PATIENCE_MS;
    while ((attempts.get(`alone-${a}`) ?? 0) < 2 && Date.now() < end) await sleep(10);
    expect(attempts.get(`alone-${a}`)).toBe(2);
    await delivered(a);
  });
});

describe("POST …/send", () => {
  test("is answered with 202 and an id once the message is kept, and delivers it", async () => {
    const key = freshKey();
    const answer = await sendOne(key, "receive", { from: "outside", n: 1 });
    expect(answer.status).toBe(202);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("tidegate-epoch")).toMatch(/./);
    expect(answer.body).toEqual({ id: expect.stringMatching(/^m[0-9a-f]{31}$/) });
    await delivered(key);
    expect(await received(key)).toEqual([{ from: "outside", n: 1 }]);
  });

  test("under one Idempotency-Key is one message with one id, over lost memory too, and apart from a call", async () => {
    const key = freshKey();
    const input = { from: "outside", n: 1 };
    const first = await sendOne(key, "receive", input, "one");
    const second = await sendOne(key, "receive", input, "one");
    await delivered(key);
    await abortAllDurableObjects();
    const third = await sendOne(key, "receive", input, "one");
    expect([second.body, third.body]).toEqual([first.body, first.body]);
    expect([first, second, third].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([
      null,
      "true",
      "true",
    ]);
    const other = await sendOne(key, "receive", { from: "outside", n: 2 }, "one");
    expect([other.status, problemOf(other)]).toEqual([422, "idempotency-conflict"]);
    await call(["mail", key], "receive", input, "one");
    await delivered(key);
    expect(await received(key)).toEqual([input, input]);
  });

  test("takes JSON as JSON: what looks like a tag of the engine's is none", async () => {
    const key = freshKey();
    await sendOne(key, "rich", { when: { "~t": "d", v: 0 } });
    await sendOne(key, "rich");
    await delivered(key);
    expect((await ask(["mail", key], "richSeen")).body).toEqual(["when=object [object Object]", "undefined"]);
  });

  test("of an input that does not fit is accepted, and ends there", async () => {
    const key = freshKey();
    expect((await sendOne(key, "receive", { from: 1 })).status).toBe(202);
    expect((await sendOne(key, "decline")).status).toBe(202);
    await delivered(key);
    expect(await received(key)).toEqual([]);
  });

  test("that fails does not hold up others to the same key", async () => {
    const key = freshKey();
    const name = `poison-${key}`;
    poisonous.add(name);
    await sendOne(key, "poison", { name });
    await sendOne(key, "receive", { from: "outside", n: 1 });
    while ((await received(key)).length === 0 || (attempts.get(name) ?? 0) < 2) await sleep(2);
    expect((await ask(["mail", key], "bounces")).body).toBe(0);
    poisonous.delete(name);
    await delivered(key);
    expect((await ask(["mail", key], "bounces")).body).toBe(1);
  });

  test("is refused for a query and for an unknown function", async () => {
    const key = freshKey();
    const [wrong, unknown] = [await sendOne(key, "received"), await sendOne(key, "nothing")];
    expect([wrong.status, problemOf(wrong), unknown.status, problemOf(unknown)]).toEqual([
      405,
      "method-not-allowed",
      404,
      "unknown-function",
    ]);
  });

  test("above what a partition may hold undelivered is refused with 503", async () => {
    const key = freshKey();
    const { maxUndelivered } = limits;
    limits.maxUndelivered = 1;
    try {
      expect((await sendOne(key, "stubborn", { name: `full-${key}`, failures: 2 })).status).toBe(202);
      const refused = await sendOne(key, "receive", { from: "outside", n: 1 });
      expect([refused.status, problemOf(refused), refused.headers.get("retry-after")]).toEqual([
        503,
        "overloaded",
        "1",
      ]);
      const sender = await call(["mail", freshKeyNear(key, true)], "send", { to: [key] });
      expect([sender.status, problemOf(sender)]).toEqual([503, "overloaded"]);
    } finally {
      limits.maxUndelivered = maxUndelivered;
    }
    await delivered(key);
    expect(await received(key)).toEqual([]);
  });
});

test("partitions are left with nothing to deliver", async () => {
  const all = await Promise.all([0, 1, 2, 3].map((n) => stub(n).status()));
  expect(all.map(({ outbox }) => outbox)).toEqual([0, 0, 0, 0]);
});
