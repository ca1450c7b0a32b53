/** Delayed and recurring messages on one partition whose clock is in the test's hands. */
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { dueAt, dueOf, indexed, timerId, timerWrite, timersOf, waitingRow } from "../../protocol/timers/timer.ts";
import { contract, fn, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { formatMessageId, parseMessageId } from "../../sdk/message-id.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

const limits = useLimits();

const Bell = contract("bell", {
  later: fn({ input: z.object({ delay: z.number(), count: z.number() }), output: z.array(z.string()) }),
  cancel: fn({ input: z.object({ ids: z.array(z.string()) }), output: z.number() }),
  every: fn({ input: z.object({ name: z.string(), cron: z.string(), fails: z.boolean() }) }),
  end: fn({ input: z.object({ name: z.string() }), output: z.boolean() }),
  ring: fn({ input: z.object({ n: z.number() }) }),
  rung: query({ output: z.array(z.tuple([z.number(), z.number()])) }),
});

function bell(schedules: Record<string, { cron: string; key: string; function: "ring"; input: { n: number } }> = {}) {
  return service(
    Bell,
    { state: () => ({ rung: [] as Array<[number, number]>, sent: 0 }), schedules },
    {
      later(ctx, { delay, count }) {
        return Array.from({ length: count }, () => ctx.send(Bell, ctx.key, { delay }).ring({ n: ++ctx.state.sent }));
      },
      async cancel(ctx, { ids }) {
        const won = await Promise.all(ids.map((id) => ctx.cancel(id)));
        return won.filter(Boolean).length;
      },
      async every(ctx, { name, cron, fails }) {
        await ctx.schedule(name, cron, Bell, ctx.key).ring({ n: 1 });
        if (fails) throw new Error("after scheduling");
      },
      end: (ctx, { name }) => ctx.unschedule(name),
      ring: (ctx, { n }) => void ctx.state.rung.push([n, ctx.now()]),
      rung: (ctx) => ctx.state.rung,
    },
  );
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A partition, its clock, and what it has been asked. */
class Tower {
  readonly lone: LonePartition;

  constructor(services: readonly ServiceDefinition[] = [bell()]) {
    this.lone = new LonePartition(services);
    this.lone.partition.clock = Math.ceil(this.lone.partition.clock / HOUR) * HOUR;
  }

  get now(): number {
    return this.lone.partition.clock;
  }

  async ask(name: string, input?: unknown, key = "k"): Promise<unknown> {
    const { status, body } = await this.lone.call({ service: "bell", key, name, input });
    if (status !== 200) throw new Error(`${status} ${body}`);
    return JSON.parse(body) as unknown;
  }

  rung(key = "k"): Promise<Array<[number, number]>> {
    return this.ask("rung", undefined, key) as Promise<Array<[number, number]>>;
  }

  /** Time passes, and the alarm rings. */
  async pass(ms: number): Promise<void> {
    this.lone.partition.clock += ms;
    this.lone.partition.engine.input({ kind: "alarm" });
    await this.lone.settle();
  }

  get timers(): number {
    return this.lone.partition.engine.machine.status.timers;
  }
}

describe("delayed messages", () => {
  let tower: Tower;
  beforeEach(() => void (tower = new Tower()));

  test("fire at their time, not a millisecond before", async () => {
    await tower.ask("later", { delay: 1_000, count: 2 });
    await tower.pass(999);
    expect(await tower.rung()).toEqual([]);
    await tower.pass(1);
    expect((await tower.rung()).map(([n]) => n)).toEqual([1, 2]);
    expect(tower.timers).toBe(0);
  });

  test("fire once over any number of crashes, whatever of the last turns was lost", async () => {
    await tower.ask("later", { delay: 1_000, count: 5 });
    for (let n = 0; n < 6; n++) {
      tower.lone.partition.clock += 300;
      tower.lone.partition.engine.input({ kind: "alarm" });
      tower.lone.partition.crash();
      await tower.lone.settle();
    }
    await tower.pass(1_000);
    expect((await tower.rung()).map(([n]) => n).toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(tower.timers).toBe(0);
  });

  test("that were due while the partition was away fire when it is back", async () => {
    await tower.ask("later", { delay: 1_000, count: 1 });
    tower.lone.partition.clock += HOUR;
    tower.lone.partition.crash();
    await tower.lone.settle();
    expect(await tower.rung()).toHaveLength(1);
  });

  test("beyond what is kept in memory are found in their turn, and those that come between them too", async () => {
    Object.assign(limits, { maxTimersInMemory: 4, maxFiredTogether: 3 });
    await tower.ask("later", { delay: 5_000, count: 30 });
    await tower.ask("later", { delay: 1_000, count: 20 });
    expect(tower.timers).toBeLessThanOrEqual(2 * limits.maxTimersInMemory);
    tower.lone.partition.crash();
    await tower.ask("later", { delay: 3_000, count: 10 }, "other");
    expect(tower.timers).toBeLessThanOrEqual(2 * limits.maxTimersInMemory);
    await tower.pass(1_000);
    expect((await tower.rung()).map(([n]) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n + 31));
    await tower.pass(2_000);
    expect(await tower.rung("other")).toHaveLength(10);
    await tower.pass(2_000);
    expect(await tower.rung()).toHaveLength(50);
    expect(tower.timers).toBe(0);
  });

  test("that are cancelled leave nothing behind", async () => {
    const ids = (await tower.ask("later", { delay: 1_000, count: 3 })) as string[];
    expect(await tower.ask("cancel", { ids }, "other")).toBe(3);
    expect(tower.timers).toBe(0);
    tower.lone.partition.crash();
    await tower.pass(1_000);
    expect(await tower.rung()).toEqual([]);
  });
});

describe("recurring messages", () => {
  test("come once for each time, and those that were missed once together", async () => {
    const tower = new Tower();
    await tower.ask("every", { name: "a", cron: "*/10 * * * *", fails: false });
    const from = tower.now;
    for (let n = 0; n < 30; n++) await tower.pass(MINUTE);
    expect(await tower.rung()).toEqual([10, 20, 30].map((minutes) => [1, from + minutes * MINUTE]));
    tower.lone.partition.clock += 5 * HOUR;
    tower.lone.partition.crash();
    await tower.lone.settle();
    expect(await tower.rung()).toHaveLength(4);
    await tower.pass(10 * MINUTE);
    expect(await tower.rung()).toHaveLength(5);
  });

  test("take the place of those of the same name, and end", async () => {
    const tower = new Tower();
    await tower.ask("every", { name: "a", cron: "* * * * *", fails: false });
    await tower.ask("every", { name: "a", cron: "30 * * * *", fails: false });
    await tower.ask("every", { name: "b", cron: "0 3 29 2 *", fails: false });
    for (let n = 0; n < 60; n++) await tower.pass(MINUTE);
    expect(await tower.rung()).toHaveLength(1);
    expect([await tower.ask("end", { name: "a" }), await tower.ask("end", { name: "a" })]).toEqual([true, false]);
    for (let n = 0; n < 60; n++) await tower.pass(MINUTE);
    expect(await tower.rung()).toHaveLength(1);
    expect(await tower.ask("end", { name: "b" })).toBe(true);
    expect(tower.timers).toBe(0);
  });

  test("keep a time that is due when they are asked for once more as they are, and once only", async () => {
    const tower = new Tower();
    const hourly = { name: "a", cron: "@hourly", fails: false };
    await tower.ask("every", hourly);
    const due = tower.now + HOUR;
    // The time has come, and the transaction comes before what it brings.
    tower.lone.partition.clock = due;
    await tower.ask("every", hourly);
    await tower.pass(MINUTE);
    expect(await tower.rung()).toEqual([[1, expect.any(Number)]]);
    await tower.pass(HOUR);
    expect(await tower.rung()).toHaveLength(2);
    expect(tower.timers).toBe(1);
  });

  test("of a transaction that fails are none, and nor are those of a text that is none", async () => {
    const tower = new Tower();
    for (const input of [
      { name: "a", cron: "* * * * *", fails: true },
      { name: "a", cron: "* * * *", fails: false },
      { name: "", cron: "* * * * *", fails: false },
    ])
      await expect(tower.ask("every", input)).rejects.toThrow("500");
    expect(tower.timers).toBe(0);
  });

  test("above their number are refused", async () => {
    const tower = new Tower();
    limits.maxSchedulesPerKey = 2;
    for (const name of ["a", "b", "a"]) await tower.ask("every", { name, cron: "@daily", fails: false });
    await expect(tower.ask("every", { name: "c", cron: "@daily", fails: false })).rejects.toThrow("500");
  });

  test("that the code declares recur without being asked for, and as the newest code says", async () => {
    const declared = (cron: string, n: number) => bell({ chime: { cron, key: "k", function: "ring", input: { n } } });
    const tower = new Tower([declared("0 * * * *", 1)]);
    await tower.lone.settle();
    const from = tower.now;
    for (let n = 0; n < 120; n++) await tower.pass(MINUTE);
    expect(await tower.rung()).toEqual([60, 120].map((minutes) => [1, from + minutes * MINUTE]));
    const written = tower.lone.durable.length;
    await tower.lone.redeploy([declared("0 * * * *", 1)]);
    expect(tower.lone.durable.slice(written).filter(({ op }) => op === "record")).toEqual([]);
    await tower.lone.redeploy([declared("30 * * * *", 2)]);
    for (let n = 0; n < 60; n++) await tower.pass(MINUTE);
    expect((await tower.rung()).slice(2)).toEqual([[2, from + 150 * MINUTE]]);
    // Not known any more: neither when the instance begins nor when the time comes is anything sent.
    await tower.lone.redeploy([bell()]);
    for (let n = 0; n < 120; n++) await tower.pass(MINUTE);
    expect(await tower.rung()).toHaveLength(3);
    expect(tower.timers).toBe(0);
  });
});

test("a time that was missed behind a deploy comes as the newest code says, unless that has no such time", async () => {
  const declared = (cron: string, n: number) => bell({ chime: { cron, key: "k", function: "ring", input: { n } } });
  const tower = new Tower([declared("0 * * * *", 1)]);
  await tower.lone.settle();
  const from = tower.now;
  for (const [n, cron] of [
    [2, "0 * * * *"],
    [3, "0,30 * * * *"],
    [4, "45 * * * *"],
  ] as const) {
    // Nobody is there when the time comes.
    tower.lone.partition.clock += HOUR + MINUTE;
    await tower.lone.redeploy([declared(cron, n)]);
    await tower.pass(MINUTE);
  }
  expect((await tower.rung()).map(([n]) => n)).toEqual([2, 3]);
  for (let minutes = 186; minutes < 240; minutes++) await tower.pass(MINUTE);
  expect((await tower.rung()).slice(2)).toEqual([[4, from + 225 * MINUTE]]);
});

test("what the code declares for a key recurs though the key was erased; what functions made does not", async () => {
  const tower = new Tower([bell({ chime: { cron: "0 * * * *", key: "k", function: "ring", input: { n: 7 } } })]);
  await tower.ask("every", { name: "made", cron: "30 * * * *", fails: false });
  expect(tower.timers).toBe(2);
  // Asked again until all is gone.
  for (let ticket = 1_000; ticket < 1_004; ticket++) {
    const ask = { op: "erase", service: "bell", key: "k" } as const;
    tower.lone.partition.engine.input({ kind: "admin", ticket, ask });
    await tower.lone.settle();
  }
  for (let n = 0; n < 120; n++) await tower.pass(MINUTE);
  expect((await tower.rung()).map(([n]) => n)).toEqual([7, 7]);
});

describe("what a delayed message is stored as", () => {
  const letter = { sender: "", service: "bell", key: "k", name: "ring", input: "", coded: false };

  test("is in the index with every write of it, in order of time", () => {
    const ids = [timerId(5, 4, 1, 1), timerId(2 ** 41, 255, 2 ** 32 - 1, 2 ** 36 - 1), timerId(6, 0, 9, 9)];
    const keys = ["k", "a\u0001\u0000b", "𐀀ü"];
    const puts = ids.map((id, n) => timerWrite(keys[n] as string, id, letter));
    const dues = indexed(puts)
      .slice(3)
      .map(({ key }) => dueOf(key));
    expect(dues.map((due) => [due?.id, due?.key, due?.at])).toEqual(ids.map((id, n) => [id, keys[n], dueAt(id)]));
    const rows = dues.map((due) => due?.row ?? "");
    expect(rows.toSorted()).toEqual([rows[0], rows[2], rows[1]]);
    const entity = timersOf("k");
    const gone = indexed([{ op: "delete", key: waitingRow(entity, ids[0] as string), text: "" }]);
    expect(gone.map(({ op, key }) => [op, key])).toEqual([
      ["delete", waitingRow(entity, ids[0] as string)],
      ["delete", rows[0]],
    ]);
    const others = [
      { op: "put", key: "bell\u0001k\u0001", text: "" },
      { op: "clear", key: entity, text: "" },
    ] as const;
    expect(indexed([...others])).toEqual(others);
  });

  test.each(["k", "ü~/\\ 𐀀", "\u0000", "x".repeat(512)])("has an id that tells its key %j", (key) => {
    const id = timerId(1_800_000_000_000, 3, 7, 42);
    const shown = formatMessageId({ id, key });
    expect(shown).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(parseMessageId(shown)).toEqual({ id, key });
  });

  test("is none where it tells a key that there cannot be", () => {
    const shown = formatMessageId({ id: timerId(1_800_000_000_000, 3, 7, 42), key: "x".repeat(513) });
    expect(() => parseMessageId(shown)).toThrow("this is not the id of a message");
  });
});
