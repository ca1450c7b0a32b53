/** Locks: the older wounds the younger, the younger waits, nobody is forgotten. */
import { describe, expect, test } from "vitest";
import { type LockMode, LockTable } from "../../protocol/locks/lock-table.ts";
import { createRandom } from "../../sim/random.ts";

interface Owner {
  readonly age: number;
  locks: string[] | null;
}

/** A table whose events are written down; wounds are not obeyed unless the test does. */
function table() {
  const locks = new LockTable<Owner>();
  const granted: number[] = [];
  const wounded: number[] = [];
  const acquire = (owner: Owner, mode: LockMode, key = "k") =>
    locks.acquire(
      key,
      owner,
      mode,
      () => granted.push(owner.age),
      (victim) => wounded.push(victim.age),
    );
  return { locks, granted, wounded, acquire };
}

const owner = (age: number): Owner => ({ age, locks: null });

describe("a lock", () => {
  test("is shared by readers", () => {
    const { acquire, wounded } = table();
    expect([acquire(owner(1), "shared"), acquire(owner(2), "shared")]).toEqual([true, true]);
    expect(wounded).toEqual([]);
  });

  test("is a writer's alone", () => {
    const { acquire } = table();
    expect([acquire(owner(1), "exclusive"), acquire(owner(2), "shared"), acquire(owner(3), "exclusive")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("is held already by whoever asks again", () => {
    const { acquire } = table();
    const a = owner(1);
    expect([acquire(a, "exclusive"), acquire(a, "exclusive"), acquire(a, "shared")]).toEqual([true, true, true]);
  });

  test("of another key is another lock", () => {
    const { acquire } = table();
    expect([acquire(owner(1), "exclusive", "a"), acquire(owner(2), "exclusive", "b")]).toEqual([true, true]);
  });

  test("leaves the table when nobody holds or wants it", () => {
    const { acquire, locks } = table();
    const [a, b] = [owner(1), owner(2)];
    acquire(a, "exclusive");
    acquire(b, "exclusive");
    locks.release(a);
    locks.release(b);
    expect(locks.size).toBe(0);
  });
});

describe("a conflict", () => {
  test("makes the younger wait and wounds nobody", () => {
    const { acquire, granted, wounded, locks } = table();
    const [old, young] = [owner(1), owner(2)];
    acquire(old, "exclusive");
    acquire(young, "exclusive");
    expect([granted, wounded]).toEqual([[], []]);
    locks.release(old);
    expect(granted).toEqual([2]);
  });

  test("wounds every younger holder", () => {
    const { acquire, wounded } = table();
    acquire(owner(2), "shared");
    acquire(owner(3), "shared");
    expect(acquire(owner(1), "exclusive")).toBe(false);
    expect(wounded.sort()).toEqual([2, 3]);
  });

  test("wounds a younger holder and waits for an older one", () => {
    const { acquire, wounded } = table();
    acquire(owner(1), "shared");
    acquire(owner(3), "shared");
    acquire(owner(2), "exclusive");
    expect(wounded).toEqual([3]);
  });

  test("grants at once, before it returns, when its victims let go at once", () => {
    const locks = new LockTable<Owner>();
    const young = owner(2);
    const granted: number[] = [];
    locks.acquire(
      "k",
      young,
      "exclusive",
      () => granted.push(2),
      () => undefined,
    );
    const now = locks.acquire(
      "k",
      owner(1),
      "exclusive",
      () => granted.push(1),
      (victim) => locks.release(victim),
    );
    expect([now, granted]).toEqual([false, [1]]);
  });
});

describe("the queue", () => {
  test("is in the order of age, not of arrival", () => {
    const { acquire, granted, locks } = table();
    const owners = [1, 4, 2, 3].map(owner);
    for (const one of owners) acquire(one, "exclusive");
    for (const age of [1, 2, 3]) locks.release(owners.find((one) => one.age === age) as Owner);
    expect(granted).toEqual([2, 3, 4]);
  });

  test("is a wait too: a reader does not overtake an older writer that waits", () => {
    const { acquire, granted, locks } = table();
    const [reader, writer, late] = [owner(1), owner(2), owner(3)];
    acquire(reader, "shared");
    acquire(writer, "exclusive");
    expect(acquire(late, "shared")).toBe(false);
    locks.release(reader);
    expect(granted).toEqual([2]);
    locks.release(writer);
    expect(granted).toEqual([2, 3]);
  });

  test("lets an older reader past a younger writer that waits", () => {
    const { acquire } = table();
    acquire(owner(1), "shared");
    acquire(owner(3), "exclusive");
    expect(acquire(owner(2), "shared")).toBe(true);
  });

  test("grants all readers in front of the next writer together", () => {
    const { acquire, granted, locks } = table();
    const first = owner(1);
    acquire(first, "exclusive");
    for (const [age, mode] of [
      [2, "shared"],
      [3, "shared"],
      [4, "exclusive"],
      [5, "shared"],
    ] as const)
      acquire(owner(age), mode);
    locks.release(first);
    expect(granted).toEqual([2, 3]);
  });

  test("forgets whoever gives up waiting, and wakes those behind", () => {
    const { acquire, granted, locks } = table();
    const writer = owner(2);
    acquire(owner(1), "shared");
    acquire(writer, "exclusive");
    acquire(owner(3), "shared");
    locks.release(writer);
    expect(granted).toEqual([3]);
  });
});

describe("an upgrade", () => {
  test("is immediate for a lone reader", () => {
    const { acquire } = table();
    const a = owner(1);
    acquire(a, "shared");
    expect(acquire(a, "exclusive")).toBe(true);
    expect(acquire(owner(2), "shared")).toBe(false);
  });

  test("of two readers goes to the older, which wounds the other", () => {
    const { acquire, granted, wounded, locks } = table();
    const [old, young] = [owner(1), owner(2)];
    acquire(old, "shared");
    acquire(young, "shared");
    expect(acquire(young, "exclusive")).toBe(false);
    expect(acquire(old, "exclusive")).toBe(false);
    expect(wounded).toContain(2);
    locks.release(young);
    expect(granted).toEqual([1]);
  });
});

/** Obeys the table as transactions do: a wounded one lets everything go and begins again with its age. */
class Schedule {
  readonly #random;
  readonly #locks = new LockTable<Owner & { wants: Array<[string, LockMode]>; next: number; waiting: boolean }>();
  readonly #holds = new Map<string, Map<Owner, LockMode>>();
  #done = 0;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  run(transactions: number): number {
    const keys = ["a", "b", "c"];
    const live = Array.from({ length: transactions }, (_, age) => ({
      age,
      locks: null as string[] | null,
      wants: Array.from({ length: 1 + this.#random.int(4) }, (): [string, LockMode] => [
        this.#random.pick(keys),
        this.#random.oneIn(2) ? "shared" : "exclusive",
      ]),
      next: 0,
      waiting: false,
    }));
    for (let steps = 0; live.length > 0; steps++) {
      if (steps > 10_000) throw new Error("a wake-up was lost: nobody can go on");
      const ready = live.filter(({ waiting }) => !waiting);
      if (ready.length === 0) throw new Error("a wake-up was lost: all wait");
      const one = this.#random.pick(ready);
      const want = one.wants[one.next];
      if (want) this.#acquire(one, want);
      else {
        this.#drop(one);
        live.splice(live.indexOf(one), 1);
        this.#done += 1;
      }
    }
    if (this.#locks.size > 0) throw new Error("a lock is left");
    return this.#done;
  }

  #acquire(
    one: Owner & { wants: Array<[string, LockMode]>; next: number; waiting: boolean },
    [key, mode]: [string, LockMode],
  ): void {
    let granted = false;
    const take = (): void => {
      if (granted) throw new Error("granted twice");
      granted = true;
      one.waiting = false;
      one.next += 1;
      this.#hold(one, key, mode);
    };
    one.waiting = true;
    const now = this.#locks.acquire(key, one, mode, take, (victim) => {
      if (victim.age <= one.age) throw new Error("an older one was wounded");
      victim.next = 0;
      victim.waiting = false;
      this.#drop(victim);
    });
    if (now) take();
  }

  #hold(one: Owner, key: string, mode: LockMode): void {
    const holders = this.#holds.get(key) ?? new Map<Owner, LockMode>();
    this.#holds.set(key, holders);
    const held = holders.get(one);
    const stronger = held === "exclusive" ? held : mode;
    for (const [other, theirs] of holders) {
      if (other !== one && (theirs === "exclusive" || stronger === "exclusive"))
        throw new Error(`two conflicting holders of ${key}`);
    }
    holders.set(one, stronger);
  }

  #drop(one: Owner & { wants: Array<[string, LockMode]>; next: number; waiting: boolean }): void {
    for (const holders of this.#holds.values()) holders.delete(one);
    this.#locks.release(one);
  }
}

test("random schedules: no two conflicting holders, no double grant, no lost wake-up, everybody ends", () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    try {
      expect(new Schedule(seed).run(8)).toBe(8);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

test("a thousand that wait for one key are served in a time that a hot key can bear", () => {
  const { acquire, locks, granted } = table();
  const owners = Array.from({ length: 1_000 }, (_, age) => owner(age));
  const started = performance.now();
  for (const one of owners) acquire(one, "exclusive");
  for (const one of owners) locks.release(one);
  expect(granted.length).toBe(999);
  expect(performance.now() - started).toBeLessThan(1_000);
});
