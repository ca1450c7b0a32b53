/** Sagas: steps one after the other, each once, and made up for when a later one fails, whatever breaks meanwhile. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import type { SagaView } from "../../sdk/index.ts";
import { createRandom } from "../../sim/random.ts";
import { world } from "../app/src/outside.ts";
import { tries } from "../app/src/sagas.ts";
import { admin, type Answer, ask, call, freshKey, leftovers, problemOf, send } from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne, PATIENCE_MS, settled, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

const ROUNDS = 15;
useLimits({ repostMs: 100, tickMs: 20, alarmMs: 500 });
afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function http(method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await send(path, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}
const of = (id: string, more = "") => `/v1/sagas/ship/${id}${more}`;
const approve = (id: string) => http("POST", `/v1/promises/approve-${id}`, { by: "ann" });
const stockOf = async (key: string) => (await ask(["stockroom", key], "log")).body as { left: number; log: string[] };

/** Asks until the saga is as wanted. */
async function until(id: string, isSo: (view: SagaView) => boolean): Promise<SagaView> {
  const end = Date.now() + PATIENCE_MS;
  for (let last: unknown; ; await sleep(5)) {
    const answer = await http("GET", of(id)).catch(() => null);
    if (answer?.status === 200 && isSo(answer.body as SagaView)) return answer.body as SagaView;
    last = answer?.body ?? last;
    if (Date.now() > end) throw new Error(`the saga stays as it is: ${JSON.stringify(last)}`);
  }
}
const ended = (id: string) => until(id, ({ endedAt }) => endedAt !== null);
const waitingFor = (id: string, what: SagaView["waiting"]) => until(id, ({ waiting }) => waiting === what);

interface Run {
  readonly id: string;
  readonly stock: string;
  readonly other: string;
}

async function start(input: object = {}): Promise<Run> {
  const [stock, other, id] = keysApart(3) as [string, string, string];
  const answer = await http("POST", of(id), { stock, other, ...input });
  expect(answer).toMatchObject({ status: 200, body: { saga: "ship", id, status: "running", step: "reserve" } });
  return { id, stock, other };
}

