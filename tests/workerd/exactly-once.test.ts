/** One Idempotency-Key, one execution, one answer. */
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import {
  batch,
  call,
  freshKey,
  freshKeyNear,
  leftovers,
  look,
  problemOf,
  run,
  stub,
  partitionOf,
} from "./support/app.ts";
import { SPACE } from "../../protocol/state/blocks/block.ts";
import { blocksOf, fold } from "./support/fold.ts";

const replayed = ({ headers }: { headers: Headers }) => headers.get("idempotency-replayed") === "true";

describe("an Idempotency-Key", () => {
  test("executes once and gives every repetition the same answer", async () => {
    const key = freshKey();
    const first = await call(["account", key], "deposit", { amount: 5 }, "one");
    const second = await call(["account", key], "deposit", { amount: 5 }, "one");
    expect([first.body, second.body, replayed(first), replayed(second)]).toEqual([5, 5, false, true]);
    expect((await call(["account", key], "deposit", { amount: 1 })).body).toBe(6);
  });

  test("holds when memory is lost, and when its record is folded", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 }, "one");
    await abortAllDurableObjects();
    expect((await call(["account", key], "deposit", { amount: 5 }, "one")).body).toBe(5);
    await fold(key);
    expect((await call(["account", key], "deposit", { amount: 5 }, "one")).body).toBe(5);
    await abortAllDurableObjects();
    const last = await call(["account", key], "deposit", { amount: 5 }, "one");
    expect([last.body, replayed(last)]).toEqual([5, true]);
    expect((await call(["account", key], "balance")).body).toBe(5);
  });

  test("with another body is refused and changes nothing", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 }, "one");
    const answer = await call(["account", key], "deposit", { amount: 6 }, "one");
    expect([answer.status, problemOf(answer)]).toEqual([422, "idempotency-conflict"]);
    expect((await call(["account", key], "balance")).body).toBe(5);
  });

  test("is its own under another key and for another function", async () => {
    const [a, b] = [freshKey(), freshKey()];
    await call(["account", a], "deposit", { amount: 5 }, "one");
    expect((await call(["account", b], "deposit", { amount: 5 }, "one")).body).toBe(5);
    expect((await call(["account", a], "withdraw", { amount: 5 }, "one")).body).toBe(0);
  });

  test("sent many times at once is executed once, and all get its answer", async () => {
    const key = freshKey();
    const steps = [{ op: "add", by: 1 } as const, { op: "pause", ms: 30 } as const, { op: "read" } as const];
    const answers = await Promise.all(Array.from({ length: 20 }, () => run(["pa", key], steps, "one")));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(replayed).length).toBe(19);
    expect(await look(["pa", key])).toMatchObject({ n: 1 });
  });

  test("of a query answers as it did, whatever has happened since", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 });
    expect((await call(["account", key], "balance", undefined, "q")).body).toBe(5);
    await call(["account", key], "deposit", { amount: 5 });
    expect((await call(["account", key], "balance", undefined, "q")).body).toBe(5);
    expect((await call(["account", key], "balance")).body).toBe(10);
  });
});

describe("answers that are recorded", () => {
  test("a refusal is: the repetition is refused even when it could now go through", async () => {
    const key = freshKey();
    const first = await call(["account", key], "withdraw", { amount: 5 }, "one");
    await call(["account", key], "deposit", { amount: 50 });
    await abortAllDurableObjects();
    const second = await call(["account", key], "withdraw", { amount: 5 }, "one");
    expect([first.status, second.status, replayed(second)]).toEqual([409, 409, true]);
    expect(second.body).toEqual(first.body);
    expect((await call(["account", key], "balance")).body).toBe(50);
  });

  test("a failure is not: the repetition runs again", async () => {
    const key = freshKey();
    const first = await call(["unruly", key], "boom", undefined, "one");
    const second = await call(["unruly", key], "boom", undefined, "one");
    expect([first.status, second.status, replayed(second)]).toEqual([500, 500, false]);
  });

  test("an input that does not fit is not: a correct one may use the key", async () => {
    const key = freshKey();
    expect((await call(["account", key], "deposit", { amount: -5 }, "one")).status).toBe(422);
    expect((await call(["account", key], "deposit", { amount: 5 }, "one")).body).toBe(5);
  });
});

describe("requests without an Idempotency-Key", () => {
  test("are each their own", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 });
    expect((await call(["account", key], "deposit", { amount: 5 })).body).toBe(10);
  });
});

