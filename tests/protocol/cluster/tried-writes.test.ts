/** What a tried call writes and cannot be stored makes that call fail and nothing else, wherever its keys are. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { collection, contract, fn, query, service } from "../../../sdk/index.ts";
import { Cluster } from "../support/cluster.ts";
import { clientId } from "../support/ingest-frame.ts";
import { kernels } from "../support/lone-partition.ts";

const faults = z.enum(["value", "large", "entry", "many", "messages", "much"]);
type Fault = z.infer<typeof faults>;
const how = z.object({ fault: faults, path: z.array(z.string()) });
const output = z.array(z.string());
const Thing = contract("thing", {
  /** Does what is wrong at the end of a path of keys. */
  write: fn({ input: how }),
  /** Tries that, at the first key of the path. */
  go: fn({ input: how.extend({ before: faults.optional(), beside: z.string().optional() }), output }),
  /** Tries another that tries it. */
  around: fn({ input: how.extend({ by: z.string() }), output }),
  both: fn({ input: z.array(z.string()), output }),
  trim: fn(),
  take: fn({ input: z.string() }),
  look: query({ output: z.object({ n: z.number(), bad: z.boolean(), entries: z.number() }) }),
});
interface State {
  n: number;
  bad?: unknown;
}
const MB = "x".repeat(1_000_000);

const thing = service(
  Thing,
  { state: (): State => ({ n: 0 }), collections: { log: collection<string>() } },
  {
    async write(ctx, { fault, path: [next, ...path] }) {
      if (next !== undefined) return ctx.call(Thing, next).write({ fault, path });
      ctx.state.n += 1;
      if (fault === "value") ctx.state.bad = () => 1;
      if (fault === "large") ctx.state.bad = MB + MB;
      if (fault === "entry") ctx.collections.log.set("large", MB + MB);
      for (let at = 0; at < (fault === "many" ? 10 : fault === "much" ? 5 : 0); at++)
        ctx.collections.log.set(`${at}`, MB);
      for (let at = 0; fault === "messages" && at < 10; at++) ctx.send(Thing, "far").take(MB);
      return undefined;
    },
    async go(ctx, { fault, path: [first = "", ...path], before, beside }) {
      ctx.state.n += 1;
      if (before !== undefined) await ctx.call(Thing, beside as string).write({ fault: before, path: [] });
      const tried = await ctx.try(Thing, first).write({ fault, path });
      if (before !== undefined) await ctx.call(Thing, beside as string).trim();
      ctx.state.n += 1;
      return [told(tried)];
    },
    async around(ctx, { by, ...what }) {
      ctx.state.n += 1;
      const tried = await ctx.try(Thing, by).go(what);
      return tried.ok ? tried.value : [told(tried)];
    },
    async both(ctx, keys) {
      const tries = [];
      for (const key of keys) tries.push(told(await ctx.try(Thing, key).write({ fault: "much", path: [] })));
      return tries;
    },
    trim: (ctx) => ctx.clear(),
    take: () => undefined,
    look: ({ state, collections }) => ({
      n: state.n,
      bad: state.bad !== undefined,
      entries: collections.log.range().length,
    }),
  },
);

function told(tried: { ok: boolean; error?: { type: string } | undefined }): string {
  return tried.ok ? "ok" : (tried.error?.type ?? "refused");
}

let ids = 0;
async function call(cluster: Cluster, key: string, name: string, input?: unknown): Promise<unknown> {
  const fields = [clientId(++ids), "thing", key, name, input === undefined ? "" : JSON.stringify(input)];
  const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
  const answers = await cluster.give(cluster.partitionOf(["thing", key]), { kind: "invoke", frame });
  await cluster.settle();
  const [answer] = answers() ?? [];
  return answer?.status === 200 ? (JSON.parse(answer.body) as unknown) : [answer?.status, answer?.body];
}
const up = () => Cluster.up(3, [thing]);
const TYPES: Record<Fault, string> = {
  value: "internal-error",
  large: "transaction-too-large",
  entry: "transaction-too-large",
  many: "transaction-too-large",
  messages: "transaction-too-large",
  much: "ok",
};
const untouched = { n: 0, bad: false, entries: 0 };

