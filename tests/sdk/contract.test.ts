/** Contracts and services at start-up: what is accepted, and the clear errors for what is not. */

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { collection, contract, fn, noData, query, Refusal, service, TidegateError } from "../../sdk/index.ts";

const misconfigured = (message: RegExp): unknown =>
  expect.objectContaining({ name: "TidegateError", type: "misconfigured", message: expect.stringMatching(message) });

describe("contract", () => {
  const amount = z.number();
  const Account = contract("account", {
    deposit: fn({ input: amount, output: amount, refusals: { frozen: noData } }),
    balance: query(),
  });

  test("keeps what was declared", () => {
    expect(Account.name).toBe("account");
    expect(Account.functions.deposit).toMatchObject({ kind: "fn", input: amount, output: amount });
    expect(Account.functions.deposit.refusals.frozen).toBe(noData);
    expect(Account.functions.balance).toMatchObject({ kind: "query", input: undefined, output: undefined });
  });

  test("cannot be changed afterwards", () => {
    for (const part of [Account, Account.functions, Account.functions.deposit, Account.functions.deposit.refusals]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test("has no functions or refusals but the declared ones, whatever name is looked up", () => {
    const functions: Readonly<Record<string, unknown>> = Account.functions;
    const refusals: Readonly<Record<string, unknown>> = Account.functions.deposit.refusals;
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(functions[name]).toBeUndefined();
      expect(refusals[name]).toBeUndefined();
    }
  });

  test.each(["a", "order-item", "orderItem2", "a".repeat(64)])("accepts the name %s", (name) => {
    expect(contract(name, { [name]: fn() }).name).toBe(name);
  });

  test.each(["", "Account", "1st", "-a", "a_b", "a/b", "a b", "ä", "a".repeat(65), "then"])(
    "refuses the name %j",
    (name) => {
      expect(() => contract(name, { f: fn() })).toThrow(misconfigured(/the service name/));
      expect(() => contract("account", { [name]: fn() })).toThrow(
        misconfigured(/the function name of service "account"/),
      );
    },
  );

  test.each(["Frozen", "too_low", "a--b", "a-", ""])("refuses the refusal name %j", (name) => {
    expect(() => fn({ refusals: { [name]: noData } })).toThrow(misconfigured(/the refusal .* must be kebab-case/));
  });

  test("refuses what is no schema, no function, or empty", () => {
    expect(() => fn({ input: {} as typeof noData })).toThrow(
      misconfigured(/the input of a fn is not a Standard Schema/),
    );
    expect(() => query({ output: String as never })).toThrow(misconfigured(/the output of a query is not/));
    expect(() => fn({ refusals: { frozen: null as never } })).toThrow(
      misconfigured(/"frozen" is not a Standard Schema; noData/),
    );
    expect(() => contract("account", { f: {} as never })).toThrow(
      misconfigured(/"f" .* must be made by fn\(\) or query\(\)/),
    );
    expect(() => contract("account", {})).toThrow(misconfigured(/has no functions/));
  });
});

describe("service", () => {
  const Cart = contract("cart", { add: fn({ input: z.string() }), items: query({ output: z.number() }) });

  test("gives the engine the contract, the initial state, the collections and the handlers", () => {
    const add = (): void => {};
    const made = service(
      Cart,
      { state: () => 7, collections: { lines: collection<string>() } },
      { add, items: () => 1 },
    );
    expect(made.contract).toBe(Cart);
    expect(made.state?.()).toBe(7);
    expect(made.collections).toEqual(["lines"]);
    expect(made.handlers["add"]).toBe(add);
    expect(made.handlers["constructor"]).toBeUndefined();
    expect(Object.keys(made.handlers)).toEqual(["add", "items"]);
  });

  test("has neither state nor collections where none are declared", () => {
    const made = service(Cart, {}, { add() {}, items: () => 1 });
    expect(made.state).toBeUndefined();
    expect(made.collections).toEqual([]);
  });

  test("refuses a missing, an unknown and a non-function handler", () => {
    expect(() => service(Cart, {}, { add() {} } as never)).toThrow(misconfigured(/"cart" has no handler for "items"/));
    expect(() => service(Cart, {}, { add() {}, items: () => 1, pay() {} } as never)).toThrow(
      misconfigured(/no function "pay"/),
    );
    expect(() => service(Cart, {}, { add: 1, items: () => 1 } as never)).toThrow(
      misconfigured(/"add" .* is not a function/),
    );
    expect(() => service(Cart, {}, Object.create({ add() {}, items: () => 1 }))).toThrow(
      misconfigured(/no handler for "add"/),
    );
  });

  test("refuses a state that is no function and a bad collection name", () => {
    expect(() => service(Cart, { state: {} as never }, { add() {}, items: () => 1 })).toThrow(
      misconfigured(/must be a function/),
    );
    expect(() => service(Cart, { collections: { "a b": collection() } }, { add() {}, items: () => 1 })).toThrow(
      misconfigured(/the collection of service "cart" "a b"/),
    );
  });
});

test("errors carry their stable words", () => {
  const cause = new Error("why");
  expect(new TidegateError("call-cycle", "text", { cause })).toMatchObject({
    name: "TidegateError",
    type: "call-cycle",
    cause,
  });
  expect(new Refusal("account", "frozen", { since: 1 })).toMatchObject({
    name: "Refusal",
    service: "account",
    refusal: "frozen",
    data: { since: 1 },
    message: "account refused: frozen",
  });
});
