/** Backups whose asks come at any time among transactions, messages and decisions: what they hold is one moment of the whole domain. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AdminAsk, type AdminReply, type FreezeAnswer, NO_TABLE } from "../../../protocol/backup/asks.ts";
import { BACKUP_ROW, decodeTable } from "../../../protocol/backup/table.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { ANSWER_FLAG } from "../../../protocol/wire/answer.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service } from "../../../sdk/index.ts";
import { createRandom, type Random } from "../../../sim/random.ts";
import { Domain } from "../../../worker/admin/domain.ts";
import { pinAll } from "../../../worker/admin/standstill.ts";
import { pinnedTables } from "../../../worker/admin/tables.ts";
import { z } from "zod";
import { add, on, pause } from "../../workerd/support/steps.ts";
import { useLimits } from "../../support/limits.ts";
import { clientId } from "../support/ingest-frame.ts";
import { BackupDriver } from "../support/backup-driver.ts";
import { Cluster } from "../support/cluster.ts";
import { type Answered, kernels } from "../support/lone-partition.ts";

/** Folds, and tables, of a few transactions. */
vi.mock(import("../../../protocol/limits.ts"), async (load) => {
  const { LIMITS } = await load();
  return { LIMITS: { ...LIMITS, foldBytes: 1_500, backupTableBytes: 2_000 } } as never;
});

const PARTITIONS = 3;
const PURSES = 2;
const OPENING = 100;
const SEEDS = Number(process.env["TIDEGATE_SEEDS"] ?? 60);

const money = z.object({ to: z.string(), amount: z.int() });
const Purse = contract("purse", {
  /** In one transaction. */
  transfer: fn({ input: money }),
  /** By a message. */
  mail: fn({ input: money }),
  take: fn({ input: z.object({ amount: z.int() }) }),
  balance: query({ output: z.int() }),
  rest: fn({}),
});
/** Kept by a domain that nobody has used, too. */
const SCHEDULED = "new-year";
const purse = service(
  Purse,
  {
    state: () => ({ balance: OPENING }),
    schedules: { yearly: { cron: "0 0 1 1 *", key: SCHEDULED, function: "rest" } },
  },
  {
    async transfer(ctx, { to, amount }) {
      ctx.state.balance -= amount;
      await ctx.call(Purse, to).take({ amount });
    },
    mail(ctx, { to, amount }) {
      ctx.state.balance -= amount;
      ctx.send(Purse, to).take({ amount });
    },
    take(ctx, { amount }) {
      ctx.state.balance += amount;
    },
    balance: (ctx) => ctx.state.balance,
    rest: () => undefined,
  },
);

interface Sent {
  readonly peer: number;
  readonly frame: Uint8Array;
  answered: () => Answered[] | undefined;
}

class Bank {
  readonly cluster: Cluster;
  readonly #random: Random;
  readonly keys: Array<readonly [peer: number, key: string]>;
  readonly sent: Sent[] = [];
  #ids = 0;

  constructor(cluster: Cluster, random: Random) {
    this.cluster = cluster;
    this.#random = random;
    this.keys = Array.from({ length: PARTITIONS * PURSES }, (_, n) => {
      const peer = n % PARTITIONS;
      return [peer, cluster.place(peer, Math.floor(n / PARTITIONS))[1]] as const;
    });
  }

  async request(): Promise<void> {
    const [peer, from] = this.#random.pick(this.keys);
    const [, to] = this.#random.pick(this.keys.filter(([, key]) => key !== from));
    const name = this.#random.int(2) === 0 ? "transfer" : "mail";
    const input = JSON.stringify({ to, amount: 1 + this.#random.int(9) });
    const id = clientId(++this.#ids);
    const fields = [id, "purse", from, name, input];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, INVOKE_FLAG.clientId, 0, 0], fields });
    this.sent.push({ peer, frame, answered: await this.cluster.give(peer, { kind: "invoke", frame }) });
  }

