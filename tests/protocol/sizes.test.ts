/** Sizes that nobody expects: each meets a limit with an answer, before it meets one of storage or of a message without. */
import { describe, expect, test } from "vitest";
import { MAX_TABLE_BYTES } from "../../core-wasm/limits.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { fitsUtf8, utf8Length } from "../../sdk/utf8.ts";
import { ANSWER_FLAG } from "../../protocol/wire/answer.ts";
import { collection, contract, fn, query, service } from "../../sdk/index.ts";
import { ISSUES_MAX } from "../../sdk/limits.ts";
import { z } from "zod";
import { LonePartition, type Row } from "./support/lone-partition.ts";

const size = z.object({ units: z.number(), character: z.string().default("x") });
const Big = contract("big", {
  make: fn({ input: size, output: z.string(), refusals: { no: z.string() } }),
  refuse: fn({ input: size, refusals: { no: z.string() } }),
  show: query({ input: size, output: z.string() }),
  keep: fn({ input: size }),
  enter: fn({ input: size }),
  strings: fn({ input: z.array(z.string()) }),
  numbers: fn({ input: z.record(z.string(), z.number()) }),
  made: query({ output: z.number() }),
});
const big = service(
  Big,
  { state: () => ({ made: 0 }), collections: { entries: collection<string>() } },
  {
    make(ctx, { units, character }) {
      ctx.state.made += 1;
      return character.repeat(units);
    },
    refuse(ctx, { units, character }) {
      throw ctx.refuse("no", character.repeat(units));
    },
    show: (_ctx, { units, character }) => character.repeat(units),
    keep(ctx, { units, character }) {
      for (let at = 0; at < 24; at++) ctx.collections.entries.set(String(at), character.repeat(units / 24));
    },
    enter: (ctx, { units, character }) => ctx.collections.entries.set(character.repeat(units), "here"),
    strings: () => undefined,
    numbers: () => undefined,
    made: (ctx) => ctx.state.made,
  },
);
const row = (name: string, input?: unknown, key = "k"): Row => ({ service: "big", key, name, input });
const typeOf = (body: string): string => (JSON.parse(body) as { type: string }).type;

function rowBytes(partition: LonePartition): number {
  return Math.max(
    0,
    ...partition.durable.map((op) => {
      const head = "head" in op ? op.head.length : 0;
      return head + ("bytes" in op ? op.bytes.length : 0);
    }),
  );
}

test("the limit of a table is the kernels' own", () => {
  expect(LIMITS.maxTableBytes).toBe(MAX_TABLE_BYTES);
});

test("texts are measured as they are encoded", () => {
  for (const text of ["", "a", "é", "€", "😀", "aé€😀"]) {
    const bytes = new TextEncoder().encode(text).length;
    expect(utf8Length(text)).toBe(bytes);
    expect(fitsUtf8(text, bytes)).toBe(true);
    if (bytes > 0) expect(fitsUtf8(text, bytes - 1)).toBe(false);
  }
});

describe("a result", () => {
  test.each([
    ["x", LIMITS.maxResultBytes],
    ["€", LIMITS.maxResultBytes / 3 + 1],
  ])("that is too large fails, and its writes with it (%s)", async (character, units) => {
    const partition = new LonePartition([big]);
    const answer = await partition.call(row("make", { units, character }));
    expect([answer.status, typeOf(answer.body)]).toEqual([500, "/problems/transaction-too-large"]);
    expect((await partition.call(row("made"))).body).toBe("0");
  });

  test("of any size that is allowed can be folded into rows that SQLite takes", async () => {
    const partition = new LonePartition([big]);
    const units = LIMITS.maxResultBytes - 2;
    for (let n = 0; n < 5; n++) expect((await partition.call(row("make", { units }, `k${n}`))).status).toBe(200);
    expect(partition.durable.some(({ op }) => op === "put-block")).toBe(true);
    expect(rowBytes(partition)).toBeLessThan(2_000_000);
  });

  test("that a refusal carries is bounded alike", async () => {
    const partition = new LonePartition([big]);
    const answer = await partition.call(row("refuse", { units: LIMITS.maxResultBytes }));
    expect([answer.status, typeOf(answer.body)]).toEqual([500, "/problems/transaction-too-large"]);
    expect((await partition.call(row("refuse", { units: 1_000 }))).status).toBe(409);
  });
});

