/** Batches: each line its own transaction, lines of a key in their order, faults each by themselves. */
import { describe, expect, test } from "vitest";
import { batch, call, freshKey, leftovers, look, send, type LineResult } from "./support/app.ts";

const deposit = (key: string, amount: number) => ({ service: "account", key, function: "deposit", input: { amount } });
const byLine = (results: LineResult[]) => [...results].sort((a, b) => a.line - b.line);

describe("a batch", () => {
  test("runs the lines of a key in their order, whatever runs between", async () => {
    const keys = Array.from({ length: 7 }, freshKey);
    const lines = Array.from({ length: 2_100 }, (_, n) => ({
      service: "pa",
      key: keys[n % keys.length],
      function: "run",
      input: { steps: [{ op: "append", id: `${n}` }, ...(n % 5 === 0 ? [{ op: "pause" }] : [])] },
    }));
    const results = await batch(lines);
    expect(results.length).toBe(2_100);
    expect(results.every(({ status }) => status === 200)).toBe(true);
    for (const [k, key] of keys.entries()) {
      const expected = lines.map((_, n) => n).filter((n) => n % keys.length === k);
      expect(await look(["pa", key])).toMatchObject({ ids: expected.map(String) });
    }
  });

  test("runs the lines of a key in their order across its services", async () => {
    const key = freshKey();
    const services = ["pa", "pb"];
    const lines = Array.from({ length: 200 }, (_, n) => ({
      service: services[n % 2],
      key,
      function: "run",
      input: {
        steps: [
          { op: "append", id: `${n}` },
          { op: "call", at: [services[(n + 1) % 2], key], steps: [{ op: "append", id: `${n}` }] },
        ],
      },
    }));
    expect((await batch(lines)).every(({ status }) => status === 200)).toBe(true);
    const order = lines.map((_, n) => String(n));
    expect(await look(["pa", key])).toMatchObject({ ids: order });
    expect(await look(["pb", key])).toMatchObject({ ids: order });
  });

  test("keeps the order of lines in its answer when asked to", async () => {
    const keys = Array.from({ length: 50 }, freshKey);
    const results = await batch(
      keys.map((key, n) => deposit(key, n + 1)),
      { ordered: true },
    );
    expect(results.map(({ line, result }) => [line, result])).toEqual(keys.map((_, n) => [n + 1, n + 1]));
  });

  test("has a result for every faulty line and runs the others", async () => {
    const key = freshKey();
    const lines = [
      deposit(key, 1),
      "not json",
      { service: "account", key, function: "withdraw", input: { amount: 100 } },
      { service: "account", key: "", function: "deposit", input: { amount: 1 } },
      "",
      { service: "nobody", key, function: "deposit", input: { amount: 1 } },
      deposit(key, -1),
      { service: "unruly", key, function: "boom" },
      deposit(key, 2),
      { service: "account", key, function: "balance" },
    ];
    const results = byLine(await batch(lines));
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, 200],
      [2, 400],
      [3, 409],
      [4, 400],
      [6, 404],
      [7, 422],
      [8, 500],
      [9, 200],
      [10, 200],
    ]);
    expect(results.at(-1)?.result).toBe(3);
    expect(results.find(({ line }) => line === 3)?.problem).toMatchObject({ data: { balance: 1 } });
  });

  test("of nothing answers nothing", async () => {
    expect(await batch([])).toEqual([]);
  });

  test("of too many lines is refused before any runs", async () => {
    const key = freshKey();
    const body = `${JSON.stringify(deposit(key, 1))}\n`.repeat(100_001);
    const response = await send("/v1/batch", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body,
    });
    expect(response.status).toBe(413);
    expect((await call(["account", key], "balance")).body).toBe(0);
  });
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