  async balances(): Promise<number> {
    let sum = 0;
    for (const [at, [peer, key]] of this.keys.entries()) {
      const id = `c${"f".repeat(20)}${(++this.#ids).toString(16).padStart(11, "0")}`;
      const fields = [id, "purse", key, "balance", ""];
      const frame = kernels.pack(INVOKE, { rows: 1, columns: [at, INVOKE_FLAG.clientId, 0, 0], fields });
      const answered = await this.cluster.give(peer, { kind: "invoke", frame });
      await this.cluster.settle();
      sum += Number(answered()?.[0]?.body);
    }
    return sum;
  }
}

/** A backup among everything else; with the requests that were answered before it began. */
async function backUp(seed: number): Promise<{ driver: BackupDriver; before: Sent[] }> {
  const random = createRandom(seed);
  const cluster = await Cluster.up(PARTITIONS, [purse]);
  const bank = new Bank(cluster, random);
  let driver: BackupDriver | undefined;
  let before: Sent[] = [];
  const begins = 20 + random.int(60);
  for (let step = 0; driver?.phase !== "done"; step++) {
    if (step > 20_000) throw new Error(`the backup never ends: ${driver?.phase}`);
    if (step >= begins && (driver === undefined || driver.phase === "failed")) {
      before = bank.sent.filter(({ answered }) => answered() !== undefined);
      await driver?.giveUp();
      driver = new BackupDriver(cluster, PARTITIONS, random, `backup-${step}`);
    }
    const kind = random.int(20);
    if (kind < 3) await bank.request();
    else if (kind < 6) await driver?.step();
    else if (kind === 6) await cluster.fold(random.int(PARTITIONS));
    else if (kind === 7) await disturb(cluster, random, driver);
    else if (cluster.net.length > 0) await deliverSome(cluster, random);
    else await cluster.pass(50);
  }
  return { driver, before };
}

/** Where the moment of the backup could be torn: a partition loses its memory, or so much time passes that it goes on by itself. */
async function disturb(cluster: Cluster, random: Random, driver: BackupDriver | undefined): Promise<void> {
  const inTheMoment = driver?.phase === "pin" || driver?.phase === "thaw";
  if (random.int(inTheMoment ? 3 : 40) > 0) return;
  if (random.int(4) > 0) await cluster.restart(random.int(PARTITIONS));
  else await cluster.pass(6_000);
}

/** Any batch; decisions are slow, so that some know of one and others do not. */
async function deliverSome(cluster: Cluster, random: Random): Promise<void> {
  const batch = random.pick(cluster.net);
  if (batch.messages.some(({ kind }) => kind === "decide") && random.int(6) > 0) return;
  await cluster.deliver((other) => other === batch);
}

async function restored({ tables, id }: BackupDriver): Promise<Cluster> {
  const cluster = await Cluster.up(PARTITIONS, [purse]);
  for (const [peer, own] of tables.entries()) {
    await ok(cluster.admin(peer, { op: "restore", id }));
    for (const bytes of own) await ok(cluster.admin(peer, { op: "restore-table", id, bytes }));
  }
  for (const peer of tables.keys()) {
    const { restart } = await ok(cluster.admin(peer, { op: "restore-end", id }));
    expect(restart).toBe(true);
    await cluster.restart(peer);
  }
  await cluster.settle();
  return cluster;
}

async function ok(asked: Promise<AdminReply | Uint8Array>): Promise<AdminReply> {
  const answer = await asked;
  if (answer instanceof Uint8Array || answer.status !== 200) throw new Error(JSON.stringify(answer));
  return answer;
}

test("what is restored is whole: money, messages on their way, and answers", { timeout: 120_000 }, async () => {
  let answers = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { driver, before } = await backUp(seed);
    const cluster = await restored(driver);
    const bank = new Bank(cluster, createRandom(seed));
    expect(await bank.balances(), `seed ${seed}`).toBe(PARTITIONS * PURSES * OPENING);
    for (const { peer, frame, answered } of before) {
      const again = await cluster.give(peer, { kind: "invoke", frame });
      await cluster.settle();
      const [answer] = again() ?? [];
      expect(answer, `seed ${seed}`).toEqual({ ...answered()?.[0], flags: ANSWER_FLAG.replayed });
      answers += 1;
    }
    expect(await bank.balances(), `seed ${seed}`).toBe(PARTITIONS * PURSES * OPENING);
  }
  // Otherwise nothing was tried.
  expect(answers).toBeGreaterThan(SEEDS * 3);
});

