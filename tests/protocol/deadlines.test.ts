/** Functions that never end: given up after a named time, with everything that waits for their keys going on. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { contract, fn, service } from "../../sdk/index.ts";
import { z } from "zod";
import { LonePartition } from "./support/lone-partition.ts";

const Slow = contract("slow", {
  never: fn(),
  callsNever: fn({ output: z.string() }),
  slowly: fn({ output: z.number() }),
  count: fn({ output: z.number() }),
});
let late: Array<() => void> = [];
let told: unknown;
const slow = service(
  Slow,
  { state: () => ({ n: 0 }) },
  {
    never: () => new Promise<void>(() => undefined),
    async callsNever(ctx) {
      ctx.state.n = 100;
      await ctx
        .call(Slow, "other")
        .never()
        .catch((error: unknown) => {
          told = (error as { type?: unknown }).type;
        });
      return "caught";
    },
    async slowly(ctx) {
      await new Promise<void>((resolve) => late.push(resolve));
      return (ctx.state.n += 1);
    },
    count: (ctx) => (ctx.state.n += 1),
  },
);
const at = (name: string, key = "k") => ({ service: "slow", key, name });
const typeOf = (body: string | undefined): string => (JSON.parse(body ?? "{}") as { type: string }).type;

async function pass(partition: LonePartition, ms: number): Promise<void> {
  partition.partition.clock += ms;
  partition.partition.engine.input({ kind: "wake" });
  await partition.settle();
}

test("a function that never settles is given up and its key goes on", async () => {
  const partition = new LonePartition([slow]);
  await partition.frame([at("never")]);
  await pass(partition, LIMITS.transactionMs / 2);
  await Promise.all([partition.frame([at("count")]), partition.frame([at("count")])]);
  expect((await partition.call(at("count", "free"))).body).toBe("1");
  await pass(partition, LIMITS.transactionMs / 2 + 1);
  expect([...partition.replies.values()].map(([answer]) => answer?.status).sort()).toEqual([200, 200, 200, 504]);
  expect((await partition.call(at("count"))).body).toBe("3");
  const { waiting, attempts, locks } = partition.partition.engine.machine.status;
  expect([waiting, attempts, locks]).toEqual([0, 0, 0]);
});

test("an app may say how long its transactions take", async () => {
  const partition = new LonePartition([slow], { transactionDeadline: "5s" });
  await partition.frame([at("never")]);
  await pass(partition, 5_000);
  expect(partition.replies.size).toBe(0);
  await pass(partition, 1);
  expect(typeOf(partition.replies.get(1)?.[0]?.body)).toBe("/problems/deadline-exceeded");
});

test("its caller is told, and leaves nothing", async () => {
  const partition = new LonePartition([slow]);
  expect(await partition.frame([at("callsNever")])).toBeUndefined();
  await pass(partition, LIMITS.transactionMs + 1);
  expect(typeOf(partition.replies.get(1)?.[0]?.body)).toBe("/problems/deadline-exceeded");
  expect(told).toBe("deadline-exceeded");
  expect((await partition.call(at("count"))).body).toBe("1");
});

test("what ends after it was given up changes nothing", async () => {
  const partition = new LonePartition([slow]);
  expect(await partition.frame([at("slowly")])).toBeUndefined();
  await pass(partition, LIMITS.transactionMs + 1);
  for (const resolve of late) resolve();
  late = [];
  await partition.settle();
  expect((await partition.call(at("count"))).body).toBe("1");
});

test("a machine asks to be called again while functions run, once at a time", async () => {
  const partition = new LonePartition([slow]);
  await partition.frame([at("never"), at("never", "other")]);
  const { machine } = partition.partition.engine;
  const wanted = () => machine.step({ kind: "wake" }, partition.partition.clock).map(({ kind }) => kind);
  expect(wanted()).toEqual(["wake"]);
  expect(machine.step({ kind: "flush" }, partition.partition.clock).map(({ kind }) => kind)).toEqual([]);
});
