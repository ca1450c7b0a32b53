/** Transactions over several partitions: they cross each other, go in rings, call in parallel, and all end. */
import { afterAll, describe, expect, test } from "vitest";
import type { Place, Shown, Step } from "../../sim/program.ts";
import { type Answer, leftovers, look, problemOf, run } from "./support/app.ts";
import { keysApart } from "./support/spread.ts";
import { add, all, fail, meeting, on, pause, read, refuse, shown } from "./support/steps.ts";

const at = (key: string): Place => ["pa", key];
/** Neither always the same nor long: transactions meet each other at different points. */
const gap = (n: number): Step => pause(n % 3);

/** So many places, each on another partition. */
const placesApart = (count: number) => keysApart(count).map(at) as [Place, Place, ...Place[]];

async function numbersAt(places: readonly Place[]): Promise<number[]> {
  return (await Promise.all(places.map(look))).map((seen) => (seen as Shown).n);
}

/** None refused, none failed. */
function expectAllDone(answers: readonly Answer[]): void {
  expect(answers.filter(({ status }) => status !== 200).map(({ status, body }) => [status, body])).toEqual([]);
}

afterAll(async () => expect(await leftovers()).toBe(0));

describe("many at once", () => {
  test("64 transfers, half from A to B and half from B to A, all end and move what they say", async () => {
    const [a, b] = placesApart(2);
    const transfer = (from: Place, to: Place, n: number) =>
      run(from, [add(-n), gap(n), on("call", to, add(n), gap(n + 1))]);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) => (n % 2 === 0 ? transfer(a, b, n) : transfer(b, a, n))),
    );
    expectAllDone(answers);
    // 32 even numbers went one way, 32 odd ones, each larger by 1, the other.
    expect(await numbersAt([a, b])).toEqual([32, -32]);
  });

  test("60 rings A → B → C → A, begun at each of the three, all end", async () => {
    const places = placesApart(3);
    const ring = (n: number) => {
      const [first, second, third] = [0, 1, 2].map((turn) => places[(n + turn) % 3] as Place) as [Place, Place, Place];
      const back = on("call", first, read, add(10));
      return run(first, [add(1), gap(n), on("call", second, add(1), gap(n + 1), on("call", third, add(1), back))]);
    };
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => ring(n)));
    expectAllDone(answers);
    expect(await numbersAt(places)).toEqual([260, 260, 260]);
  });

  test("40 transactions that call six keys of several partitions in parallel, in every order, all end", async () => {
    const [root, ...others] = placesApart(7);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => {
        const turned = others.map((_place, i) => others[(i + n) % others.length] as Place);
        const calls = turned.map((place, i) => [place, read, gap(n + i), add(1)] as const);
        return run(n % 2 === 0 ? root : ["pb", `parallel-${n}`], [all(...calls), add(1)]);
      }),
    );
    expectAllDone(answers);
    expect(await numbersAt([root, ...others])).toEqual([20, 40, 40, 40, 40, 40, 40]);
  });
});

describe("one transaction", () => {
  test("calls several partitions at the same time, not one after the other", async () => {
    const [root, ...others] = placesApart(4);
    const { step, met } = meeting(others.length);
    const answer = run(root, [all(...others.map((place) => [place, step, add(1)] as const))]);
    await met;
    expectAllDone([await answer]);
    expect(await numbersAt(others)).toEqual([1, 1, 1]);
  });

  test("A → B → A sees what A has written and not committed, and A what came back", async () => {
    const [a, b] = placesApart(2);
    const answer = await run(a, [add(1), on("call", b, add(5), on("call", a, read, add(10)), read), read]);
    expect(answer.body).toEqual([[[shown(1)], shown(5)], shown(11)]);
    expect(await numbersAt([a, b])).toEqual([11, 5]);
  });

  test("A → B → C → B → A sees the same all the way", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const deepest = on("call", a, read, add(100));
    const answer = await run(a, [
      add(1),
      on("call", b, add(2), on("call", c, add(3), on("call", b, read, deepest)), read),
      read,
    ]);
    expect(answer.body).toEqual([[[[shown(2), [shown(1)]]], shown(2)], shown(101)]);
    expect(await numbersAt([a, b, c])).toEqual([101, 2, 3]);
  });

  test("whose siblings B → C and C → B wait for each other is aborted with call-cycle and leaves nothing", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const answer = await run(a, [
      add(1),
      all([b, add(1), pause(20), on("call", c, add(1))], [c, add(1), pause(20), on("call", b, add(1))]),
    ]);
    expect([answer.status, problemOf(answer)]).toEqual([500, "call-cycle"]);
    expect(await numbersAt([a, b, c])).toEqual([0, 0, 0]);
  });

  test("that is called and not awaited by its caller is joined before the end", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    expectAllDone([await run(a, [on("loose", b, pause(20), add(7), on("loose", c, pause(20), add(8))), add(1)])]);
    expect(await numbersAt([a, b, c])).toEqual([1, 7, 8]);
  });

  test("whose function does more when such a call ends, two partitions away, is one with all of it", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const inner: Step = {
      op: "loose",
      at: c,
      steps: [pause(20), add(1)],
      then: [add(2), on("call", c, add(4)), add(8)],
    };
    const outer: Step = {
      op: "loose",
      at: b,
      steps: [inner, add(16)],
      then: [add(32), on("call", b, add(64)), add(128)],
    };
    expectAllDone([await run(a, [outer, add(256)])]);
    expect(await numbersAt([a, b, c])).toEqual([256 + 128 + 32, 64 + 16 + 8 + 2, 4 + 1]);
  });
});