describe("a partition", () => {
  test("that stands still starts nothing, and goes on when it may, or when nobody comes back", async () => {
    const cluster = await Cluster.up(2, [purse]);
    await ok(cluster.admin(0, { op: "freeze", id: "b" }));
    const key = cluster.place(0)[1];
    const frame = kernels.pack(INVOKE, {
      rows: 1,
      columns: [0, INVOKE_FLAG.clientId, 0, 0],
      fields: [`c${"1".repeat(31)}`, "purse", key, "balance", ""],
    });
    const answered = await cluster.give(0, { kind: "invoke", frame });
    await cluster.run();
    expect(answered()).toBeUndefined();
    await ok(cluster.admin(0, { op: "thaw", id: "b", standstill: null }));
    await cluster.run();
    expect(answered()?.[0]?.body).toBe("100");

    const frozen = await ok(cluster.admin(0, { op: "freeze", id: "c" }));
    const { standstill } = JSON.parse(frozen.body) as FreezeAnswer;
    await cluster.pass(10_000);
    const { body } = await ok(cluster.admin(0, { op: "thaw", id: "c", standstill }));
    expect(JSON.parse(body)).toEqual({ held: false });
  });

  test("pins nothing unless it stands still for whoever asks", async () => {
    const cluster = await Cluster.up(2, [purse]);
    const pin = { op: "pin", id: "b", service: null, standstill: "1.1", round: 0 } as const;
    expect(await cluster.admin(0, pin)).toMatchObject({ status: 503 });
    await ok(cluster.admin(0, { op: "freeze", id: "other" }));
    expect(await cluster.admin(0, { ...pin, standstill: "1.2" })).toMatchObject({ status: 503 });
    expect(await cluster.admin(0, { op: "freeze", id: "b" })).toMatchObject({ status: 409 });
  });

  test("whose pin broke says so however often it is asked: it does not pass for one that has no more tables", async () => {
    const cluster = await Cluster.up(1, [purse]);
    const { body } = await ok(cluster.admin(0, { op: "freeze", id: "b" }));
    const { standstill } = JSON.parse(body) as FreezeAnswer;
    await ok(cluster.admin(0, { op: "pin", id: "b", service: null, standstill, round: 0 }));
    await ok(cluster.admin(0, { op: "thaw", id: "b", standstill }));
    await ok(cluster.admin(0, { op: "erase", service: "purse", key: "k" }));
    for (let asked = 0; asked < 3; asked++)
      expect(await cluster.admin(0, { op: "table", id: "b", number: 0 })).toMatchObject({ status: 503 });
  });

  test("that takes a backup in serves nothing, and when it is stopped it is empty", async () => {
    const { driver } = await backUp(3);
    const cluster = await Cluster.up(PARTITIONS, [purse]);
    const [bytes] = driver.tables[0] as [Uint8Array];
    const { id } = driver;
    await ok(cluster.admin(0, { op: "restore", id }));
    await ok(cluster.admin(0, { op: "restore-table", id, bytes }));
    expect(await cluster.admin(0, { op: "restore", id: "another" })).toMatchObject({ status: 409 });
    expect(await cluster.admin(0, { op: "restore-end", id })).toMatchObject({ status: 422 });
    const frame = kernels.pack(INVOKE, {
      rows: 1,
      columns: [0, INVOKE_FLAG.clientId, 0, 0],
      fields: [`c${"1".repeat(31)}`, "purse", cluster.place(0)[1], "balance", ""],
    });
    expect((await cluster.give(0, { kind: "invoke", frame }))()?.[0]?.status).toBe(503);
    await cluster.restart(0);
    await cluster.settle();
    expect(JSON.parse((await ok(cluster.admin(0, { op: "restore", id }))).body)).toMatchObject({ next: 1 });
    expect((await ok(cluster.admin(0, { op: "restore-stop", id }))).restart).toBe(true);
    await cluster.restart(0);
    await cluster.settle();
    expect(cluster.stores[0]!.stateBlocks.size + cluster.stores[0]!.records.length).toBe(0);
    expect((await cluster.give(0, { kind: "invoke", frame }))()?.[0]?.body).toBe("100");
  });
});

