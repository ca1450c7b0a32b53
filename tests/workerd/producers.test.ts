/** Producers that number their batches: each number once and in order, also when memory is lost. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { leftovers, problemOf, send } from "./support/app.ts";

async function ingest(producer: string, sequence: number, events: number, item = "tea") {
  const at = 1_800_000_000_000;
  const body = JSON.stringify(Array.from({ length: events }, () => ({ item, amount: 1, at })));
  const headers = {
    "content-type": "application/json",
    "tidegate-producer": producer,
    "tidegate-sequence": String(sequence),
  };
  const response = await send("/v1/streams/sales", { method: "POST", headers, body });
  const replayed = response.headers.get("idempotency-replayed");
  return { status: response.status, replayed, body: (await response.json()) as Record<string, unknown> };
}

async function counted(item: string): Promise<number> {
  const response = await send(`/v1/views/sales-per-second/${item}`);
  const { rows } = (await response.json()) as { rows: ReadonlyArray<{ sales: number }> };
  return rows.reduce((sum, { sales }) => sum + sales, 0);
}

test("a producer's batches are taken once each and without gaps, whenever memory is lost", async () => {
  for (let sequence = 1; sequence <= 12; sequence++) {
    const gap = await ingest("till-1", sequence + 1, 2);
    expect([gap.status, problemOf(gap), gap.body["expected"]]).toEqual([409, "sequence-gap", sequence]);
    const first = await ingest("till-1", sequence, 2);
    expect([first.status, first.body["accepted"], first.replayed]).toEqual([200, 2, null]);
    if (sequence % 3 === 0) await abortAllDurableObjects();
    for (const again of [sequence, 1]) {
      const answer = await ingest("till-1", again, 2);
      expect([answer.status, answer.body["accepted"], answer.replayed]).toEqual([200, 2, "true"]);
    }
  }
  expect(await counted("tea")).toBe(24);
});

test("a number stands for one body", async () => {
  const answer = await ingest("till-1", 5, 3);
  expect([answer.status, problemOf(answer)]).toEqual([422, "idempotency-conflict"]);
});

test("producers count for themselves, each from 1 on", async () => {
  expect((await ingest("till-2", 1, 1, "milk")).status).toBe(200);
  expect((await ingest("till-3", 2, 1, "milk")).status).toBe(409);
  expect((await ingest("till-3", 1, 1, "milk")).status).toBe(200);
  expect(await counted("milk")).toBe(2);
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