describe("failure", () => {
  test("a throw in a callee aborts everything, whether it is caught or not", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    for (const op of ["call", "catch"] as const) {
      const answer = await run(a, [add(1), on("call", b, add(1)), on(op, c, add(1), fail), add(1)]);
      expect([op, answer.status, problemOf(answer)]).toEqual([op, 500, "internal-error"]);
      expect(await numbersAt([a, b, c])).toEqual([0, 0, 0]);
    }
  });

  test("a throw in one of several parallel calls aborts the others, also those that still run", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const answer = await run(a, [all([b, fail], [c, add(1), pause(20), add(1)])]);
    expect(problemOf(answer)).toBe("internal-error");
    expect(await numbersAt([a, b, c])).toEqual([0, 0, 0]);
  });

  test("a refusal of another partition is the answer, by its type, and leaves nothing", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const answer = await run(a, [add(1), on("call", b, add(1), on("call", ["pc", c[1]], add(1), refuse))]);
    expect([answer.status, problemOf(answer)]).toEqual([409, "pc/no"]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await numbersAt([a, b, ["pc", c[1]]])).toEqual([0, 0, 0]);
  });

  test("a refusal is recorded: the same request is refused again, though it would not be now", async () => {
    const [a, b] = placesApart(2);
    const steps = [add(1), on("call", b, add(1), refuse)];
    const first = await run(a, steps, `refused ${a[1]}`);
    const second = await run(a, steps, `refused ${a[1]}`);
    expect([second.status, second.body]).toEqual([409, first.body]);
    expect([first, second].map(({ headers }) => headers.has("idempotency-replayed"))).toEqual([false, true]);
  });
});

describe("ctx.try", () => {
  test("undoes what its subtree did on every partition, and nothing else", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const tried = on("try", b, add(5), on("call", c, add(7)), on("call", a, add(100)), fail);
    const answer = await run(a, [add(1), on("call", c, add(20)), tried, on("call", c, read), add(2), read]);
    expect(answer.body).toEqual([[], { failed: "internal-error" }, [shown(20)], shown(3)]);
    expect(await numbersAt([a, b, c])).toEqual([3, 0, 20]);
  });

  test("gives a refusal by its name, and the transaction goes on", async () => {
    const [a, b] = placesApart(2);
    const answer = await run(a, [on("try", b, add(1), refuse), on("try", b, add(2), read), add(1)]);
    expect([answer.status, answer.body]).toEqual([200, [{ failed: "no" }, [shown(2)]]]);
    expect(await numbersAt([a, b])).toEqual([1, 2]);
  });

  test("nests: the inner undoes itself, the outer both", async () => {
    const [a, b, c] = placesApart(3) as unknown as [Place, Place, Place];
    const inner = on("try", c, add(1), on("call", ["pd", a[1]], add(1)), fail);
    const outer = (...end: Step[]) => on("try", b, add(1), on("call", c, add(10)), inner, ...end);
    expect((await run(a, [outer(refuse)])).body).toEqual([{ failed: "no" }]);
    expect(await numbersAt([b, c, ["pd", a[1]]])).toEqual([0, 0, 0]);
    expect((await run(a, [outer()])).body).toEqual([[[], { failed: "internal-error" }]]);
    expect(await numbersAt([b, c, ["pd", a[1]]])).toEqual([1, 10, 0]);
  });
});

test("a request sent twice at once is executed once, and both copies get its answer", async () => {
  const [a, b] = placesApart(2);
  const steps = [add(1), on("call", b, pause(10), add(1)), read];
  const copies = await Promise.all(Array.from({ length: 8 }, () => run(a, steps, `twice ${a[1]}`)));
  expectAllDone(copies);
  expect(new Set(copies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(await numbersAt([a, b])).toEqual([1, 1]);
});