test("no restore begins while a transaction runs, or is undecided: it would be answered, and be part of what is restored", async () => {
  const c = await Cluster.up(2);
  const [a, b] = [c.place(0), c.place(1)];
  const alone = await c.ask(a, [pause(1), add(5)]);
  expect(await c.admin(0, { op: "restore", id: "b" })).toMatchObject({ status: 503 });
  await c.open(1);
  await c.settle();
  expect(alone.answer?.status).toBe(200);
  expect(await c.admin(0, { op: "restore", id: "b" })).toMatchObject({ status: 409 });
  await c.ask(a, [on("call", b, add(5))]);
  await c.until("decide", 0, 1);
  expect(await c.admin(1, { op: "restore", id: "b" })).toMatchObject({ status: 503 });
  await c.settle();
  expect(await c.admin(1, { op: "restore", id: "b" })).toMatchObject({ status: 409 });
  expect(await c.look(b)).toBe(5);
});

test("a schedule that the code declares is no use of a domain: a backup is restored over it", async () => {
  const { driver } = await backUp(5);
  const fresh = await Cluster.up(PARTITIONS, [purse]);
  const peer = fresh.partitionOf(["purse", SCHEDULED]);
  const rows = async (cluster: Cluster): Promise<unknown> =>
    JSON.parse(
      (await ok(cluster.admin(peer, { op: "rows", service: "#timers", key: SCHEDULED, after: null, limit: 10 }))).body,
    );
  // The schedule, and the message that waits.
  expect(await rows(fresh)).toMatchObject({ rows: [expect.anything(), expect.anything()] });
  expect(await rows(await restored(driver))).toMatchObject({ rows: [expect.anything(), expect.anything()] });
});

describe("a backup whose results are not read", () => {
  const limits = useLimits({ maxUnfoldedBytes: 20_000 });

  test.each([
    ["than it can keep", 300],
    ["than may wait to be folded", LIMITS.pinBytes],
  ])("ends when more is written %s, and keeps the partition from no work", async (_what, pinBytes) => {
    limits.pinBytes = pinBytes;
    const cluster = await Cluster.up(1, [purse]);
    const { standstill } = JSON.parse((await ok(cluster.admin(0, { op: "freeze", id: "b" }))).body) as FreezeAnswer;
    await ok(cluster.admin(0, { op: "pin", id: "b", service: null, standstill, round: 0 }));
    await ok(cluster.admin(0, { op: "thaw", id: "b", standstill }));
    const statuses = new Set<number | undefined>();
    for (let n = 0; n < 300; n++) {
      const fields = [clientId(n), "purse", `k${n % 20}`, "take", '{"amount":1}'];
      const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
      const answered = await cluster.give(0, { kind: "invoke", frame });
      await cluster.run();
      await cluster.pass(50);
      statuses.add(answered()?.[0]?.status);
      await cluster.fold(0);
    }
    expect([...statuses]).toEqual([200]);
    expect(await cluster.admin(0, { op: "table", id: "b", number: 0 })).toMatchObject({ status: 503 });
  });
});

