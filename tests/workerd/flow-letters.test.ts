/** Dead letters of flows: events that an end did not take, and such as could not be processed, sent again over HTTP; once, whatever is aborted meanwhile. */
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { illegible } from "../app/src/operators.ts";
import { useLimits } from "../support/limits.ts";
import { type Answer, ask, call, leftovers, problemOf, send } from "./support/app.ts";
import { abortOne, PATIENCE_MS, settled, untilAnswered } from "./support/patience.ts";

useLimits({ repostMs: 20, repostMaxMs: 40, tickMs: 20, alarmMs: 500 });
afterEach(() => void vi.unstubAllGlobals());
afterAll(async () => expect(await leftovers()).toBe(0));

interface Letter {
  readonly id: number;
  readonly event: { readonly key: string; readonly event: { readonly meter: string; readonly value: number } };
}

async function json(path: string, method = "GET", idempotencyKey?: string): Promise<Answer> {
  const headers: Record<string, string> =
    idempotencyKey === undefined ? {} : { "idempotency-key": `"${idempotencyKey}"` };
  const response = await send(path, { method, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
}

async function lettersOf(flow: string, after = -1): Promise<readonly Letter[]> {
  const { status, body } = await json(`/v1/flows/${flow}/dead-letters?after=${after}`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return (body as { events: readonly Letter[] }).events;
}

let batches = 0;
async function give(stream: string, events: readonly object[]): Promise<void> {
  const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"letters-of-flows-${batches++}"` };
  const body = events.map((event) => JSON.stringify(event)).join("\n");
  const taken = await untilAnswered(async () => {
    const response = await send(`/v1/streams/${stream}`, { method: "POST", headers, body });
    return { status: response.status, headers: response.headers, body: await response.json() };
  });
  expect([taken.status, taken.body]).toMatchObject([200, {}]);
}

const redrive = (flow: string, id: number, key?: string) =>
  json(`/v1/flows/${flow}/dead-letters/${id}/redrive`, "POST", key);
const remove = (flow: string, id: number, key?: string) => json(`/v1/flows/${flow}/dead-letters/${id}`, "DELETE", key);

const reading = (meter: string, value: number) => ({ meter, value, at: 1_800_000_000_000 });

describe("what a service refused", () => {
  test("is called for again, by whoever may, or deleted; a second refusal leaves it where it is", async () => {
    const meter = "again-a";
    await give(
      "meter-readings",
      [950, 200, 150, 120].map((value) => reading(meter, value)),
    );
    const letters = (await lettersOf("meter-ends")).filter(({ event }) => event.key === meter);
    expect(letters.map(({ event }) => event.event.value)).toEqual([200, 150, 120]);
    const [first, second, third] = letters.map(({ id }) => id) as [number, number, number];
    const refused = await redrive("meter-ends", first, "early");
    expect([refused.status, problemOf(refused)]).toEqual([409, "meter-counter/full"]);
    expect(refused.body).toMatchObject({ data: { total: 950 } });
    await call(["meter-counter", meter], "empty");
    // As any request is: under its key it is answered as before.
    expect((await redrive("meter-ends", first, "early")).status).toBe(409);
    expect(await redrive("meter-ends", first, "late")).toMatchObject({ status: 200, body: { redriven: true } });
    expect(await redrive("meter-ends", first, "late")).toMatchObject({ status: 200, body: { redriven: true } });
    expect(problemOf(await redrive("meter-ends", first, "later"))).toBe("unknown-message");
    expect(await remove("meter-ends", second, "gone")).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await remove("meter-ends", second, "gone")).toMatchObject({ status: 200, body: { deleted: true } });
    expect((await remove("meter-ends", second)).status).toBe(404);
    expect((await ask(["meter-counter", meter], "total")).body).toBe(200);
    expect((await lettersOf("meter-ends", first - 1)).map(({ id }) => id)).toEqual([third]);
    const tail = await send(`/v1/flows/meter-ends/dead-letters?after=${first - 1}&follow=0`, {
      headers: { accept: "text/event-stream" },
    });
    expect((await tail.text()).match(/^id: \d+$/gm)).toEqual([`id: ${third}`]);
    await remove("meter-ends", third);
  });

  test.each([
    ["POST", "/v1/flows/none/dead-letters/0/redrive", "unknown-flow"],
    ["POST", "/v1/flows/meter-ends/dead-letters/999999/redrive", "unknown-message"],
    ["POST", "/v1/flows/meter-ends/dead-letters/-1/redrive", "unknown-message"],
    ["POST", "/v1/flows/sales-per-second/dead-letters/0/redrive", "unknown-message"],
    ["DELETE", "/v1/flows/meter-ends/dead-letters/x", "unknown-message"],
    ["GET", "/v1/flows/meter-ends/dead-letters/0", "method-not-allowed"],
  ])("%s %s is no letter's", async (method, path, type) => {
    expect(problemOf(await json(path, method))).toBe(type);
  });

  test("counts once each, through hard aborts between any two steps", { timeout: 120_000 }, async () => {
    const random = createRandom(11);
    const meters = ["again-b", "again-c", "again-d"];
    for (let round = 0; round < 5; round++) {
      const all = meters.flatMap((meter) => [950, 101 + round, 102, 103].map((value) => reading(meter, value)));
      await give("meter-readings", all);
      const letters = (await lettersOf("meter-ends")).filter(({ event }) => meters.includes(event.key));
      expect(letters).toHaveLength(9);
      for (const meter of meters) await call(["meter-counter", meter], "empty");
      const acting = letters.flatMap(({ id }) =>
        // Under two keys: one of them finds it, or takes part in what the other does.
        ["x", "y"].map((name) => untilAnswered(() => redrive("meter-ends", id, `${name}-${id}`))),
      );
      for (let n = 2 + random.int(4); n > 0; n--) {
        await new Promise((resolve) => setTimeout(resolve, random.int(25)));
        await abortOne(random.pick(["meter-readings", ...meters]));
      }
      const answers = await Promise.all(acting);
      for (const [at, { id }] of letters.entries()) {
        const statuses = [answers[2 * at]?.status, answers[2 * at + 1]?.status].sort();
        expect([id, statuses]).toEqual([id, [200, 404]]);
      }
      for (const meter of meters)
        expect((await ask(["meter-counter", meter], "total")).body).toBe(101 + round + 102 + 103);
      expect((await lettersOf("meter-ends")).filter(({ event }) => meters.includes(event.key))).toEqual([]);
      for (const meter of meters) await call(["meter-counter", meter], "empty");
    }
  });
});

test("what a webhook's receiver did not take is posted again, under an id of its own, once it is sent again", async () => {
  const posts: Array<readonly [id: string, letters: string[]]> = [];
  let status = 500;
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    const { data } = JSON.parse(String(init.body)) as { data: Array<{ letter: string }> };
    posts.push([new Headers(init.headers).get("webhook-id") ?? "", data.map(({ letter }) => letter)]);
    return new Response(null, { status });
  });
  await give(
    "letters",
    ["told-x", "told-y", "told-z"].map((letter) => ({ letter, grams: -1, at: 1 })),
  );
  await settled();
  const letters = await lettersOf("letters");
  expect(letters).toHaveLength(3);
  status = 200;
  posts.length = 0;
  const [, second] = letters;
  await abortOne("letters");
  const sent = () => untilAnswered(() => redrive("letters", second?.id ?? -1, "once"));
  expect((await sent()).body).toEqual({ redriven: true });
  await abortOne("letters/letter-told");
  expect((await sent()).body).toEqual({ redriven: true });
  await settled();
  expect(new Set(posts.map(([id]) => id)).size).toBe(1);
  expect(posts[0]?.[1]).toEqual(["told-y"]);
  expect((await lettersOf("letters")).map(({ id }) => id)).toEqual([letters[0]?.id, letters[2]?.id]);
});

test("an emitted event that a flow cannot process is a dead letter of #stream, and taken when it is sent again", async () => {
  const who = "smudged";
  illegible.add(who);
  await call(["emitter", who], "note", { at: 5 });
  const list = async () =>
    (await json("/v1/dead-letters/%23stream")).body as {
      letters: ReadonlyArray<{ id: string; key: string; attempts: ReadonlyArray<{ error: string }> }>;
    };
  await expect.poll(async () => (await list()).letters.length, { timeout: PATIENCE_MS }).toBe(1);
  const [letter] = (await list()).letters;
  expect([letter?.key, letter?.attempts.at(-1)?.error]).toEqual(["noted", `Error: what ${who} noted is illegible`]);
  illegible.delete(who);
  const path = `/v1/dead-letters/${encodeURIComponent(letter?.id ?? "")}/redrive`;
  expect((await json(path, "POST")).body).toEqual({ redriven: true });
  const seen = async () => ((await json(`/v1/views/noted/${who}`)).body as { rows: unknown[] }).rows;
  await expect.poll(seen, { timeout: PATIENCE_MS }).toEqual([{ who, n: 1 }]);
  // Those of a flow's own messages, by the clock, are listed too.
  expect((await json("/v1/dead-letters/%23flow%3Anoted-by-who")).body).toEqual({ letters: [] });
  expect((await json("/v1/dead-letters/%23flow%3Anone")).status).toBe(404);
});
