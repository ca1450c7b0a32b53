/** Many at once: no update is lost, no deadlock stays, no lock is left. */
import { describe, expect, test } from "vitest";
import type { Place, Shown, Step } from "../../sim/program.ts";
import { type Answer, ask, call, freshKey, freshKeyNear, leftovers, look, run } from "./support/app.ts";

const add: Step = { op: "add", by: 1 };
const gap = (n: number): Step => ({ op: "pause", ms: n % 3 });
const at = (service: string, key: string): Place => [service, key];

function statuses(answers: readonly Answer[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}

describe("concurrent transactions", () => {
  test("on one key lose no update, though each awaits between its read and its write", async () => {
    const key = freshKey();
    const steps = (n: number): Step[] => [{ op: "read" }, { op: "pause" }, add, ...(n % 100 === 0 ? [gap(1)] : [])];
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => run(at("pa", key), steps(n))));
    expect(statuses(answers)).toEqual(new Map([[200, 1_000]]));
    const seen = answers.map(({ body }) => (body as [Shown])[0].n).sort((a, b) => a - b);
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(await look(at("pa", key))).toMatchObject({ n: 1_000 });
  });

  test("that take two keys in opposite orders all finish: the younger gives way", async () => {
    const key = freshKey();
    const pair = (n: number, first: string, second: string) =>
      run(at(first, key), [add, gap(n), { op: "call", at: at(second, key), steps: [add, gap(n + 1)] }]);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? pair(n, "pa", "pb") : pair(n, "pb", "pa"))),
    );
    expect(statuses(answers)).toEqual(new Map([[200, 200]]));
    expect(await look(at("pa", key))).toMatchObject({ n: 200 });
    expect(await look(at("pb", key))).toMatchObject({ n: 200 });
  });

  test("that take four keys in every order all finish", async () => {
    const key = freshKey();
    const near = freshKeyNear(key, true);
    const places = [at("pa", key), at("pb", key), at("pa", near), at("pb", near)];
    const chain = (order: readonly Place[], n: number): Step[] => {
      const [next, ...rest] = order;
      return next ? [add, gap(n), { op: "call", at: next, steps: chain(rest, n + 1) }] : [add];
    };
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, n) => {
        const order = [0, 1, 2, 3].map((i) => places[(i * (n % 2 === 0 ? 1 : 3) + n) % 4] as Place);
        return run(order[0] as Place, chain(order.slice(1), n));
      }),
    );
    expect(statuses(answers)).toEqual(new Map([[200, 120]]));
    for (const place of places) expect(await look(place)).toMatchObject({ n: 120 });
  });

  test("see two keys together or not at all: readers never find them different", async () => {
    const key = freshKey();
    const write = () => run(at("pa", key), [add, gap(1), { op: "call", at: at("pb", key), steps: [add] }]);
    const look2: Step[] = [{ op: "read" }, gap(1), { op: "call", at: at("pb", key), steps: [{ op: "read" }] }];
    const readBoth = async (parameters: string) => {
      const { status, body } = await ask(at("pa", key), "look", { steps: look2 }, parameters);
      const [mine, [theirs]] = body as [Shown, [Shown]];
      return [status, mine.n - theirs.n];
    };
    const readers = Array.from({ length: 60 }, (_, n) => readBoth(n % 2 === 0 ? "" : "consistency=snapshot"));
    const writers = Array.from({ length: 60 }, write);
    expect(new Set((await Promise.all(readers)).map(String))).toEqual(new Set(["200,0"]));
    expect(statuses(await Promise.all(writers))).toEqual(new Map([[200, 60]]));
  });

  test("whose reads overlap do not skew: two that each check the other's key cannot both pass", async () => {
    for (let round = 0; round < 30; round++) {
      const key = freshKey();
      // Each adds to its own only if the sum of both is 0: at most one may find it so.
      const half = (mine: string, theirs: string) =>
        run(at(mine, key), [
          { op: "call", at: at(theirs, key), steps: [{ op: "read" }] },
          gap(round),
          { op: "read" },
          add,
        ]);
      const [a, b] = await Promise.all([half("pa", "pb"), half("pb", "pa")]);
      const saw = [a, b].map(({ body }) => {
        const [[theirs], mine] = body as [[Shown], Shown];
        return theirs.n + mine.n;
      });
      expect(saw.sort()).toEqual([0, 1]);
    }
  });

  test("of which some fail keep only what the others did", async () => {
    const key = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, n) =>
        run(at("pa", key), [
          add,
          gap(n),
          { op: "call", at: at("pb", key), steps: [add] },
          ...(n % 3 === 0 ? [{ op: "throw" } as Step] : n % 3 === 1 ? [{ op: "refuse" } as Step] : []),
        ]),
      ),
    );
    expect(statuses(answers)).toEqual(
      new Map([
        [500, 50],
        [409, 50],
        [200, 50],
      ]),
    );
    expect(await look(at("pa", key))).toMatchObject({ n: 50 });
    expect(await look(at("pb", key))).toMatchObject({ n: 50 });
  });
});

test("money moved at random between accounts of a partition is neither made nor lost", async () => {
  const first = freshKey();
  const keys = [first, ...Array.from({ length: 7 }, () => freshKeyNear(first, true))];
  await Promise.all(keys.map((key) => call(["account", key], "deposit", { amount: 100 })));
  const pick = (n: number) => keys[n % keys.length] as string;
  const moves = Array.from({ length: 400 }, (_, n) =>
    call(["account", pick(n * 7)], "transfer", { to: pick(n * 3 + 1 + (n % 2)), amount: 1 + (n % 40) }),
  );
  const counts = statuses(await Promise.all(moves));
  expect([...counts.keys()].filter((status) => status !== 200 && status !== 409)).toEqual([]);
  expect(counts.get(200)).toBeGreaterThan(50);
  const balances = await Promise.all(keys.map(async (key) => (await ask(["account", key], "balance")).body as number));
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(800);
  expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
});

test("nothing is left running or locked", async () => {
  expect(await leftovers()).toBe(0);
});
