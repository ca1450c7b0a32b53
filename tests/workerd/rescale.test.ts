/** Partitions come and go while requests go on: nothing is refused, lost or done twice, whatever is killed meanwhile. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { murmur3 } from "../../core-wasm/reference/murmur3.ts";
import { groupOfHash, initialMap, rescaledMap } from "../../protocol/keygroups/map.ts";
import { checkMessageOrder } from "../../sim/checkers/message-order.ts";
import { createRandom } from "../../sim/random.ts";
import { admin, ask, call, freshKey, PARTITIONS, send, stub } from "./support/app.ts";
import { BankRun } from "./support/bank-run.ts";
import { sleep, untilAnswered } from "./support/patience.ts";
import { rescaleTo, status, untilThere } from "./support/rescale.ts";

const PATIENCE_MS = 40_000;

/** What of these partitions must be 0 when nothing runs. */
async function leftIn(partitions: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: partitions }, (_, n) => stub(n).status()));
  return all.reduce((sum, { waiting, attempts, locks, outbox }) => sum + waiting + attempts + locks + outbox, 0);
}

test("a number that cannot be is refused", async () => {
  for (const body of ["{}", '{"partitions":0}', '{"partitions":257}', '{"partitions":1.5}', "5", "{"]) {
    const headers = { "content-type": "application/json" };
    const response = await admin("/admin/partitions", { method: "POST", headers, body });
    expect([body, response.status]).toEqual([body, body === "{" ? 400 : 422]);
  }
  expect(await status()).toMatchObject({ partitions: PARTITIONS, wanted: PARTITIONS, phase: "still" });
});

test.each([7, 2, PARTITIONS])("to %i partitions under load, with objects killed on the way", async (partitions) => {
  const seed = Date.now() % 1_000_000;
  const random = createRandom(seed);
  const run = new BankRun(random);
  await run.beside(async () => {
    await run.someAnswers();
    await rescaleTo(partitions);
    for (let kill = 0; kill < 3; kill++) {
      await sleep(random.int(15));
      await run.abortSome();
    }
    await untilThere(partitions);
    await run.someAnswers();
  });
  console.log(`seed ${seed}: ${run.transfers} transfers`);
  expect(await leftIn(Math.max(7, partitions))).toBe(0);
});