describe("a reader that takes a table each 7 s, of more partitions than are asked at a time", () => {
  const many = 10;
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  // Older code knows of no ask for no table: like any that is out of order it refuses that.
  test.each([
    ["as they are", NO_TABLE],
    ["of older code", NO_TABLE - 1],
  ])("gets all of them, from partitions %s", async (_which, noTable) => {
    const cluster = await Cluster.up(many, [purse], [], true);
    let asked: Promise<unknown> = Promise.resolve();
    const admin = (peer: number, ask: AdminAsk): Promise<AdminReply | Uint8Array> => {
      const sent = ask.op === "table" && ask.number === NO_TABLE ? { ...ask, number: noTable } : ask;
      const answer = asked.then(() => cluster.admin(peer, sent));
      asked = answer;
      return answer;
    };
    const backend = { token: "", partition: (peer: number) => ({ admin: admin.bind(null, peer), scrub: () => true }) };
    const domain = new Domain(backend as never, { partitions: many, version: 1 });
    await pinAll(domain, "b", null);
    const ends = new Set<number>();
    for await (const bytes of pinnedTables(domain, "b")) {
      const { partition, rows } = decodeTable(kernels, bytes);
      if (rows.at(-1)?.kind === BACKUP_ROW.end) ends.add(partition);
      vi.setSystemTime(Date.now() + 7_000);
      await cluster.pass(7_000);
    }
    expect(ends.size).toBe(many);
  });
});

describe("a standstill and a move", () => {
  async function frozen(): Promise<{ cluster: Cluster; standstills: string[] }> {
    const cluster = await Cluster.up(2, [purse], [], true);
    const answers = [0, 1].map((peer) => ok(cluster.admin(peer, { op: "freeze", id: "b" })));
    const standstills = (await Promise.all(answers)).map(({ body }) => JSON.parse(body) as FreezeAnswer);
    expect(standstills).toMatchObject([
      { quiet: true, map: 1 },
      { quiet: true, map: 1 },
    ]);
    return { cluster, standstills: standstills.map(({ standstill }) => standstill) };
  }
  const pin = (cluster: Cluster, standstills: readonly string[], peer: number) =>
    cluster.admin(peer, { op: "pin", id: "b", service: null, standstill: standstills[peer] as string, round: 0 });
  const problemOf = (answer: AdminReply | Uint8Array) => JSON.parse((answer as AdminReply).body) as object;
  async function move(cluster: Cluster): Promise<void> {
    cluster.coordinator.rescale(1);
    await cluster.turn();
    await cluster.run();
  }

  test("that begins before it: nothing stands still, is pinned, restored or erased", async () => {
    const cluster = await Cluster.up(2, [purse], [], true);
    await move(cluster);
    for (const peer of [0, 1])
      for (const ask of [
        { op: "freeze", id: "b" },
        { op: "restore", id: "b" },
        { op: "erase", service: "purse", key: "k" },
      ] as const)
        expect(problemOf(await cluster.admin(peer, ask))).toMatchObject({
          type: "/problems/keys-moving",
          retryable: true,
        });
  });

  test("that begins between standstill and pin: there is no pin", async () => {
    const { cluster, standstills } = await frozen();
    await move(cluster);
    for (const peer of [0, 1])
      expect(problemOf(await pin(cluster, standstills, peer))).toMatchObject({ type: "/problems/backup-interrupted" });
  });

  test("that begins between pin and thaw: the thaw says that it was not held", async () => {
    const { cluster, standstills } = await frozen();
    for (const peer of [0, 1]) expect(await pin(cluster, standstills, peer)).toMatchObject({ status: 200 });
    await move(cluster);
    for (const peer of [0, 1]) {
      const { body } = await ok(cluster.admin(peer, { op: "thaw", id: "b", standstill: standstills[peer] as string }));
      expect(JSON.parse(body)).toEqual({ held: false });
    }
  });

  test("that begins behind it: nothing comes until the pin is released", async () => {
    const { cluster, standstills } = await frozen();
    for (const peer of [0, 1]) await pin(cluster, standstills, peer);
    for (const peer of [0, 1]) {
      const { body } = await ok(cluster.admin(peer, { op: "thaw", id: "b", standstill: standstills[peer] as string }));
      expect(JSON.parse(body)).toEqual({ held: true });
    }
    await move(cluster);
    await cluster.pass(1_000);
    await cluster.run();
    expect(cluster.log).toContain("1>0 move-begin");
    expect(cluster.log).not.toContain("0>1 move-taken");
    await ok(cluster.admin(0, { op: "release", id: "b" }));
    await cluster.pass(1_000);
    await cluster.run();
    expect(cluster.log).toContain("0>1 move-taken");
  });
});
