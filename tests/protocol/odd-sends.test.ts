/** What a function sends that cannot be looked at, by a time that is an object or a schema that throws: the transaction fails, whatever is caught, and the partition goes on. */
import { expect, test } from "vitest";
import { z } from "zod";
import { contract, effect, fn, query, type Schema, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const throws = (): never => {
  throw new TypeError("nobody looks at this");
};
const shape = { input: () => ({}), output: () => ({}) };
const strict = {
  "~standard": { version: 1, vendor: "made-up", validate: throws, jsonSchema: shape },
} as unknown as Schema<string, string>;
const paid = effect("paid", { input: strict, handler: () => undefined });
const parsed = effect("parsed", {
  input: z.string().transform((text) => JSON.parse(text) as unknown),
  retries: 1,
  handler: () => undefined,
});
const any = effect("any", { input: z.any(), handler: () => undefined });

const WHENS: Readonly<Record<string, unknown>> = {
  "a time that refuses to be a number": { at: { valueOf: throws } },
  "a time without a prototype": { at: Object.create(null) as object },
  "a symbol as a delay": { delay: Symbol("soon") },
  "a delay that cannot be read": Object.defineProperty({}, "delay", { get: throws }),
};

let tellTo: unknown;

const Odd = contract("odd", {
  send: fn({ input: z.object({ when: z.string() }) }),
  pay: fn(),
  parse: fn(),
  tell: fn(),
  tellTo: fn(),
  count: query({ output: z.number() }),
});
const odd = service(
  Odd,
  { state: () => ({ n: 0 }) },
  {
    send: (ctx, { when }) => caught(ctx, () => void ctx.send(Odd, "other", WHENS[when] as { delay: number }).pay()),
    pay: (ctx) => caught(ctx, () => ctx.effect(paid, "x")),
    parse: (ctx) => caught(ctx, () => ctx.effect(parsed, "{")),
    tell: (ctx) => {
      const to = { service: "odd", key: "k", name: "pay", about: 1n };
      caught(ctx, () => ctx.effect(any, 1, to as never));
    },
    tellTo: (ctx) => caught(ctx, () => ctx.effect(any, 1, tellTo as never)),
    count: (ctx) => ctx.state.n,
  },
);

function caught({ state }: { state: { n: number } }, what: () => void): void {
  state.n += 1;
  try {
    what();
  } catch {
    // It is too late for that.
  }
}

test.each([
  ...Object.keys(WHENS).map((when) => [when, "send", { when }] as const),
  ["an effect whose schema throws", "pay", undefined] as const,
  ["an effect whose end nobody could be told", "tell", undefined] as const,
])("%s", async (_what, name, input) => {
  const partition = new LonePartition([odd], { effects: [paid, parsed, any] });
  expect((await partition.call({ service: "odd", key: "k", name, input })).status).toBe(500);
  expect(partition.partition.failure).toBeUndefined();
  expect((await partition.call({ service: "odd", key: "k", name: "count" })).body).toBe("0");
});

test.each([
  ["no key", undefined],
  ["a number as its key", 5],
  ["an empty key", ""],
  ["half a character as its key", "\ud800"],
  ["a key that is too long", "k".repeat(513)],
])(
  "an effect whose end is to be told to a target with %s is refused, and ends no instance when it is over",
  async (_what, key) => {
    tellTo = { service: "odd", key, name: "pay" };
    const partition = new LonePartition([odd], { effects: [paid, parsed, any] });
    const { status } = await partition.call({ service: "odd", key: "k", name: "tellTo" });
    expect(status).toBeGreaterThanOrEqual(400);
    await partition.pass(3_000);
    expect(partition.partition.failure).toBeUndefined();
    expect((await partition.call({ service: "odd", key: "k", name: "count" })).body).toBe("0");
  },
);

test("an asynchronous schema that fails where it is not waited for disturbs nobody", async () => {
  const partition = new LonePartition([odd], { effects: [paid, parsed, any] });
  expect((await partition.call({ service: "odd", key: "k", name: "parse" })).status).toBe(200);
});
