/** Backups and erasing beside partitions that come and go: each waits for the other, or says that it is to be asked for again. */
import { expect, test } from "vitest";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { BACKUP_ROW, decodeTable } from "../../protocol/backup/table.ts";
import { parseStateKey } from "../../protocol/state/state-key.ts";
import { createRandom } from "../../sim/random.ts";
import { decodeValue } from "../../sdk/values.ts";
import { tablesIn } from "../../worker/admin/tables.ts";
import { OPENING_BALANCE } from "../app/src/bank.ts";
import { admin, ask, call, freshKey, PARTITIONS } from "./support/app.ts";
import { BankRun } from "./support/bank-run.ts";
import { sleep } from "./support/patience.ts";
import { rescaleTo, status, untilThere } from "./support/rescale.ts";

const GROWN = 6;
/** Longer than a move of so few keys takes. */
const LONG_MS = 1_000;

const backup = (): Promise<Response> => admin("/admin/backup", { method: "POST" });

async function problemIn(response: Response): Promise<string> {
  return `${response.status} ${((await response.json()) as { type: string }).type}`;
}

function erase(key: string): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return admin("/admin/erase", { method: "POST", headers, body: JSON.stringify({ service: "bank", key }) });
}

/** Accounts of a backup, each of which must be in it once, with all their money: transfers write both sides. */
async function accountsIn(response: Response): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  let isWhole = false;
  for await (const table of tablesIn(response.body as ReadableStream<Uint8Array>)) {
    for (const { kind, first, second } of decodeTable(createReferenceKernels(), table).rows) {
      isWhole = kind === BACKUP_ROW.trailer;
      if (kind !== BACKUP_ROW.pair) continue;
      const { service, key } = parseStateKey(first);
      if (service !== "bank") continue;
      expect([key, found.has(key)]).toEqual([key, false]);
      found.set(key, (decodeValue(second) as { balance: number }).balance);
    }
  }
  expect(isWhole).toBe(true);
  const money = [...found.values()].reduce((sum, balance) => sum + balance, 0);
  expect(money).toBe(found.size * OPENING_BALANCE);
  return found;
}

test("backups while partitions come and go under load are of one moment, or refused", async () => {
  const run = new BankRun(createRandom(Date.now() % 1_000_000));
  const outcomes = new Map<string, number>();
  const attempt = async (): Promise<boolean> => {
    const response = await backup();
    const outcome = response.status === 200 ? "taken" : await problemIn(response);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (outcome === "taken") await accountsIn(response);
    return outcome === "taken";
  };
  await run.beside(async () => {
    await run.someAnswers();
    for (const partitions of [GROWN, PARTITIONS, GROWN, PARTITIONS]) {
      const moving = rescaleTo(partitions).then(() => untilThere(partitions));
      let there = false;
      void moving.then(() => (there = true));
      while (!there) {
        await attempt();
        await sleep(1);
      }
      await moving;
      for (let tries = 0; !(await attempt()); tries++) {
        if (tries > 200) throw new Error(`no backup behind a move: ${JSON.stringify([...outcomes])}`);
        await sleep(20);
      }
    }
  });
  console.log([...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join(", "));
  const refused = ["503 /problems/keys-moving", "503 /problems/backup-interrupted"];
  expect([...outcomes.keys()].filter((outcome) => outcome !== "taken" && !refused.includes(outcome))).toEqual([]);
  expect(outcomes.get("503 /problems/keys-moving")).toBeGreaterThan(0);
});

test("what would come to a partition waits until its backup is read, and what would be begun meanwhile is refused", async () => {
  const accounts = Array.from({ length: 40 }, freshKey);
  const pay = async (): Promise<void> => {
    for (const [at, from] of accounts.entries()) {
      const to = accounts[(at + 7) % accounts.length] as string;
      expect((await call(["bank", from], "transfer", { to, amount: 1 })).status).toBe(200);
    }
  };
  await pay();
  await rescaleTo(GROWN);
  await untilThere(GROWN);
  await pay();
  let taken = await backup();
  // What is left by the move is deleted first.
  for (; taken.status === 503; taken = await backup()) await sleep(20);
  expect(taken.status).toBe(200);
  await rescaleTo(PARTITIONS);
  await sleep(LONG_MS);
  expect(await status()).toMatchObject({ partitions: GROWN, wanted: PARTITIONS, phase: "copying" });
  expect(await problemIn(await backup())).toBe("503 /problems/keys-moving");
  expect(await problemIn(await erase(accounts[0] as string))).toBe("503 /problems/keys-moving");
  await pay();
  expect((await accountsIn(taken)).size).toBeGreaterThanOrEqual(accounts.length);
  await untilThere(PARTITIONS);
  await pay();
});

test("a backup that nobody reads further does not hold a move for good", async () => {
  await rescaleTo(GROWN);
  await untilThere(GROWN);
  let taken = await backup();
  for (; taken.status === 503; taken = await backup()) await sleep(20);
  await rescaleTo(PARTITIONS);
  await taken.body?.cancel();
  await untilThere(PARTITIONS);
});

test("what is erased is erased where it has come to, and where it was", async () => {
  const key = freshKey();
  const deposit = () => call(["bank", key], "deposit", { amount: 5 }, `deposit-${key}`);
  expect((await deposit()).status).toBe(200);
  await rescaleTo(GROWN);
  await untilThere(GROWN);
  let erased = await erase(key);
  for (; erased.status === 503; erased = await erase(key)) await sleep(20);
  expect(erased.status).toBe(200);
  expect((await deposit()).status).toBe(410);
  expect((await ask(["bank", key], "balance")).body).toBe(OPENING_BALANCE);
  await rescaleTo(PARTITIONS);
  await untilThere(PARTITIONS);
  expect((await deposit()).status).toBe(410);
});