describe("answers to one frame", () => {
  const units = 200_000;
  const rows = Math.ceil(LIMITS.maxAnswersBytes / units) + 20;

  test("that do not fit together are refused one by one, and those did nothing", async () => {
    const partition = new LonePartition([big]);
    const answers = await partition.frame(Array.from({ length: rows }, () => row("make", { units })));
    const done = answers?.filter(({ status }) => status === 200).length ?? 0;
    const refused = answers?.filter(({ status, body }) => status === 503 && typeOf(body) === "/problems/overloaded");
    expect(done).toBeGreaterThan(100);
    expect(refused?.length).toBe(rows - done);
    expect((await partition.call(row("made"))).body).toBe(String(done));
  });

  test("that were recorded and do not fit together are told to be asked again", async () => {
    const partition = new LonePartition([big]);
    const ids = Array.from({ length: rows }, (_, n) => `c${n.toString(16).padStart(31, "f")}`);
    const all = ids.map((id) => ({ ...row("make", { units }), id }));
    expect((await partition.frame(all.slice(0, 100)))?.every(({ status }) => status === 200)).toBe(true);
    expect((await partition.frame(all.slice(100)))?.every(({ status }) => status === 200)).toBe(true);
    const again = (await partition.frame(all)) ?? [];
    const replayed = again.filter(({ status, flags }) => status === 200 && flags === ANSWER_FLAG.replayed).length;
    const left = again.filter(({ status, flags }) => status === 503 && flags === ANSWER_FLAG.retryable).length;
    expect(left).toBeGreaterThan(0);
    expect(replayed + left).toBe(rows);
    expect((await partition.call(row("made"))).body).toBe(String(rows));
  });
});

test("records of characters of three bytes stay below what can be packed", async () => {
  const partition = new LonePartition([big]);
  const units = 24 * Math.floor(LIMITS.maxTransactionBytes / 3 / 24 - 100);
  const keep = (n: number) => row("keep", { units, character: "€" }, `k${n}`);
  const answers = await partition.frame(Array.from({ length: 8 }, (_, n) => keep(n)));
  expect(answers?.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  const tooMuch = await partition.call(row("keep", { units: units + 24 * 200, character: "€" }));
  expect(typeOf(tooMuch.body)).toBe("/problems/transaction-too-large");
});

test("an entry's key is bounded, so that its row can be stored", async () => {
  const partition = new LonePartition([big]);
  expect((await partition.call(row("enter", { units: LIMITS.maxEntryKeyBytes }))).status).toBe(200);
  expect((await partition.call(row("enter", { units: LIMITS.maxEntryKeyBytes + 1 }))).status).toBe(500);
  expect((await partition.call(row("enter", { units: LIMITS.maxEntryKeyBytes / 2, character: "€" }))).status).toBe(500);
});

test("an input with half a million faults is told of the first of them", async () => {
  const partition = new LonePartition([big]);
  const answer = await partition.call(row("strings", new Array(500_000).fill(1)));
  expect(answer.status).toBe(422);
  expect((JSON.parse(answer.body) as { issues: unknown[] }).issues.length).toBe(ISSUES_MAX);
});

test("an input with a fault at a name as long as an input may be is told of it", async () => {
  const partition = new LonePartition([big]);
  for (const names of [
    ["x".repeat(900_000)],
    Array.from({ length: 100 }, (_, at) => `${at}${"\u0001".repeat(9_000)}`),
  ]) {
    const answer = await partition.call(row("numbers", Object.fromEntries(names.map((name) => [name, "x"]))));
    expect([answer.status, typeOf(answer.body)]).toEqual([422, "/problems/invalid-input"]);
  }
});