describe("a saga", () => {
  test("does one step after the other: a transaction, an effect, a promise, a delay", async () => {
    const run = await start({ delay: 50 });
    expect(await waitingFor(run.id, "promise")).toMatchObject({ step: "approve", promise: `approve-${run.id}` });
    await approve(run.id);
    const view = await ended(run.id);
    expect(view).toMatchObject({ status: "completed", step: null, waiting: null });
    expect(view.results).toMatchObject({
      reserve: `reserved at ${run.stock}`,
      pay: { name: `pay ${run.id}`, attempt: 1 },
      approve: { by: "ann" },
      "hand-over": 1_000,
    });
    expect((view.endedAt ?? 0) - view.startedAt).toBeGreaterThanOrEqual(50);
    await settled();
    expect(await stockOf(run.stock)).toEqual({ left: 999, log: [`take ${run.id}`] });
    expect((await stockOf(run.other)).log).toEqual([`put back ask approve-${run.id}`, `take ${run.id}`]);
  });

  test("is started once by its id", async () => {
    const run = await start();
    const { stock, other, id } = run;
    expect((await http("POST", of(id), { stock, other })).status).toBe(200);
    const answer = await http("POST", of(id), { stock, other, delay: 5 });
    expect([answer.status, problemOf(answer)]).toEqual([409, "saga-exists"]);
    await waitingFor(id, "promise");
    await approve(id);
    await ended(id);
    expect((await http("POST", of(id), { stock, other })).body).toMatchObject({ status: "completed" });
    await settled();
    expect((await stockOf(stock)).log).toEqual([`take ${id}`]);
  });

  test("is started by a transaction, with it, and tells how it ended", async () => {
    const [key, stock, other, id] = keysApart(4) as [string, string, string, string];
    const begin = (end: string) => call(["stockroom", key], "start", { id, input: { stock, other }, end });
    expect((await begin("throw")).status).toBe(500);
    await settled();
    expect(problemOf(await http("GET", of(id)))).toBe("unknown-saga");
    expect((await begin("return")).status).toBe(200);
    await waitingFor(id, "promise");
    await approve(id);
    await ended(id);
    await settled();
    expect((await stockOf(key)).log).toEqual([`${id}: reserve,pay,approve,hand-over`]);
  });

  test("tries a step again that throws, and nothing of the attempt is left", async () => {
    const run = await start({ failures: { reserve: 2 } });
    await waitingFor(run.id, "promise");
    expect(tries.get(`${run.id} reserve`)).toBe(3);
    expect((await stockOf(run.stock)).log).toEqual([`take ${run.id}`]);
  });

  test.each([
    ["refuses", { refuse: "reserve" }, "reserve", { type: "failed", message: "no wish to" }],
    ["throws too often", { failures: { reserve: 9 } }, "reserve", { message: "failure 3 of reserve" }],
    ["is an effect that fails", { pay: "final" }, "pay", { type: "effect-failed", message: "never again" }],
  ])("whose step %s makes up for those before", async (_, input, step, failure) => {
    const run = await start(input);
    expect(await ended(run.id)).toMatchObject({ status: "compensated", failure: { step, ...failure } });
    await settled();
    const { left, log } = await stockOf(run.stock);
    expect(left).toBe(1_000);
    expect(log).toEqual(step === "reserve" ? [] : [`take ${run.id}`, `put back ${run.id} string`]);
  });

  test("makes up in reverse, for what its promise's deadline or a refusal far away ends", async () => {
    const run = await start();
    expect(await ended(run.id)).toMatchObject({
      status: "compensated",
      failure: { step: "approve", type: "deadline" },
    });
    const other = await start();
    await call(["stockroom", other.other], "fill", { count: 0 });
    await waitingFor(other.id, "promise");
    await call(["stockroom", other.other], "fill", { count: 0 });
    await approve(other.id);
    expect(await ended(other.id)).toMatchObject({
      status: "compensated",
      failure: { step: "hand-over", type: "none" },
    });
    await settled();
    expect((await stockOf(other.stock)).left).toBe(1_000);
    expect((await stockOf(other.other)).log.at(-1)).toBe(`put back refund ${other.id}`);
  });

  test("is stuck when it cannot make up, until it is told to try again", async () => {
    const run = await start({ pay: "final", failures: { "undo reserve": 4 } });
    expect(await until(run.id, ({ status }) => status === "stuck")).toMatchObject({
      step: "reserve",
      trouble: { message: "failure 3 of undo reserve" },
      failure: { step: "pay" },
    });
    expect((await http("DELETE", of(run.id))).body).toMatchObject({ status: "stuck" });
    expect((await http("POST", of(run.id, "/retry"))).body).toMatchObject({ status: "compensating" });
    expect(await ended(run.id)).toMatchObject({ status: "compensated" });
    await settled();
    expect((await stockOf(run.stock)).log).toEqual([`take ${run.id}`, `put back ${run.id} string`]);
  });

  test.each([
    ["promise", {}, "DELETE", ""],
    ["effect", { payMs: 100 }, "POST", "/cancel"],
  ] as const)("is cancelled while it waits for a %s", async (what, input, method, path) => {
    const run = await start(input);
    await waitingFor(run.id, what);
    expect((await http(method, of(run.id, path))).status).toBe(200);
    expect(await ended(run.id)).toMatchObject({ status: "compensated", failure: { type: "cancelled" } });
    await settled();
    // What was paid is refunded, whether it was before or after.
    expect((await stockOf(run.other)).log.filter((line) => line.includes("refund"))).toEqual([
      `put back refund ${run.id}`,
    ]);
    expect((await stockOf(run.stock)).left).toBe(1_000);
    // An event that comes late changes nothing.
    await approve(run.id);
    await settled();
    expect((await http("GET", of(run.id))).body).toMatchObject({ status: "compensated" });
    expect(problemOf(await http("DELETE", of(run.id)))).toBe("saga-ended");
  });

  test("that is cancelled leaves no promise behind that somebody could still resolve", async () => {
    const run = await start();
    await waitingFor(run.id, "promise");
    const promise = `approve-${run.id}`;
    expect((await http("DELETE", of(run.id))).status).toBe(200);
    expect((await http("GET", `/v1/promises/${promise}`)).body).toMatchObject({
      status: "rejected",
      error: { type: "cancelled", message: "the saga was cancelled" },
    });
    expect(problemOf(await approve(run.id))).toBe("promise-settled");
    expect(await ended(run.id)).toMatchObject({ status: "compensated", failure: { type: "cancelled" } });
    // Cancelled once more, before and after its end.
    expect(problemOf(await http("DELETE", of(run.id)))).toBe("saga-ended");
  });

  test("is cancelled while it rests, or between two attempts", async () => {
    const resting = await start({ delay: 60_000 });
    await waitingFor(resting.id, "promise");
    await approve(resting.id);
    await waitingFor(resting.id, "delay");
    await http("DELETE", of(resting.id));
    expect(await ended(resting.id)).toMatchObject({ status: "compensated", failure: { step: "rest" } });
  });

  test("that is not there, or whose input does not fit, is a clear answer", async () => {
    expect(problemOf(await http("GET", "/v1/sagas/none/1"))).toBe("unknown-saga");
    expect(problemOf(await http("GET", of(freshKey())))).toBe("unknown-saga");
    expect(problemOf(await http("DELETE", of(freshKey())))).toBe("unknown-saga");
    const answer = await http("POST", of(freshKey()), { stock: 7, other: "x" });
    expect([answer.status, problemOf(answer)]).toEqual([422, "invalid-input"]);
    expect((answer.body as { issues: unknown[] }).issues).toMatchObject([{ path: "/stock" }]);
    const closed = await send("/v1/services/%23saga.ship/x/start", { method: "POST", body: '{"input":{}}' });
    expect(closed.status).toBe(404);
  });
});

