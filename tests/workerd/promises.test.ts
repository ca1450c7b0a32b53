/** Promises: made with their transaction, settled once, by an event, a rejection or their deadline, whatever breaks meanwhile. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, describe, expect, test } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { type Answer, ask, call, freshKey, leftovers, problemOf, send } from "./support/app.ts";
import { fold } from "./support/fold.ts";
import { abortOne, settled, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

const ROUNDS = 15;
useLimits({ repostMs: 100, tickMs: 20, alarmMs: 500 });
afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function http(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init = {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const response = await send(`/v1/promises/${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}
const resolve = (id: string, body: unknown) => http("POST", id, body);
const logOf = async (key: string) => (await ask(["approval", key], "log")).body as string[];

/** A promise of a fresh key. */
async function make(input: object = {}): Promise<{ key: string; id: string }> {
  const key = freshKey();
  const { status, body } = await call(["approval", key], "ask", input);
  expect(status).toBe(200);
  return { key, id: body as string };
}

describe("ctx.promise", () => {
  test("is resolved by an event, which is told once", async () => {
    const { key, id } = await make();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await http("GET", id)).toMatchObject({ status: 200, body: { id, status: "pending", deadline: null } });
    const answer = await resolve(id, { by: "ann" });
    expect(answer).toMatchObject({ status: 200, body: { id, status: "resolved", value: { by: "ann" } } });
    await settled();
    expect(await logOf(key)).toEqual(["leave: ann"]);
    // Again it is answered alike; otherwise it is refused.
    expect(await resolve(id, { by: "ann" })).toMatchObject({ status: 200, body: answer.body });
    expect(problemOf(await resolve(id, { by: "bob" }))).toBe("promise-settled");
    expect(problemOf(await http("POST", `${id}/reject`, "no"))).toBe("promise-settled");
    await settled();
    expect(await logOf(key)).toEqual(["leave: ann"]);
  });

  test("is rejected", async () => {
    const { key, id } = await make();
    const error = { type: "rejected", message: "no", data: "no" };
    expect(await http("POST", `${id}/reject`, "no")).toMatchObject({
      status: 200,
      body: { status: "rejected", error },
    });
    await settled();
    expect(await logOf(key)).toEqual(['leave: rejected "no"']);
  });

  test("ends with its deadline, not before, and not once it is resolved", async () => {
    const began = Date.now();
    const { key, id } = await make({ deadline: 150 });
    const other = await make({ deadline: 150 });
    await resolve(other.id, { by: "ann" });
    expect(await logOf(key)).toEqual([]);
    while ((await logOf(key)).length === 0) await sleep(5);
    expect(Date.now() - began).toBeGreaterThanOrEqual(150);
    expect(await logOf(key)).toEqual(["leave: deadline undefined"]);
    expect((await http("GET", id)).body).toMatchObject({ status: "expired" });
    expect(problemOf(await resolve(id, { by: "late" }))).toBe("promise-settled");
    await settled();
    expect(await logOf(other.key)).toEqual(["leave: ann"]);
  });

  test("has an id of the app's own choice, once", async () => {
    const id = `approve/${freshKey()} ü`;
    await make({ id });
    const again = await call(["approval", freshKey()], "ask", { id });
    expect([again.status, problemOf(again)]).toEqual([409, "promise-exists"]);
    expect((await resolve(encodeURIComponent(id), { by: "ann" })).status).toBe(200);
  });

  test("of a transaction that fails is not there", async () => {
    const id = freshKey();
    expect((await call(["approval", freshKey()], "ask", { id, end: "throw" })).status).toBe(500);
    expect(problemOf(await http("GET", id))).toBe("unknown-promise");
    expect(problemOf(await resolve(id, { by: "ann" }))).toBe("unknown-promise");
  });

  test("does not take what its function does not", async () => {
    const { key, id } = await make();
    const answer = await resolve(id, { by: 7 });
    expect([answer.status, problemOf(answer)]).toEqual([422, "invalid-input"]);
    const malformed = await send(`/v1/promises/${id}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(malformed.status).toBe(400);
    expect((await resolve(id, "x".repeat(300_000))).status).toBe(413);
    expect((await resolve(id, { by: "ann" })).status).toBe(200);
    await settled();
    expect(await logOf(key)).toEqual(["leave: ann"]);
  });

  test("cannot be reached as a service, nor without the token", async () => {
    const { id } = await make();
    for (const service of ["%23promises", "#promises"]) {
      const response = await send(`/v1/services/${service}/${id}/settle`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"ok":true}',
      });
      expect(response.status).toBe(404);
    }
    const line = JSON.stringify({ service: "#promises", key: id, function: "settle", input: { ok: true } });
    const batch = await send("/v1/batch", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: line,
    });
    expect(JSON.parse(await batch.text())).toMatchObject({ status: 404 });
    const closed = await send(`/v1/promises/${id}`, { method: "POST", headers: { authorization: "" } });
    expect(closed.status).toBe(401);
    expect((await http("GET", id)).body).toMatchObject({ status: "pending" });
  });

  test("settles once under hard aborts, races of events and its deadline", { timeout: 120_000 }, async () => {
    const random = createRandom(5);
    for (let round = 0; round < ROUNDS; round++) {
      const [key, id] = keysApart(2) as [string, string];
      const deadline = random.oneIn(2) ? 20 + random.int(60) : 60_000;
      const made = await untilAnswered(() => call(["approval", key], "ask", { id, deadline }, `ask-${key}`));
      expect(made.body).toBe(id);
      const events = ["ann", "bob"].map(async (by) => {
        await sleep(random.int(60));
        return untilAnswered(() => http("POST", id, { by }, { "idempotency-key": `"${by}"` }));
      });
      for (let n = random.int(3); n > 0; n--) {
        await sleep(random.int(20));
        await abortOne(random.oneIn(2) ? key : id);
      }
      const won = (await Promise.all(events)).filter(({ status }) => status === 200);
      if (random.oneIn(4)) await fold(id);
      if (round % 5 === 4) await abortAllDurableObjects();
      await settled();
      const log = await logOf(key);
      expect(log.length, `round ${round}`).toBe(1);
      expect(won.length).toBe(log[0]?.includes("deadline") ? 0 : 1);
    }
  });
});
