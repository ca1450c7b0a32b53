/** Events through general operators, over HTTP: what comes out, exactly once, whatever is repeated and whenever memory is lost. */
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { ask, call, leftovers, problemOf, queue, send } from "./support/app.ts";

let batches = 0;

async function ingest(
  stream: string,
  events: readonly object[],
  idempotencyKey = `operators-${batches++}`,
): Promise<unknown> {
  const body = events.map((event) => JSON.stringify(event)).join("\n");
  const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"${idempotencyKey}"` };
  const response = await send(`/v1/streams/${stream}`, { method: "POST", headers, body });
  const answer = await response.json();
  if (response.status !== 200) throw new Error(`the batch answered ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await send(path);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
const rows = async (view: string, rest = ""): Promise<unknown[]> =>
  (await get(`/v1/views/${view}${rest}`))["rows"] as unknown[];

const at = (seconds: number): number => 1_800_000_000_000 + seconds * 1_000;
const reading = (meter: string, value: number, seconds: number) => ({ meter, value, at: at(seconds) });

describe("a flow of operators", () => {
  test("gives what its rules say, with memory lost between batches", async () => {
    expect(
      await ingest("meter-readings", [reading("a", 10, 1), reading("b", 20, 2), reading("a", 30, 9)], "first"),
    ).toEqual({
      accepted: 3,
      late: { "meter-windows": 0, "meter-ends": 0, "meter-joins": 0 },
    });
    await abortAllDurableObjects();
    expect(
      await ingest("meter-readings", [reading("a", 10, 1), reading("b", 20, 2), reading("a", 30, 9)], "first"),
    ).toMatchObject({ accepted: 3 });
    expect(await rows("meter-windows")).toEqual([
      { key: "a", window: { start: at(0), end: at(10) }, n: 2, total: 40, mean: 20, most: 30, final: false },
      { key: "b", window: { start: at(0), end: at(10) }, n: 1, total: 20, mean: 20, most: 20, final: false },
    ]);
    // Watermark 24: the first windows are closed, and take late events until 15 s; this is beyond.
    await ingest("meter-readings", [reading("a", 5, 13), reading("b", 7, 25)]);
    await abortAllDurableObjects();
    expect(await ingest("meter-readings", [reading("a", 1, 3)])).toMatchObject({ late: { "meter-windows": 3 } });
    expect(await rows("meter-windows", "/a")).toEqual([
      { key: "a", window: { start: at(0), end: at(10) }, n: 2, total: 40, mean: 20, most: 30, final: true },
      { key: "a", window: { start: at(10), end: at(20) }, n: 1, total: 5, mean: 5, most: 5, final: false },
    ]);
    const late = (await get("/v1/flows/meter-windows/late"))["events"] as Array<{
      id: number;
      event: { operator: string; event: object };
    }>;
    expect(late.map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(late.map(({ event }) => [event.operator, event.event])).toEqual(
      expect.arrayContaining([["aggregate-1", { meter: "a", value: 1, at: at(3) }]]),
    );
    expect(await rows("meter-sessions")).toEqual([
      { key: "a", window: { start: at(1), end: at(6) }, n: 1, total: 10, final: true },
      { key: "b", window: { start: at(2), end: at(7) }, n: 1, total: 20, final: true },
      { key: "a", window: { start: at(9), end: at(18) }, n: 2, total: 35, final: true },
      { key: "b", window: { start: at(25), end: at(30) }, n: 1, total: 7, final: false },
    ]);
    expect(await rows("meter-slides")).toEqual([
      { meter: "a", start: at(-10), n: 2 },
      { meter: "a", start: at(0), n: 3 },
      { meter: "b", start: at(-10), n: 1 },
      { meter: "b", start: at(0), n: 1 },
    ]);
    expect(await rows("meter-best")).toEqual([
      {
        best: [
          { meter: "a", value: 30 },
          { meter: "b", value: 20 },
        ],
      },
    ]);
    expect(await rows("meter-totals", "/a")).toEqual([
      { meter: "a", n: 4, all: [{ value: 10 }, { value: 1 }, { value: 30 }, { value: 5 }] },
    ]);
    expect(await rows("meter-latest")).toEqual([reading("a", 5, 13), reading("b", 7, 25)]);
    expect(await rows("meter-totals", "?top=n&limit=1")).toMatchObject([{ meter: "a" }]);
    expect(await leftovers()).toBe(0);
  });

  test("calls a service in its transaction, sets refusals aside, and gives events to a stream that can be read", async () => {
    await ingest("meter-readings", [
      reading("c", 400, 100),
      reading("c", 500, 101),
      reading("c", 300, 102),
      reading("d", 100, 103),
    ]);
    expect((await ask(["meter-counter", "c"], "total")).body).toBe(900);
    const dead = (await get("/v1/flows/meter-ends/dead-letters"))["events"] as Array<{ event: object }>;
    expect(dead.map(({ event }) => event)).toEqual([
      {
        at: expect.any(Number) as number,
        sink: "meter-counter.add",
        key: "c",
        refusal: { name: "full", data: { total: 900 } },
        event: reading("c", 300, 102),
      },
    ]);
    const response = await send("/v1/streams/high-readings?after=-1&follow=0");
    const text = await response.text();
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(text.match(/data: .*/g)).toEqual(
      [reading("c", 400, 100), reading("c", 500, 101), reading("c", 300, 102), reading("d", 100, 103)].map(
        (event) => `data: ${JSON.stringify(event)}`,
      ),
    );
    const last = /id: (\d+)\n.*\n\n$/.exec(text)?.[1] ?? "";
    await abortAllDurableObjects();
    await ingest("meter-readings", [reading("d", 150, 104)]);
    const more = await send("/v1/streams/high-readings?follow=0", { headers: { "last-event-id": last } });
    expect(await more.text()).toBe(`id: ${Number(last) + 1}\ndata: ${JSON.stringify(reading("d", 150, 104))}\n\n`);
  });

  test("joins two streams", async () => {
    await ingest("meter-alarms", [
      { meter: "e", level: 3, at: at(201) },
      { meter: "e", level: 4, at: at(210) },
    ]);
    await ingest("meter-readings", [reading("e", 1, 200), reading("e", 2, 205), reading("e", 3, 209)]);
    expect(await rows("meter-alarms-seen")).toEqual([
      { meter: "e", value: 1, level: 3, at: at(200) },
      { meter: "e", value: 3, level: 4, at: at(209) },
    ]);
  });

  test("ends windows of processing time though no event comes", async () => {
    await ingest("meter-alarms", [{ meter: "clock", level: 1, at: at(300) }]);
    const clocked = async (): Promise<string> => (await send("/v1/streams/clocked?after=-1&follow=0")).text();
    await expect.poll(clocked, { timeout: 5_000 }).toContain('data: {"meter":"clock","n":1}');
  });

  test("takes what a function emits when that commits, and not otherwise", async () => {
    await call(["emitter", "x"], "note", { at: at(1) });
    await call(["emitter", "x"], "note", { at: at(2), fail: true });
    await call(["emitter", "y"], "note", { at: at(3) });
    await expect
      .poll(() => rows("noted"), { timeout: 5_000 })
      .toEqual([
        { who: "x", n: 1 },
        { who: "y", n: 1 },
      ]);
  });

  test("takes each message of a queue once", async () => {
    const messages = (...numbers: number[]) =>
      numbers.map((number) => ({
        id: `m${number}`,
        timestamp: new Date(),
        attempts: 1,
        body: number < 0 ? { what: "else" } : { who: "queue", at: at(number) },
      }));
    const first = await queue("note-queue", messages(1, 2, -1));
    expect(first.retryMessages.map(({ msgId }) => msgId)).toEqual(["m-1"]);
    await abortAllDurableObjects();
    await queue("note-queue", messages(2, 3));
    await queue("note-queue", messages(1, 2));
    expect(await rows("noted", "/queue")).toEqual([{ who: "queue", n: 3 }]);
    await expect(queue("no-queue", messages(1))).rejects.toThrow(/takes no messages of queue "no-queue"/);
  });

  test("refuses a batch whose keys are too long to be stored, and goes on", async () => {
    const body = JSON.stringify(reading("x".repeat(5_000), 1, 400));
    const headers = { "content-type": "application/x-ndjson" };
    const response = await send("/v1/streams/meter-readings", { method: "POST", headers, body });
    expect([response.status, problemOf({ body: await response.json() })]).toEqual([422, "invalid-event"]);
    await ingest("meter-readings", [reading("z", 1, 400)]);
    expect(await rows("meter-totals", "/z")).toMatchObject([{ n: 1 }]);
  });

  test("is explained", async () => {
    const shown = await get("/v1/flows/meter-windows");
    expect(shown["explain"]).toContain(
      "aggregate [columns]: by meter in 16 shards; tumbling 10000 ms, late by up to 5000 ms",
    );
    expect(shown["status"]).toMatchObject({ drops: [] });
    expect((await get("/v1/flows/sales-per-second"))["explain"]).toContain("window [wasm]");
    expect((await send("/v1/flows/none")).status).toBe(404);
  });
});