describe("lines of a batch", () => {
  const line = (key: string, id: string, amount: number) => ({
    service: "account",
    key,
    function: "deposit",
    id,
    input: { amount },
  });

  test("are executed once by the batch's key and their id, also in another batch of that key", async () => {
    const key = freshKey();
    const lines = [line(key, "a", 1), line(key, "b", 2)];
    expect((await batch(lines, { idempotencyKey: `${key}-b`, ordered: true })).map(({ result }) => result)).toEqual([
      1, 3,
    ]);
    const again = [line(key, "b", 2), line(key, "c", 4), line(key, "a", 1)];
    expect((await batch(again, { idempotencyKey: `${key}-b`, ordered: true })).map(({ result }) => result)).toEqual([
      3, 7, 1,
    ]);
    expect((await call(["account", key], "balance")).body).toBe(7);
  });

  test("with the id of a line that differed are refused, each by itself", async () => {
    const key = freshKey();
    await batch([line(key, "a", 1)], { idempotencyKey: `${key}-b` });
    const results = await batch([line(key, "a", 2), line(key, "b", 3)], { idempotencyKey: `${key}-b`, ordered: true });
    expect(results.map(({ status }) => status)).toEqual([422, 200]);
    expect(results[0]?.problem?.type).toBe("/problems/idempotency-conflict");
  });

  test("with one id within one batch are executed once", async () => {
    const key = freshKey();
    const results = await batch([line(key, "a", 1), line(key, "a", 1)], { idempotencyKey: `${key}-b`, ordered: true });
    expect(results.map(({ result }) => result)).toEqual([1, 1]);
    expect((await call(["account", key], "balance")).body).toBe(1);
  });
});

test("a frame that the platform delivers twice is executed once", async () => {
  const { createReferenceKernels } = await import("../../core-wasm/reference/kernels.ts");
  const { INVOKE } = await import("../../protocol/wire/invoke.ts");
  const { ANSWER } = await import("../../protocol/wire/answer.ts");
  const kernels = createReferenceKernels();
  const key = freshKey();
  const requestId = `e${Date.now().toString(16).padStart(11, "0")}${"0".repeat(12)}00000001`;
  const frame = kernels.pack(INVOKE, {
    rows: 1,
    columns: [1, 0, 0, 0],
    fields: [requestId, "account", key, "deposit", '{"amount":5}'],
  });
  const deliver = async () => kernels.unpack(ANSWER, await stub(partitionOf(key)).invoke(frame)).field(0, 0);
  expect(await Promise.all([deliver(), deliver()])).toEqual(["5", "5"]);
  await abortAllDurableObjects();
  expect(await deliver()).toBe("5");
  await fold(key);
  await abortAllDurableObjects();
  expect(await deliver()).toBe("5");
  expect((await call(["account", key], "balance")).body).toBe(5);
});

test("an edge's id that is older than what is kept is refused, not executed", async () => {
  const { createReferenceKernels } = await import("../../core-wasm/reference/kernels.ts");
  const { INVOKE } = await import("../../protocol/wire/invoke.ts");
  const { ANSWER } = await import("../../protocol/wire/answer.ts");
  const kernels = createReferenceKernels();
  const key = freshKey();
  const requestId = `e${(Date.now() - 130_000).toString(16).padStart(11, "0")}${"0".repeat(12)}00000001`;
  const frame = kernels.pack(INVOKE, {
    rows: 1,
    columns: [1, 0, 0, 0],
    fields: [requestId, "account", key, "deposit", '{"amount":5}'],
  });
  const table = kernels.unpack(ANSWER, await stub(partitionOf(key)).invoke(frame));
  expect(table.column(0, 1)).toBe(504);
  expect((await call(["account", key], "balance")).body).toBe(0);
});

test("results of clients are stored by folds, in blocks, and expire a day later", async () => {
  const key = freshKey();
  const near = freshKeyNear(key, true);
  const before = Date.now();
  for (const [n, at] of [key, near, key].entries())
    await call(["account", at], "deposit", { amount: 1 }, `stored-${n}`);
  const results = async () => (await blocksOf(key)).filter(({ block }) => block.space === SPACE.results);
  const rows = (found: Awaited<ReturnType<typeof results>>) => found.reduce((sum, one) => sum + one.rows.length, 0);
  const known = rows(await results());
  await fold(key);
  const found = await results();
  expect(rows(found)).toBe(known + 3);
  for (const { block } of found) expect(block.expires - before).toBeGreaterThan(23 * 3_600_000);
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
