/** The rules of one transaction: whole or not at all, re-entrant on the call path, one at a time otherwise, failure sticks. */
import { afterAll, describe, expect, test } from "vitest";
import type { Shown, Step } from "../../sim/program.ts";
import { ask, call, freshKey, freshKeyNear, leftovers, look, problemOf, run } from "./support/app.ts";
import { add, all, meeting, on, pause, put, read, shown } from "./support/steps.ts";

afterAll(async () => expect(await leftovers()).toBe(0));

describe("re-entrance", () => {
  test("A → B → A sees what A has written so far, and A sees what came back", async () => {
    const k = freshKey();
    const inner = [read, add(10), put("inner", 1)];
    const answer = await run(
      ["pa", k],
      [add(1), put("outer", 1), on("call", ["pb", k], add(5), on("call", ["pa", k], ...inner)), read],
    );
    expect(answer.body).toEqual([
      [[shown(1, [["outer", 1]])]],
      shown(11, [
        ["inner", 1],
        ["outer", 1],
      ]),
    ]);
    expect(await look(["pa", k])).toEqual(
      shown(11, [
        ["inner", 1],
        ["outer", 1],
      ]),
    );
    expect(await look(["pb", k])).toEqual(shown(5));
  });

  test("a function calls itself on its own key", async () => {
    const answer = await call(["unruly", freshKey()], "deep", { levels: 60 });
    expect(answer.body).toBe(60);
  });

  test("a value that the caller holds is the state that the callee changes", async () => {
    const k = freshKey();
    const answer = await run(
      ["pa", k],
      [add(1), on("call", ["pa", k], add(1), on("call", ["pa", k], add(1))), add(1), read],
    );
    expect((answer.body as unknown[]).at(-1)).toEqual(shown(4));
  });
});

describe("siblings", () => {
  test("to one key run one at a time: none loses what another added", async () => {
    const k = freshKey();
    const calls = Array.from({ length: 20 }, () => ({ at: ["pb", k] as const, steps: [read, pause(5), add(1)] }));
    const { body } = await run(["pa", k], [{ op: "all", calls }]);
    const seen = (body as [Array<[Shown]>])[0].map(([item]) => item.n);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(await look(["pb", k])).toEqual(shown(20));
  });

  test("to several keys run at the same time", async () => {
    const k = freshKey();
    const { step, met } = meeting(3);
    const answer = run(["pa", k], [all(...["pb", "pc", "pd"].map((name) => [[name, k], step, add(1)] as const))]);
    await met;
    expect((await answer).status).toBe(200);
  });

  test("that wait for each other abort the transaction with call-cycle", async () => {
    const k = freshKey();
    const across = (there: string, back: string) => ({
      at: [there, k] as const,
      steps: [add(1), pause(5), on("call", [back, k], add(1))],
    });
    const answer = await run(["pa", k], [add(1), { op: "all", calls: [across("pb", "pc"), across("pc", "pb")] }]);
    expect([answer.status, problemOf(answer)]).toEqual([500, "call-cycle"]);
    expect([await look(["pa", k]), await look(["pb", k]), await look(["pc", k])]).toEqual([
      shown(0),
      shown(0),
      shown(0),
    ]);
  });

  test("that come to wait for each other when a key passes on abort the transaction too", async () => {
    const k = freshKey();
    // "pb" is used by the first sibling and, for a while, by a call back to it: only when that ends does the wait close the cycle.
    const back: Step = { op: "loose", at: ["pb", k], steps: [{ op: "pause", ms: 40 }] };
    const first = { at: ["pb", k] as const, steps: [back, on("call", ["pc", k], add(1))] };
    const second = { at: ["pc", k] as const, steps: [pause(10), on("call", ["pb", k], add(1))] };
    const answer = await run(["pa", k], [{ op: "all", calls: [second, first] }]);
    expect([answer.status, problemOf(answer)]).toEqual([500, "call-cycle"]);
  });

  test("of which one fails abort all, also those that still run", async () => {
    const k = freshKey();
    const answer = await run(
      ["pa", k],
      [
        {
          op: "all",
          calls: [
            { at: ["pb", k], steps: [{ op: "throw" }] },
            { at: ["pc", k], steps: [add(1), pause(5), add(1)] },
          ],
        },
      ],
    );
    expect(problemOf(answer)).toBe("internal-error");
    expect(await look(["pc", k])).toEqual(shown(0));
  });

  test("that nobody awaits are joined before the transaction ends", async () => {
    const k = freshKey();
    const answer = await run(
      ["pa", k],
      [on("loose", ["pb", k], pause(5), add(7), on("loose", ["pc", k], pause(5), add(8))), add(1)],
    );
    expect(answer.status).toBe(200);
    expect([await look(["pa", k]), await look(["pb", k]), await look(["pc", k])]).toEqual([
      shown(1),
      shown(7),
      shown(8),
    ]);
  });

  test("that nobody awaits are the function's still with all that it does when they end", async () => {
    const k = freshKey();
    const then = [add(1), on("call", ["pc", k], add(3)), add(10), on("try", ["pb", k], pause(5), add(5)), add(100)];
    const answer = await run(["pa", k], [{ op: "loose", at: ["pb", k], steps: [pause(5), add(2)], then }, add(1000)]);
    expect(answer.status).toBe(200);
    expect([await look(["pa", k]), await look(["pb", k]), await look(["pc", k])]).toEqual([
      shown(1111),
      shown(7),
      shown(3),
    ]);
  });

  test("that nobody awaits and that fail abort the transaction", async () => {
    const k = freshKey();
    const answer = await run(["pa", k], [on("loose", ["pb", k], pause(5), { op: "throw" }), add(1)]);
    expect(problemOf(answer)).toBe("internal-error");
    expect(await look(["pa", k])).toEqual(shown(0));
  });
});