describe.each(faults.options.filter((fault) => fault !== "much"))("%s", (fault) => {
  test.each([
    ["beside", [0], []],
    ["elsewhere", [1], []],
    ["beside, by another", [0, 0], []],
    ["here again, by another partition", [1, 0], []],
    ["elsewhere, by another here", [0, 1], []],
  ])("is the tried call's: %s", async (_where, peers) => {
    const cluster = await up();
    const [, key] = cluster.place(0);
    const path = peers.map((peer, at) => cluster.place(peer, at + 5)[1]);
    expect(await call(cluster, key, "go", { fault, path })).toEqual([TYPES[fault]]);
    expect(await call(cluster, key, "look")).toEqual({ ...untouched, n: 2 });
    for (const one of path) expect(await call(cluster, one, "look")).toEqual(untouched);
  });

  test.each([0, 1, 2])("is that of one that is tried at a participant: at %i", async (to) => {
    const cluster = await up();
    const [key, by, at] = [cluster.place(0)[1], cluster.place(1, 3)[1], cluster.place(to, 5)[1]];
    expect(await call(cluster, key, "around", { by, fault, path: [at] })).toEqual([TYPES[fault]]);
    expect(await call(cluster, by, "look")).toEqual({ ...untouched, n: 2 });
    expect(await call(cluster, at, "look")).toEqual(untouched);
  });

  test.each([[[]], [[0]], [[1]]])("is that of one that comes back to the key, by %j", async (peers) => {
    const cluster = await up();
    const [, key] = cluster.place(0);
    const path = [...peers.map((peer: number) => cluster.place(peer, 5)[1]), key];
    expect(await call(cluster, key, "go", { fault, path })).toEqual([TYPES[fault]]);
    expect(await call(cluster, key, "look")).toEqual({ ...untouched, n: 2 });
  });

  test("is that of the inner of two", async () => {
    const cluster = await up();
    const [key, by, at] = [cluster.place(0)[1], cluster.place(0, 3)[1], cluster.place(0, 5)[1]];
    expect(await call(cluster, key, "around", { by, fault, path: [at] })).toEqual([TYPES[fault]]);
    expect(await call(cluster, by, "look")).toEqual({ ...untouched, n: 2 });
  });
});

test.each([0, 1])("of two that are too much together the second fails, at %i", async (peer) => {
  const cluster = await up();
  const [, key] = cluster.place(0);
  const keys = [5, 6].map((number) => cluster.place(peer, number)[1]);
  expect(await call(cluster, key, "both", keys)).toEqual(["ok", "transaction-too-large"]);
  expect(await call(cluster, keys[0] as string, "look")).toMatchObject({ entries: 5 });
  expect(await call(cluster, keys[1] as string, "look")).toEqual(untouched);
});

test.each(["large", "entry", "many"])("what was wrong before is not the tried call's: %s", async (before) => {
  const cluster = await up();
  const [key, beside, at] = [cluster.place(0)[1], cluster.place(0, 3)[1], cluster.place(0, 5)[1]];
  const input = { fault: "much", path: [at], before, beside };
  expect(await call(cluster, key, "go", input)).toEqual(["ok"]);
  expect(await call(cluster, at, "look")).toMatchObject({ entries: 5 });
});

test.each([0, 1])(
  "what has no text fails with its function, though it would have been cleared later: at %i",
  async (peer) => {
    const cluster = await up();
    const [key, beside, at] = [cluster.place(0)[1], cluster.place(peer, 3)[1], cluster.place(0, 5)[1]];
    const input = { fault: "many", path: [at], before: "value", beside };
    expect(await call(cluster, key, "go", input)).toEqual([500, expect.stringContaining("internal-error")]);
    for (const one of [key, beside, at]) expect(await call(cluster, one, "look")).toEqual(untouched);
  },
);

test("what the caller's own key has by itself is not the tried call's", async () => {
  const cluster = await up();
  const [key, at] = [cluster.place(0)[1], cluster.place(0, 5)[1]];
  const first = { fault: "large", path: [], before: "large", beside: key };
  expect(await call(cluster, key, "go", { ...first, fault: "much", path: [at] })).toEqual(["ok"]);
});
