/** What a function sends that cannot be looked at, by a time that is an object or a schema that throws: the transaction fails, whatever is caught, and the partition goes on. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, effect, fn, outcome, query, reply, saga, type Schema, service } from "../../sdk/index.ts";
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

describe("whom to tell of a promise or a saga must be there, as for an effect", () => {
  const Gone = contract("gone", { told: fn({ input: outcome() }) });
  const Asker = contract("asker", { go: fn({ input: z.tuple([z.string(), z.any()]) }) });
  const rest = saga("rest", { steps: [{ name: "rest", delay: "1h" }] });
  const asker = service(
    Asker,
    {},
    {
      async go(ctx, [what, to]) {
        if (what === "effect") ctx.effect(any, 1, to);
        else if (what === "promise") await ctx.promise(to, { id: "p" });
        else ctx.start(rest, "s", undefined, to);
      },
    },
  );
  const targets: ReadonlyArray<readonly [string, object, number]> = [
    ["a service that the app does not have", reply(Gone, "k", "told"), 404],
    ["a function that its service does not have", { service: "odd", key: "k", name: "told" }, 404],
    ["a query", { service: "odd", key: "k", name: "count" }, 405],
    ["nobody's key", { service: "odd", key: "", name: "pay" }, 400],
  ];
  const asked = ["effect", "promise", "saga"].flatMap((what) => targets.map((target) => [what, ...target] as const));
  test.each(asked)("%s, %s", async (what, _, to, status) => {
    const partition = new LonePartition([odd, asker], { effects: [paid, parsed, any], sagas: [rest] });
    const go = { service: "asker", key: "k", name: "go", input: [what, to] };
    expect((await partition.call(go)).status).toBe(status);
    const looked = { key: "p", service: "#promises", name: "status", internal: true };
    expect((await partition.call(looked)).status).toBe(404);
  });
});