describe("failure", () => {
  test("sticks: a caught one aborts all the same", async () => {
    const k = freshKey();
    const answer = await run(["pa", k], [add(1), on("catch", ["pb", k], add(1), { op: "throw" }), add(1)]);
    expect(problemOf(answer)).toBe("internal-error");
    expect([await look(["pa", k]), await look(["pb", k])]).toEqual([shown(0), shown(0)]);
  });

  test("sticks: a caught refusal is the answer", async () => {
    const k = freshKey();
    const answer = await run(["pa", k], [add(1), on("catch", ["pb", k], { op: "refuse" }), add(1)]);
    expect([answer.status, problemOf(answer)]).toEqual([409, "pb/no"]);
    expect(await look(["pa", k])).toEqual(shown(0));
  });

  test("refuses further calls of the transaction, and the first failure is the answer", async () => {
    const k = freshKey();
    const answer = await run(
      ["pa", k],
      [on("catch", ["pb", k], { op: "refuse" }), on("catch", ["pc", k], add(1)), { op: "throw" }],
    );
    expect(problemOf(answer)).toBe("pb/no");
    expect(await look(["pc", k])).toEqual(shown(0));
  });

  test("says nothing of what was thrown", async () => {
    const key = freshKey();
    for (const name of ["boom", "boomAsync"]) {
      const answer = await call(["unruly", key], name);
      expect([answer.status, problemOf(answer)]).toEqual([500, "internal-error"]);
      expect(JSON.stringify(answer.body)).not.toMatch(/secret|boom"|stack|\.ts/);
    }
    expect((await call(["unruly", key], "count")).body).toBe(0);
  });
});

describe("ctx.try", () => {
  test("undoes what the called function did, and nothing of its caller", async () => {
    const k = freshKey();
    const failing = [add(5), put("b", 2), on("call", ["pa", k], add(100), put("x", 1)), { op: "throw" } as Step];
    const answer = await run(["pa", k], [add(1), put("x", 9), on("try", ["pb", k], ...failing), add(2), read]);
    expect(answer.body).toEqual([{ failed: "internal-error" }, shown(3, [["x", 9]])]);
    expect(await look(["pa", k])).toEqual(shown(3, [["x", 9]]));
    expect(await look(["pb", k])).toEqual(shown(0));
  });

  test("gives a refusal by its name", async () => {
    const k = freshKey();
    const answer = await run(["pa", k], [on("try", ["pb", k], add(1), { op: "refuse" })]);
    expect([answer.status, answer.body]).toEqual([200, [{ failed: "no" }]]);
  });

  test("keeps what a call that went well did", async () => {
    const k = freshKey();
    const answer = await run(["pa", k], [on("try", ["pb", k], add(1), put(1, 1), read)]);
    expect(answer.body).toEqual([[shown(1, [[1, 1]])]]);
    expect(await look(["pb", k])).toEqual(shown(1, [[1, 1]]));
  });

  test("nests: the inner undoes itself, the outer undoes both", async () => {
    const k = freshKey();
    const inner = on("try", ["pc", k], add(1), on("call", ["pd", k], add(1)), { op: "throw" });
    const outer = on("try", ["pb", k], add(1), on("call", ["pc", k], add(10)), inner, on("call", ["pd", k], add(20)), {
      op: "refuse",
    });
    const answer = await run(["pa", k], [outer, on("call", ["pc", k], read), on("call", ["pd", k], read)]);
    expect(answer.body).toEqual([{ failed: "no" }, [shown(0)], [shown(0)]]);
    const kept = await run(
      ["pa", k],
      [on("try", ["pb", k], add(1), on("call", ["pc", k], add(10)), inner, on("call", ["pd", k], add(20)))],
    );
    expect(kept.body).toEqual([[[], { failed: "internal-error" }, []]]);
    expect([await look(["pb", k]), await look(["pc", k]), await look(["pd", k])]).toEqual([
      shown(1),
      shown(10),
      shown(20),
    ]);
  });

  test("undoes a clear and what was put after it", async () => {
    const k = freshKey();
    await run(["pa", k], [add(4), put("a", 1), put(2, 2)]);
    const answer = await run(
      ["pb", k],
      [on("try", ["pa", k], { op: "clear" }, put("b", 1), add(1), { op: "throw" }), on("call", ["pa", k], read)],
    );
    expect(answer.body).toEqual([
      { failed: "internal-error" },
      [
        shown(4, [
          [2, 2],
          ["a", 1],
        ]),
      ],
    ]);
  });

  test("of siblings on one key: the failed one takes nothing from the other", async () => {
    const k = freshKey();
    // The tried calls share "pc"; each keeps it until it ends, so undoing one cannot undo the other.
    const steps = [
      on("try", ["pb", k], on("loose", ["pc", k], add(1)), pause(5), { op: "throw" }),
      on("try", ["pb", k], on("call", ["pc", k], pause(5), add(10))),
      on("call", ["pc", k], read),
    ];
    const answer = await run(["pa", k], steps);
    expect(answer.body).toEqual([{ failed: "internal-error" }, [[]], [shown(10)]]);
  });

  test("contains a call to another partition", async () => {
    const k = freshKey();
    const far = freshKeyNear(k, false);
    const steps = [add(1), { op: "throw" } as const];
    const answer = await run(["pa", k], [add(1), { op: "try", at: ["pb", far], steps }, on("call", ["pb", far], read)]);
    expect(answer.body).toEqual([{ failed: "internal-error" }, [shown(0)]]);
  });
});

describe("clear", () => {
  test("makes the value initial again within the transaction, and what comes after it counts", async () => {
    const k = freshKey();
    await run(["pa", k], [add(5), put("a", 1)]);
    const answer = await run(["pa", k], [{ op: "clear" }, read, add(1), put("b", 1), read]);
    expect(answer.body).toEqual([shown(0), shown(1, [["b", 1]])]);
    expect(await look(["pa", k])).toEqual(shown(1, [["b", 1]]));
  });
});

describe("bounds", () => {
  test("calls nested too deeply are refused", async () => {
    const answer = await call(["unruly", freshKey()], "deep", { levels: 64 });
    expect([answer.status, problemOf(answer)]).toEqual([500, "call-depth-exceeded"]);
  });

  test("a transaction of too many calls is refused, one of nearly as many is not", async () => {
    const key = freshKey();
    expect(problemOf(await call(["unruly", key], "manyCalls", { calls: 10_001 }))).toBe("transaction-too-large");
    expect((await call(["unruly", key], "manyCalls", { calls: 9_999 })).body).toBe(9_999);
  });

  test("a transaction that writes too much is refused and leaves nothing", async () => {
    const key = freshKey();
    const answer = await call(["values", key], "flood", { entries: 90, chars: 100_000, fill: "x" });
    expect([answer.status, problemOf(answer)]).toEqual([500, "transaction-too-large"]);
    expect((await ask(["values", key], "range", { of: "byNumber" })).body).toEqual([]);
    expect((await call(["values", key], "flood", { entries: 70, chars: 100_000, fill: "x" })).status).toBe(200);
  });
});

describe("unruly functions", () => {
  test("whose result does not fit its schema fail and leave nothing", async () => {
    const key = freshKey();
    const answer = await call(["unruly", key], "badOutput");
    expect([answer.status, problemOf(answer)]).toEqual([500, "invalid-output"]);
    expect((await call(["unruly", key], "count")).body).toBe(0);
  });

  test("whose result is not JSON fail and leave nothing", async () => {
    const key = freshKey();
    expect(problemOf(await call(["unruly", key], "noJson"))).toBe("internal-error");
    expect((await call(["unruly", key], "count")).body).toBe(0);
  });

  test("that take no valid input never run", async () => {
    expect(problemOf(await call(["unruly", freshKey()], "impossible", {}))).toBe("invalid-input");
  });

  test("cannot fetch or start timers, at once or later", async () => {
    for (const effect of ["fetch", "setTimeout", "setInterval", "wait"]) {
      for (const late of [false, true]) {
        const answer = await call(["unruly", freshKey()], "sideEffect", { effect, late });
        expect([effect, late, answer.body]).toEqual([effect, late, "side-effect-in-transaction"]);
      }
    }
  });

  test("cannot fetch or start timers from a schema either", async () => {
    for (const effect of ["fetch", "setTimeout"]) {
      const answer = await call(["unruly", freshKey()], "effectInSchema", { effect });
      expect([effect, problemOf(answer)]).toEqual([effect, "side-effect-in-transaction"]);
    }
  });

  test("a query that writes by force is refused in every way that it tries", async () => {
    const key = freshKey();
    const answer = await call(["unruly", key], "writeInQuery");
    expect(answer.body).toEqual(["TypeError", "TypeError", "TypeError", "TypeError", "TypeError"]);
    expect((await call(["unruly", key], "count")).body).toBe(0);
  });

  test("a query that calls a writing function by force is refused", async () => {
    const key = freshKey();
    const answer = await call(["unruly", key], "callFnInQuery");
    expect([answer.status, problemOf(answer)]).toEqual([405, "method-not-allowed"]);
    expect((await call(["unruly", key], "count")).body).toBe(0);
  });

  test("a query's collections are read-only", async () => {
    const k = freshKey();
    const answer = await call(["pa", k], "look", { steps: [put("a", 1)] });
    expect(answer.status).toBe(500);
    expect(await look(["pa", k])).toEqual(shown(0));
  });
});

test("pauses of every kind change nothing of a result", async () => {
  const k = freshKey();
  const steps = [
    pause(),
    add(1),
    pause(5),
    on("call", ["pb", k], pause(), add(1), pause(5), on("call", ["pa", k], pause(5), read)),
    pause(),
    read,
  ];
  expect((await run(["pa", k], steps)).body).toEqual([[[shown(1)]], shown(1)]);
});
