/** Ends of flows in the outside world: a queue of the platform's and a webhook's receiver, with objects aborted between any two steps. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { verifyWebhook } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { leftovers, queue, send } from "./support/app.ts";
import { abortOne, PATIENCE_MS, settled } from "./support/patience.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const limits = useLimits({ repostMs: 100, tickMs: 20, alarmMs: 500 });

/** The receiver: what it was told, by id, and how it answers next. */
const told = new Map<string, string>();
let answers: Array<number | "hang"> = [];

beforeAll(() => {
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    if (url !== "https://hooks.example/letters") throw new Error(`nobody is at ${url}`);
    const answer = answers.shift() ?? 200;
    if (answer === "hang")
      await new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(new Error("gone"))));
    const { id, body } = await verifyWebhook(SECRET, new Headers(init.headers), String(init.body));
    // Also what is answered badly may have got through.
    expect(told.get(id) ?? body).toBe(body);
    told.set(id, body);
    return new Response(null, { status: Number(answer) });
  });
});
afterAll(() => void vi.unstubAllGlobals());
afterEach(async () => expect(await leftovers()).toBe(0));

let batches = 0;
const letter = (name: string, grams: number | string = 1) => `{"letter":"${name}","grams":${grams},"at":${grams}}`;
const names = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`);

async function post(events: readonly string[], id = `letters-${batches++}`): Promise<Response> {
  const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"${id}"` };
  return send("/v1/streams/letters", { method: "POST", headers, body: events.join("\n") });
}
async function give(events: readonly string[]): Promise<void> {
  const id = `letters-${batches++}`;
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const response = await post(events, id).catch(() => undefined);
    const text = await response?.text();
    if (response?.status === 200) return;
    if (Date.now() > end) throw new Error(`never taken: ${text}`);
    // While calls within the process follow each other without a pause, no timer of it fires.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
async function get(path: string): Promise<Record<string, unknown>> {
  const response = await send(path);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
interface Status {
  readonly deadLetters: number;
  readonly sinks: Record<string, { waiting: number; delivered: number; failed: number }>;
}
const status = async () => (await get("/v1/flows/letters"))["status"] as unknown as Status;
const arrived = async (name: string) =>
  ((await get(`/v1/views/letters-arrived/${name}`))["rows"] as Array<{ n: number; grams: unknown }>).map(({ n }) => n);
const toldOf = (name: string) =>
  [...told.values()]
    .flatMap((body) => (JSON.parse(body) as { data: Array<{ letter: string }> }).data)
    .filter((event) => event.letter.startsWith(name));

describe("a flow's end", () => {
  test("gives a queue what is committed, and from there it is taken once", async () => {
    await give(names("plain", 250).map((name, n) => letter(name, n)));
    expect((await post([letter("bad", 1), "{}"])).status).toBe(422);
    await expect.poll(() => arrived("plain-249"), { timeout: PATIENCE_MS }).toEqual([1]);
    await settled();
    for (const name of ["plain-0", "plain-100", "plain-200"]) expect(await arrived(name)).toEqual([1]);
    expect(await arrived("bad-1")).toEqual([]);
    expect((await status()).sinks["letters-out"]).toEqual({ waiting: 0, delivered: 250, failed: 0 });
    const metrics = await (await send("/metrics")).text();
    expect(metrics).toContain('tidegate_flow_events_total{flow="letters"} 250');
    expect(metrics).toContain('tidegate_flow_late_events_total{flow="letters"} 0');
    expect(metrics).toContain('tidegate_flow_delivered_events_total{flow="letters",sink="letters-out"} 250');
  });

  test("keeps whole numbers beyond 2^53 on the way from flow to queue to flow", async () => {
    await give([letter("heavy", "9007199254740993")]);
    await expect.poll(() => arrived("heavy"), { timeout: PATIENCE_MS }).toEqual([1]);
    const response = await send("/v1/views/letters-arrived/heavy");
    expect(await response.text()).toContain('"grams":9007199254740993');
  });

  test("that a message is in the queue twice makes no event twice", async () => {
    const message = (id: string) => ({
      id,
      timestamp: new Date(),
      attempts: 1,
      body: { id: "m1-0", at: 1, data: { letter: "twice", grams: 1, at: 1 } },
    });
    await queue("letters-queue", [message("a")]);
    await queue("letters-queue", [message("b")]);
    expect(await arrived("twice")).toEqual([1]);
  });

  test("posts signed webhooks of up to so many events, and again under the same id when one fails", async () => {
    told.clear();
    answers = [500, 503];
    await give(names("told-a", 7).map((name) => letter(name)));
    await settled();
    expect(
      [...told.values()].map((body) => (JSON.parse(body) as { type: string; data: unknown[] }).data.length),
    ).toEqual([5, 2]);
    expect(JSON.parse([...told.values()][0] as string)).toMatchObject({
      type: "letter.sent",
      data: names("told-a", 5).map((name) => ({ letter: name, grams: 1, at: 1 })),
    });
  });

  test("sets aside what its receiver does not take, readable with the error, and goes on", async () => {
    const { deadLetters } = await status();
    answers = [500, 500, 500, 500];
    await give(names("told-b", 6).map((name) => letter(name)));
    await settled();
    expect(toldOf("told-b-5")).toHaveLength(1);
    const { events, end } = (await get(`/v1/flows/letters/dead-letters?after=${deadLetters - 1}`)) as unknown as {
      events: Array<{ id: number; event: { sink: string; error: { message: string }; event: { letter: string } } }>;
      end: number;
    };
    expect(events.map(({ event }) => [event.sink, event.error.message, event.event.letter])).toEqual(
      names("told-b", 5).map((name) => ["letter-told", "the receiver answered 500", name]),
    );
    expect([end, (await status()).deadLetters]).toEqual([deadLetters + 5, deadLetters + 5]);
    const stream = await send(`/v1/flows/letters/dead-letters?after=${end - 2}&follow=0`, {
      headers: { accept: "text/event-stream" },
    });
    expect(await stream.text()).toMatch(new RegExp(`^id: ${end - 1}\ndata: .*"told-b-4".*\n\n$`));
  });

  test("whose receiver is slow holds up nobody, until more waits than is kept: then the batch is refused, to come again", async () => {
    limits.maxEgressUnits = 600;
    answers = ["hang", "hang", 200];
    const slow = names("told-slow", 15).map((name) => letter(name));
    await give(slow);
    const refused = await post([letter("told-slow-15")]);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(((await refused.json()) as { type: string }).type).toBe("/problems/overloaded");
    // What goes elsewhere is taken, and nothing was lost.
    await give([letter("by-the-way")]);
    await give([letter("told-slow-15")]);
    await settled();
    expect(toldOf("told-slow").map(({ letter: name }) => name)).toEqual(names("told-slow", 16));
  });
});

test(
  "loses nothing and gives each event under one id, through hard aborts between any two steps",
  { timeout: 120_000 },
  async () => {
    told.clear();
    const random = createRandom(5);
    const all: string[] = [];
    for (let round = 0; round < 14; round++) {
      const some = names(`told-r${round}`, 1 + random.int(12));
      all.push(...some);
      answers = Array.from({ length: random.int(3) }, () => 500);
      const given = give(some.map((name) => letter(name)));
      for (let n = 1 + random.int(3); n > 0; n--) {
        await new Promise((resolve) => setTimeout(resolve, random.int(40)));
        await abortOne(random.pick(["letters", "letters/letter-told", "letters/letters-out"]));
      }
      await given;
      if (round % 6 === 5) await abortAllDurableObjects();
    }
    await settled();
    // Each in one webhook, and all in their order: only one is under way at a time.
    expect(toldOf("told-r").map(({ letter: name }) => name)).toEqual(all);
    for (const name of all) await expect.poll(() => arrived(name), { timeout: PATIENCE_MS }).toEqual([1]);
  },
);
