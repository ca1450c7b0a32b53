/** Where many transactions act in a partition, what leaves it waits for a timer; where few do, for none. */
import { afterAll, expect, test, vi } from "vitest";
import { platformTimers } from "../../durable/sandbox.ts";
import { noted, openGate, until } from "../app/src/gates.ts";
import { call, freshKey, freshKeyNear, leftovers } from "./support/app.ts";

afterAll(async () => expect(await leftovers()).toBe(0));

/** Shortest timers that are set while so many transactions of one partition end, which hold a key each until then. */
async function ringsOf(transactions: number): Promise<number> {
  const name = `crowd-of-${transactions}`;
  const near = freshKey();
  const ended = Array.from({ length: transactions }, (_, n) => {
    const keys = [near, near];
    return call(
      ["table", freshKeyNear(near, true)],
      "transaction",
      { name, keys, operations: [{ op: "commit" }] },
      `${name}-${n}`,
    );
  });
  await until(() => noted(`${name} begun`) === transactions, "all to hold their keys");
  const timer = vi.spyOn(platformTimers, "setTimeout");
  openGate(`${name}/0`);
  const answers = await Promise.all(ended);
  const rings = timer.mock.calls.filter(([, delay]) => delay === 0).length;
  timer.mockRestore();
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  return rings;
}

test("twelve transactions with a key each are a crowd", async () => {
  expect(await ringsOf(12)).toBeGreaterThan(0);
});

test("six are none", async () => {
  expect(await ringsOf(6)).toBe(0);
});