test("what it cannot be told is a dead letter, to be read and sent again like any other", async () => {
  const [stock, other, id] = keysApart(3) as [string, string, string];
  const begin = (input: object) => call(["stockroom", stock], "start", { id, input, end: "return" });
  expect((await begin({ stock, other })).status).toBe(200);
  await waitingFor(id, "promise");
  // It runs with another input: whoever starts it hears that by no answer.
  expect((await begin({ stock, other, delay: 1 })).status).toBe(200);
  interface Page {
    readonly letters: ReadonlyArray<{ id: string; key: string; function: string; attempts: unknown }>;
  }
  const listed = async (): Promise<Page["letters"]> => {
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(20)) {
      const { body } = await http("GET", "/v1/dead-letters/%23saga.ship");
      const letters = (body as Partial<Page>).letters ?? [];
      if (letters.length > 0 || Date.now() > end) return letters;
    }
  };
  const [letter] = await listed();
  expect(letter).toMatchObject({ key: id, function: "start", attempts: [{ status: 409, type: "saga-exists" }] });
  const path = `/v1/dead-letters/${encodeURIComponent(letter?.id ?? "")}`;
  expect((await http("POST", `${path}/redrive`)).body).toEqual({ redriven: true });
  const [again] = await listed();
  expect(again?.key).toBe(id);
  expect((await http("DELETE", `/v1/dead-letters/${encodeURIComponent(again?.id ?? "")}`)).status).toBe(200);
  expect((await http("POST", of(id, "/cancel"))).status).toBe(200);
  expect((await ended(id)).status).toBe("compensated");
  expect((await http("GET", "/v1/dead-letters/%23promises")).body).toEqual({ letters: [] });
  expect(problemOf(await http("GET", "/v1/dead-letters/%23saga.none"))).toBe("unknown-service");
});

test("a run is erased like any key, with the messages that drive it, and so is a promise", async () => {
  const { id } = await start();
  await waitingFor(id, "promise");
  const erase = async (service: string, key: string) => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ service, key }) };
    return (await (await admin("/admin/erase", init)).json()) as unknown;
  };
  expect(await erase("#saga.ship", id)).toEqual({ service: "#saga.ship", key: id, erased: true, scrubbed: true });
  expect(problemOf(await http("GET", of(id)))).toBe("unknown-saga");
  // Its end, this or its deadline's, is told to a run that is no more.
  expect([200, 409]).toContain((await approve(id)).status);
  expect(await erase("#promises", `approve-${id}`)).toMatchObject({ erased: true });
  expect(problemOf(await http("GET", `/v1/promises/approve-${id}`))).toBe("unknown-promise");
  await settled();
  expect(problemOf(await http("GET", of(id)))).toBe("unknown-saga");
});

describe("through hard aborts", () => {
  test("every step and compensation counts once", { timeout: 300_000 }, async () => {
    const random = createRandom(3);
    for (let round = 0; round < ROUNDS; round++) {
      const [stock, other, id] = keysApart(3) as [string, string, string];
      const fails = random.oneIn(3);
      const failures = random.oneIn(3) ? { reserve: 1, "hand-over": 1, "undo reserve": 1 } : {};
      const input = { stock, other, failures, delay: random.int(30), pay: fails ? "final" : "return" };
      await untilAnswered(() => http("POST", of(id), input));
      const approving = untilAnswered(async () => {
        const answer = await approve(id);
        // It may not be made yet, or never come to be.
        if (answer.status !== 404 || (await http("GET", of(id))).body === null) return answer;
        const { endedAt } = (await http("GET", of(id))).body as SagaView;
        return endedAt === null ? { ...answer, status: 503 } : answer;
      });
      for (let n = 2 + random.int(4); n > 0; n--) {
        await sleep(random.int(30));
        await abortOne(random.pick([stock, other, id]));
      }
      await approving;
      if (random.oneIn(4)) await fold(id);
      if (round % 5 === 4) await abortAllDurableObjects();
      const view = await ended(id);
      await settled();
      const completed = view.status === "completed";
      // The deadline of the promise may have come first.
      if (completed) expect(fails).toBe(false);
      const { left, log } = await stockOf(stock);
      expect(log, `round ${round}`).toEqual(completed ? [`take ${id}`] : [`take ${id}`, `put back ${id} string`]);
      expect(left).toBe(completed ? 999 : 1_000);
      const others = (await stockOf(other)).log.filter((line) => !line.includes("ask"));
      const refunded = !completed && view.failure?.step !== "pay" ? [`put back refund ${id}`] : [];
      expect(others).toEqual(completed ? [`take ${id}`] : refunded);
      expect(new Set(world.get(`pay ${id}`)?.map(({ key }) => key)).size).toBe(1);
    }
  });
});
