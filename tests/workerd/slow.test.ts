/** A transaction that takes too long: it is given up with a clear answer, frees what it holds, and until then holds up nobody else. */
import { afterAll, expect, test } from "vitest";
import { openGate } from "../app/src/gates.ts";
import type { RowOperation } from "../app/src/row-operation.ts";
import { type Answer, ask, call, freshKey, leftovers, problemOf } from "./support/app.ts";
import { keysApart, keysBeside } from "./support/spread.ts";
import { useLimits } from "../support/limits.ts";

/** An attempt may take this long here, and is looked at so often. */
const ATTEMPT_MS = 3_000;
const EXPIRY_MS = 200;
const MARGIN_MS = 6_000;
useLimits({ transactionMs: ATTEMPT_MS, tickMs: EXPIRY_MS });

afterAll(async () => expect(await leftovers()).toBe(0));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Slow {
  readonly answer: Promise<Answer>;
  /** Milliseconds from request to answer. */
  readonly took: Promise<number>;
  letGo(): void;
}

/** Writes one row under each of two keys, then waits at a gate that stays closed. */
async function beginSlow(keys: readonly [string, string]): Promise<Slow> {
  const name = `slow-${freshKey()}`;
  const operations: RowOperation[] = [
    { op: "write", row: 1, value: 1 },
    { op: "write", row: 2, value: 2 },
    { op: "commit" },
  ];
  openGate(`${name}/0`);
  openGate(`${name}/1`);
  const began = performance.now();
  const answer = call(["table", freshKey()], "transaction", { name, keys, operations });
  const took = answer.then(() => performance.now() - began);
  await sleep(50);
  return { answer, took, letGo: () => openGate(`${name}/2`) };
}

test("is given up with deadline-exceeded, leaves nothing, and who waited for its keys goes on", async () => {
  const [a, b] = keysApart(2);
  const slow = await beginSlow([a, b]);
  // Late enough that they may go on waiting when it is given up.
  await sleep(ATTEMPT_MS / 2);
  const waiting = [a, b].map((key, n) => call(["table", key], "write", { row: n + 3, value: 7 }));
  const answer = await slow.answer;
  expect([answer.status, problemOf(answer)]).toEqual([504, "deadline-exceeded"]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(await slow.took).toBeLessThan(ATTEMPT_MS + MARGIN_MS);
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
  slow.letGo();
  await sleep(20);
  // What the function does after that reaches nobody.
  const rows = await Promise.all([a, b].map((key) => ask(["table", key], "select", { where: "all" })));
  expect(rows.map(({ body }) => body)).toEqual([[[3, 7]], [[4, 7]]]);
});

test("does not hold up others on the same partitions, local and crossing ones", async () => {
  const keys = keysApart(2);
  const slow = await beginSlow([keys[0], keys[1]]);
  const began = performance.now();
  let slowest = 0;
  for (let n = 0; n < 10; n++) {
    const [from, to] = keysBeside(n % 2 === 0 ? keys : [keys[1], keys[0]]) as [string, string];
    const started = performance.now();
    const answers = await Promise.all([
      call(["bank", from], "transfer", { to, amount: 5 }),
      call(["bank", to], "deposit", { amount: 5 }),
      ask(["bank", from], "balances", { accounts: [from, to] }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    slowest = Math.max(slowest, performance.now() - started);
  }
  const took = performance.now() - began;
  console.log(
    `30 others took ${took.toFixed(0)} ms, the slowest three ${slowest.toFixed(0)} ms, beside one that waits for ${ATTEMPT_MS} ms`,
  );
  expect(took).toBeLessThan(ATTEMPT_MS / 2);
  slow.letGo();
  expect((await slow.answer).status).toBe(200);
  expect(await slow.took).toBeGreaterThan(took);
});
