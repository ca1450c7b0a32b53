/** Events in, windows out: exactly once, also when memory is lost. */
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { evaluate, rowText } from "../../dataflow/reference.ts";
import { createRandom } from "../../sim/random.ts";
import { salesPerSecond } from "../app/src/flow.ts";
import { leftovers, problemOf, send } from "./support/app.ts";

interface Sale {
  readonly item: string;
  readonly amount: number | bigint;
  readonly at: number;
}

const taken: Sale[][] = [];
let batches = 0;

async function ingest(events: readonly Sale[], idempotencyKey = `batch-${batches++}`) {
  const body = events
    .map(({ item, amount, at }) => `{"item":${JSON.stringify(item)},"amount":${amount},"at":${at}}`)
    .join("\n");
  const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"${idempotencyKey}"` };
  const response = await send("/v1/streams/sales", { method: "POST", headers, body });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** Every page of the view: its rows as they are written. */
async function view(limit = 1_000, key = ""): Promise<{ rows: string[]; pages: number; late: number; events: number }> {
  const rows: string[] = [];
  for (let cursor = "", pages = 1; ; pages++) {
    const response = await send(`/v1/views/sales-per-second${key}?limit=${limit}${cursor}`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the view answered ${response.status} ${text}`);
    const page = JSON.parse(text) as { next?: string; late: number; events: number };
    rows.push(...(text.match(/\{"key":.*?"final":(?:true|false)\}/g) ?? []));
    if (page.next === undefined) return { rows, pages, late: page.late, events: page.events };
    if (pages > 10_000) throw new Error("the view has no end");
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

const expected = () =>
  evaluate(
    salesPerSecond,
    taken.map((batch) => batch.map((event) => ({ ...event }))),
  );
const start = 1_800_000_000_000;

function randomBatch(seed: number, round: number): Sale[] {
  const random = createRandom(seed);
  return Array.from({ length: 150 }, () => ({
    item: random.pick(["tea", "coffee", "milk", "ü", "😀", ""]),
    amount: random.int(500) - 50,
    at: start + round * 700 - (random.oneIn(30) ? 9_000 : random.int(2_500)),
  }));
}

describe("a stream", () => {
  test("counts every batch once, whatever is repeated and whenever memory is lost, as a plain evaluation does", async () => {
    for (let round = 0; round < 30; round++) {
      const batch = randomBatch(round + 1, round);
      const name = `round-${round}`;
      const first = await ingest(batch, name);
      expect([round, first.status, first.body["accepted"]]).toEqual([round, 200, 150]);
      taken.push(batch);
      if (round % 3 === 0) await abortAllDurableObjects();
      if (round % 4 === 0) {
        const again = await ingest(batch, name);
        expect([again.body, again.headers.get("idempotency-replayed")]).toEqual([first.body, "true"]);
      }
    }
    const { rows, late, events } = await view();
    expect(rows).toEqual(expected().rows.map(rowText));
    expect([late, events]).toEqual([expected().late, 30 * 150]);
    expect(late).toBeGreaterThan(0);
  });

  test("keeps late events where they can be read, page by page and as they come, also over a restart", async () => {
    const { late } = expected();
    const found: string[] = [];
    while (found.length < late) {
      const response = await send(`/v1/flows/sales-per-second/late?limit=7&after=${found.length - 1}`);
      const { events, end } = (await response.json()) as { events: Array<{ id: number; event: object }>; end: number };
      expect([events[0]?.id, end]).toEqual([found.length, late]);
      found.push(...events.map(({ event }) => JSON.stringify(event)));
    }
    expect(found).toHaveLength(late);
    expect(found[0]).toMatch(/^\{"at":\d+,"operator":"aggregate-1","input":0,"time":\d+,"event":\{"item":.*\}\}$/);
    const headers = { accept: "text/event-stream", "last-event-id": String(late - 2) };
    const tail = await send("/v1/flows/sales-per-second/late?follow=0", { headers });
    expect(await tail.text()).toBe(`id: ${late - 1}\ndata: ${found.at(-1)}\n\n`);
    expect(await (await send("/v1/flows/sales-per-second")).json()).toMatchObject({ status: { late, drops: [] } });
  });

  test("shows the same rows in pages of any size", async () => {
    const whole = (await view()).rows;
    for (const limit of [1, 7, 50]) {
      const paged = await view(limit);
      expect(paged.rows).toEqual(whole);
      expect(paged.pages).toBe(Math.ceil(whole.length / limit));
    }
  });

  test("shows the rows of one key", async () => {
    const rows = expected().rows.filter(({ key }) => key === "😀");
    expect((await view(1_000, `/${encodeURIComponent("😀")}`)).rows).toEqual(rows.map(rowText));
  });

  test("keeps whole numbers exact beyond 2^53, also when memory is lost", async () => {
    const big = 9_007_199_254_740_993n;
    const batch = [1n, 2n, 3n].map((n) => ({ item: "gold", amount: big + n, at: start + 60_000 }));
    expect((await ingest(batch)).status).toBe(200);
    taken.push(batch);
    await abortAllDurableObjects();
    const row = expected()
      .rows.filter(({ key }) => key === "gold")
      .map(rowText);
    expect(row[0]).toContain("27021597764222985");
    expect((await view(1_000, "/gold")).rows).toEqual(row);
  });

  test("takes nothing of a batch of which one event is wrong", async () => {
    const before = await view();
    const answer = await ingest([
      { item: "a", amount: 1, at: start },
      { item: "b", amount: 1.5, at: start },
    ]);
    expect([answer.status, problemOf(answer)]).toEqual([422, "invalid-event"]);
    expect(answer.body).toMatchObject({ line: 2, field: "amount" });
    expect(await view()).toEqual(before);
  });

  test("refuses another batch under a key that was used", async () => {
    const before = await view();
    const answer = await ingest(randomBatch(99, 0), "round-1");
    expect([answer.status, problemOf(answer)]).toEqual([422, "idempotency-conflict"]);
    expect(await view()).toEqual(before);
  });

  test("answers a batch that came twice at once by one counting", async () => {
    const batch = [{ item: "twice", amount: 1, at: start + 61_000 }];
    const answers = await Promise.all([ingest(batch, "twice"), ingest(batch, "twice")]);
    taken.push(batch);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await view(1_000, "/twice")).rows).toEqual(
      expected()
        .rows.filter(({ key }) => key === "twice")
        .map(rowText),
    );
  });
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
