/** Producers that number their batches: each number once and in order, also when memory is lost. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { ask, call, leftovers, problemOf, send } from "./support/app.ts";

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

test("a number whose batch a service has refused is free for another body, and no other", async () => {
  const send1 = async (sequence: number, value: number) => {
    const body = JSON.stringify([{ meter: "strict-a", value, at: 1 }]);
    const headers = {
      "content-type": "application/json",
      "tidegate-producer": "strict",
      "tidegate-sequence": String(sequence),
    };
    const response = await send("/v1/streams/strict-readings", { method: "POST", headers, body });
    const { type, accepted, duplicate } = (await response.json()) as Record<string, unknown>;
    return [response.status, type ?? accepted, response.headers.get("idempotency-replayed"), duplicate ?? false];
  };
  const total = async () => (await ask(["meter-counter", "strict-a"], "total")).body;
  expect(await send1(1, 600)).toEqual([200, 1, null, false]);
  expect(await send1(2, 500)).toEqual([409, "/problems/meter-counter/full", null, false]);
  expect(await send1(3, 1)).toEqual([409, "/problems/sequence-gap", null, false]);
  await abortAllDurableObjects();
  // The same again is refused as it was, though it would be taken now.
  await call(["meter-counter", "strict-a"], "empty");
  expect(await send1(2, 500)).toEqual([409, "/problems/meter-counter/full", "true", false]);
  expect(await total()).toBe(0);
  expect(await send1(2, 400)).toEqual([200, 1, null, false]);
  await abortAllDurableObjects();
  expect(await send1(2, 400)).toEqual([200, 1, "true", false]);
  expect(await send1(2, 500)).toEqual([409, "/problems/meter-counter/full", "true", false]);
  expect(await send1(2, 300)).toEqual([200, 0, null, true]);
  expect(await send1(3, 7)).toEqual([200, 1, null, false]);
  expect(await send1(1, 601)).toEqual([422, "/problems/idempotency-conflict", null, false]);
  expect(await total()).toBe(407);
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
