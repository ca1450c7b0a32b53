/** Partitions lose their memory, one at a time or all at once, while money crosses them: every transfer happens once, whole or not at all. */
import { afterAll, expect, test } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { leftovers } from "./support/app.ts";
import { BankRun } from "./support/bank-run.ts";

const ABORTS = 20;

afterAll(async () => expect(await leftovers()).toBe(0));

test(`${ABORTS} aborts during transfers neither lose nor double one, and no sum differs`, async () => {
  const seed = Date.now() % 1_000_000;
  const run = new BankRun(createRandom(seed));
  await run.beside(async () => {
    for (let abort = 0; abort < ABORTS; abort++) {
      await run.someAnswers();
      await run.abortSome();
    }
  });
  console.log(`seed ${seed}: ${run.transfers} transfers around ${ABORTS} aborts`);
  expect(run.transfers).toBeGreaterThan(ABORTS);
});
