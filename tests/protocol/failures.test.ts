/** Functions that throw, return and keep what they should not: each fails by itself, and the partition goes on. */
import { expect, test } from "vitest";
import { contract, type FnContext, fn, service, TidegateError } from "../../sdk/index.ts";
import { z } from "zod";
import { failureOf } from "../../protocol/transaction/failure.ts";
import { decodeOutcome, encodeOutcome } from "../../protocol/transaction/remote-failure.ts";
import { LonePartition } from "./support/lone-partition.ts";

const output = z.any();
const Odd = contract("odd", {
  throwsRevoked: fn(),
  throwsRevokedLater: fn(),
  refusesWithoutJson: fn({ refusals: { no: z.any() } }),
  throwsUnknownType: fn(),
  throwsOddType: fn(),
  settlesTwice: fn({ output }),
  throwsAfterSettling: fn({ output }),
  triesWhileUnstorable: fn({ output }),
  triesWhileFrozen: fn({ output }),
  triesBehindProxy: fn({ output }),
  fail: fn(),
  slow: fn(),
  count: fn({ output }),
});
type Context = FnContext<Record<string, unknown>, {}, { no: ReturnType<typeof z.any> }>;

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

async function tries(ctx: Context): Promise<unknown> {
  const { ok } = await ctx.try(Odd, ctx.key).fail();
  return ok;
}

const odd = service(
  Odd,
  { state: (): Record<string, unknown> => ({ n: 0 }) },
  {
    throwsRevoked: () => {
      throw revoked();
    },
    throwsRevokedLater: async () => {
      throw revoked();
    },
    refusesWithoutJson: (ctx) => {
      throw ctx.refuse("no", { why: Number.NaN });
    },
    throwsUnknownType: () => {
      throw new TidegateError("no-such-type" as "not-found", "made up");
    },
    throwsOddType: () => {
      // What every object has.
      throw new TidegateError("constructor" as "not-found", "made up");
    },
    settlesTwice: (ctx) => {
      // A call that nobody awaits: the function has returned and is not done yet.
      void ctx.call(Odd, ctx.key).slow();
      const thenable = { then: (resolve: (value: number) => void) => (resolve(1), resolve(2)) };
      return thenable as unknown as Promise<number>;
    },
    throwsAfterSettling: () => {
      const thenable = {
        then(resolve: (value: number) => void) {
          resolve(1);
          throw new Error("too late");
        },
      };
      return thenable as unknown as Promise<number>;
    },
    triesWhileUnstorable: async (ctx) => {
      ctx.state["n"] = Number.NaN;
      const ok = await tries(ctx);
      ctx.state["n"] = 7;
      return ok;
    },
    triesWhileFrozen: async (ctx) => {
      ctx.state = Object.freeze({ n: 7 });
      return tries(ctx);
    },
    triesBehindProxy: async (ctx) => {
      const deleteProperty = (): never => {
        throw new Error("not this one");
      };
      ctx.state = new Proxy({ n: 7 }, { deleteProperty });
      return tries(ctx);
    },
    fail: (ctx) => {
      ctx.state["n"] = 100;
      throw new Error("as it should");
    },
    slow: () => new Promise((resolve) => setImmediate(resolve)),
    count: (ctx) => ctx.state["n"],
  },
);

const at = (name: keyof (typeof Odd)["functions"]) => ({ service: "odd", key: "k", name });

test.each([
  ["what is thrown cannot be looked at", "throwsRevoked", 500],
  ["what is thrown later cannot be looked at", "throwsRevokedLater", 500],
  ["the data of a refusal has no JSON form", "refusesWithoutJson", 500],
  ["an error of the engine has no known type", "throwsUnknownType", 500],
  ["the type of an error of the engine is a member of every object", "throwsOddType", 500],
  ["a thenable settles twice", "settlesTwice", 200],
  ["a thenable throws after it has settled", "throwsAfterSettling", 200],
  ["a call is tried while the state cannot be stored", "triesWhileUnstorable", 200],
  ["a tried call is undone while the state is frozen", "triesWhileFrozen", 200],
  ["a tried call is undone while the state is a Proxy that refuses", "triesBehindProxy", 200],
] as const)("the partition goes on when %s", async (_what, name, status) => {
  const partition = new LonePartition([odd]);
  expect((await partition.call(at(name))).status).toBe(status);
  expect(partition.partition.failure).toBeUndefined();
  const left = partition.partition.engine.machine.status;
  expect([left.waiting, left.attempts, left.locks]).toEqual([0, 0, 0]);
  const count = await partition.call(at("count"));
  expect([count.status, count.body]).toEqual([200, name.startsWith("tries") ? "7" : "0"]);
});

test("a tried call that finds a state which cannot be stored fails and changes nothing", async () => {
  const partition = new LonePartition([odd]);
  expect((await partition.call(at("triesWhileUnstorable"))).body).toBe("false");
});

const circular: Record<string, unknown> = {};
circular["self"] = circular;
const unread = (): never => {
  throw new Error("nobody reads this");
};
const unreadable = Object.defineProperty({}, "n", { enumerable: true, get: unread });

test.each([
  ["a bigint", { n: 1n }],
  ["a circle", circular],
  ["what cannot be read", unreadable],
])("an error of the engine with %s in it, thrown by a function, is told to other partitions", (_what, members) => {
  const failure = failureOf(new TidegateError("not-found", "made up", { members: members as Record<string, unknown> }));
  expect(failure.kind).toBe("thrown");
  expect(encodeOutcome({ ok: false, failure })).toMatchObject({ ok: false, failure: "thrown" });
});

test.each([
  [
    "is long",
    Object.assign(new RangeError("x".repeat(2_000_000)), { name: "n".repeat(2_000_000) }),
    "x".repeat(10_000),
  ],
  ["is no text", Object.assign(new Error("x"), { message: 5 }), "5"],
  ["throws", Object.defineProperties(new Error("x"), { message: { get: unread } }), "an error that cannot be shown"],
])("an error whose message %s is told to other partitions as what was thrown", (_, error, message) => {
  const told = decodeOutcome(encodeOutcome({ ok: false, failure: failureOf(error) }));
  expect(told).toMatchObject({ ok: false, failure: { kind: "thrown", error: { message } } });
});