test("nothing is refused while partitions come and go and nothing breaks", async () => {
  const accounts = Array.from({ length: 40 }, freshKey);
  const statuses = new Map<number, number>();
  let stopping = false;
  let number = 0;
  const client = async (): Promise<void> => {
    while (!stopping) {
      const at = number++;
      const from = accounts[at % accounts.length] as string;
      const to = accounts[(at * 7 + 3) % accounts.length] as string;
      if (from === to) continue;
      const answer = await call(["bank", from], "transfer", { to, amount: 1 });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      await sleep(0);
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (const partitions of [6, PARTITIONS]) {
    await rescaleTo(partitions);
    await untilThere(partitions);
    await sleep(50);
  }
  stopping = true;
  await Promise.all(clients);
  expect([...statuses.keys()].filter((each) => each !== 200 && each !== 409)).toEqual([]);
});

test("results go with their keys: a repetition is answered from them, and nothing is done again", async () => {
  const accounts = Array.from({ length: 24 }, freshKey);
  const deposit = (account: string) => call(["bank", account], "deposit", { amount: 5 }, `deposit-${account}`);
  for (const account of accounts) expect((await deposit(account)).status).toBe(200);
  await rescaleTo(9);
  await untilThere(9);
  for (const account of accounts) {
    const again = await deposit(account);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect((await ask(["bank", account], "balance")).body).toBe(105);
  }
  await rescaleTo(PARTITIONS);
  await untilThere(PARTITIONS);
  expect((await ask(["bank", accounts[0] as string], "balance")).body).toBe(105);
});

test("messages go with their senders, in order", async () => {
  const senders = Array.from({ length: 12 }, freshKey);
  const targets = Array.from({ length: 3 }, freshKey);
  const sending = (async () => {
    for (let round = 0; round < 12; round++) {
      await Promise.all(
        senders.map((sender) =>
          untilAnswered(() => call(["mail", sender], "send", { to: targets, count: 3 }, `${sender}-${round}`)),
        ),
      );
    }
  })();
  await sleep(20);
  await rescaleTo(8);
  await sleep(5);
  await abortAllDurableObjects();
  await untilThere(8);
  await rescaleTo(3);
  await untilThere(3);
  await sending;
  const end = Date.now() + PATIENCE_MS;
  const expected = senders.length * 12 * 3;
  const received = async (key: string) =>
    (await untilAnswered(() => ask(["mail", key], "received"))).body as Array<{ from: string; n: number }>;
  for (const target of targets) {
    while ((await received(target)).length < expected && Date.now() < end) await sleep(50);
  }
  const sent = senders.flatMap((sender) => targets.map((target) => ({ sender, target, count: 36 })));
  const inboxes = await Promise.all(
    targets.map(
      async (target) => [target, (await received(target)).map(({ from, n }) => ({ sender: from, n }))] as const,
    ),
  );
  expect(checkMessageOrder({ sent, received: Object.fromEntries(inboxes) })).toEqual([]);
  await rescaleTo(PARTITIONS);
  await untilThere(PARTITIONS);
});

test("what waits for its time goes with its key: it fires once, and a cancel finds it wherever it is", async () => {
  const senders = Array.from({ length: 12 }, freshKey);
  const to = freshKey();
  const ids = new Map<string, readonly string[]>();
  const due = Date.now() + 4_000;
  for (const sender of senders) {
    const { body } = await untilAnswered(() =>
      call(["clock", sender], "later", { to, at: due, count: 4 }, `${sender}.set`),
    );
    ids.set(sender, body as readonly string[]);
  }
  const cancel = async (sender: string, n: number) =>
    (
      await untilAnswered(() =>
        call(["clock", freshKey()], "cancel", { ids: [ids.get(sender)?.[n]] }, `${sender}.${n}`),
      )
    ).body;
  await rescaleTo(8);
  const early = Promise.all(senders.map((sender) => cancel(sender, 0)));
  await sleep(5);
  await abortAllDurableObjects();
  await untilThere(8);
  expect(await early).toEqual(senders.map(() => [true]));
  expect(await Promise.all(senders.map((sender) => cancel(sender, 1)))).toEqual(senders.map(() => [true]));
  await rescaleTo(3);
  await abortAllDurableObjects();
  await untilThere(3);
  const left = senders.length * 2;
  const rung = async () =>
    (await untilAnswered(() => ask(["clock", to], "rung"))).body as Array<{ from: string; n: number; clock: number }>;
  const end = Date.now() + PATIENCE_MS;
  while ((await rung()).length < left && Date.now() < end) await sleep(50);
  await sleep(300);
  const names = (await rung()).map(({ from, n }) => `${from}.${n}`);
  expect(names.toSorted()).toEqual(senders.flatMap((sender) => [`${sender}.3`, `${sender}.4`]).toSorted());
  expect((await rung()).filter(({ clock }) => clock < due)).toEqual([]);
  await rescaleTo(PARTITIONS);
  await untilThere(PARTITIONS);
}, 120_000);

test("a stream goes to another partition with its open windows, its view and what was taken of it", async () => {
  const group = groupOfHash(murmur3("sales"));
  const map = initialMap(PARTITIONS);
  const moves = (partitions: number) => rescaledMap(map, partitions).groups[group] !== map.groups[group];
  const partitions = [1, 2, 3, 5, 6, 7, 8].find(moves) as number;
  const start = 1_800_000_000_000;
  const ingest = async (batch: number) => {
    const events = Array.from(
      { length: 20 },
      (_, n) => `{"item":"tea","amount":${n + 1},"at":${start + batch * 1_500 + n}}`,
    );
    const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"events-${batch}"` };
    return (await send("/v1/streams/sales", { method: "POST", headers, body: events.join("\n") })).json();
  };
  const view = async () => (await send("/v1/views/sales-per-second?limit=1000")).json() as Promise<{ rows: unknown[] }>;
  for (let batch = 0; batch < 5; batch++) await ingest(batch);
  const before = await view();
  expect(before.rows.length).toBeGreaterThan(3);
  await rescaleTo(partitions);
  await untilThere(partitions);
  expect(await view()).toEqual(before);
  await abortAllDurableObjects();
  expect(await view()).toEqual(before);
  // A batch that was taken before is not taken again, and the next goes on where that was.
  await ingest(4);
  expect(await view()).toEqual(before);
  await ingest(5);
  const after = await view();
  expect(after).toMatchObject({ events: 120, batches: 6 });
  await rescaleTo(PARTITIONS);
  await untilThere(PARTITIONS);
  expect(await view()).toEqual(after);
});
