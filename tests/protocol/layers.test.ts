/** Layers of undecided epochs over committed state, and its history, against a list of versions that is replayed for every read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { History, TooOldError } from "../../protocol/state/history.ts";
import { Layers, type StateView } from "../../protocol/state/layers.ts";
import {
  afterPrefix,
  collectionPrefix,
  compareKeys,
  encodeEntryKey,
  entityKey,
} from "../../protocol/state/state-key.ts";
import { StateStore, type Write } from "../../protocol/state/store.ts";
import { PlainState } from "./support/plain-state.ts";

const ENTITIES = ["x", "y"].map((key) => entityKey("s", key));
const ENTRIES = ["a", "b", "c", "d"];

interface Version {
  readonly epoch: number;
  readonly writes: readonly Write[];
}

/** What a sequence of versions leaves. */
function replayed(versions: readonly Version[]): Map<string, string> {
  const state = new Map<string, string>();
  for (const { op, key, text } of versions.flatMap(({ writes }) => writes)) {
    if (op === "put") state.set(key, text);
    else if (op === "delete") state.delete(key);
    else for (const known of state.keys()) if (known.startsWith(key)) state.delete(known);
  }
  return state;
}

class Run {
  readonly #disk = new PlainState();
  readonly #history = new History();
  readonly #store = new StateStore(this.#disk, 400);
  readonly layers = new Layers(this.#store, this.#history);
  /** In the order of their commits. */
  #committed: Version[] = [];
  /** In the order in which they were added. */
  #undecided: Version[] = [];
  readonly #lastOf = new Map<string, number>();
  #decided = 10;
  #clock = 10;
  #seq = 0;
  /** Reads of the past that were answered. */
  answered = 0;

  /** A finished transaction; later ones of an entity have no lower epoch. */
  add(entity: string, later: number, writes: readonly Write[]): void {
    const epoch = Math.max(this.#decided + 1 + later, this.#lastOf.get(entity) ?? 0);
    if (epoch > this.#decided + 2) return;
    this.layers.add(epoch, writes);
    this.#undecided.push({ epoch, writes });
    this.#lastOf.set(entity, epoch);
    this.#clock = Math.max(this.#clock, epoch);
  }

  /** A transaction of the local path: it touches nothing undecided. */
  commit(entity: string, writes: readonly Write[]): void {
    const undecided = this.#undecided.some((version) => version.writes.some(({ key }) => key.startsWith(entity)));
    expect(this.layers.isUndecided(entity)).toBe(undecided);
    if (undecided) return;
    this.layers.commit(writes, ++this.#seq, this.#clock);
    this.#committed.push({ epoch: this.#clock, writes });
    this.#lastOf.set(entity, this.#clock);
  }

  decide(): void {
    const epoch = ++this.#decided;
    this.#clock = Math.max(this.#clock, epoch);
    const mine = this.#undecided.filter((version) => version.epoch === epoch);
    expect(this.layers.writesOf(epoch)).toEqual(mine.flatMap(({ writes }) => writes));
    this.layers.decide(epoch, ++this.#seq);
    this.#committed.push(...mine);
    this.#undecided = this.#undecided.filter((version) => version.epoch !== epoch);
  }

  /** An abort takes all that is undecided; what comes after it has later epochs. */
  drop(): void {
    for (const epoch of [this.#decided + 1, this.#decided + 2]) this.layers.drop(epoch);
    this.#undecided = [];
    this.#decided += 2;
    this.#clock = Math.max(this.#clock, this.#decided);
  }

  fold(): void {
    const { clears, keys } = this.#store.unfoldedThrough(this.#seq);
    for (const entity of clears) {
      this.#disk.clear(entity);
      this.#store.markCleared([entity], this.#seq);
    }
    for (const key of keys) {
      const change = this.#store.changeOf(key);
      if (change === undefined) continue;
      this.#store.markFolded(key, this.#seq);
      this.#disk.put(key, change);
    }
  }

  forget(): void {
    this.#history.forgetBelow(this.#decided - 2);
  }

  check(): void {
    const epochs = [...new Set(this.#undecided.map(({ epoch }) => epoch))].sort((a, b) => a - b);
    const layered = epochs.flatMap((epoch) => this.#undecided.filter((version) => version.epoch === epoch));
    expect(shown(this.layers)).toEqual(shownOf(replayed([...this.#committed, ...layered])));
    expect(this.layers.isDecided).toBe(epochs.length === 0);
    for (let epoch = this.#decided; epoch > this.#decided - 4; epoch--) this.#checkPast(epoch);
  }

  #checkPast(epoch: number): void {
    let told = false;
    const past = this.#history.at(epoch, this.#store, () => void (told = true));
    const versions = this.#committed.filter((version) => version.epoch <= epoch);
    for (const [name, read] of Object.entries(shownOf(replayed(versions)))) {
      told = false;
      try {
        expect(READS[name]?.(past), `${name} as of ${epoch}`).toEqual(read);
        expect(told).toBe(false);
        this.answered += 1;
      } catch (error) {
        if (!(error instanceof TooOldError)) throw error;
        expect(told).toBe(true);
      }
    }
  }
}

/** Everything that can be read, by name. */
const READS: Record<string, (view: StateView) => unknown> = {};
const MODEL: Record<string, (state: ReadonlyMap<string, string>) => unknown> = {};
for (const entity of ENTITIES) {
  const prefix = collectionPrefix(entity, "c");
  for (const key of [entity, ...ENTRIES.map((name) => prefix + encodeEntryKey(name))]) {
    READS[`get ${key}`] = (view) => view.get(key, entity);
    MODEL[`get ${key}`] = (state) => state.get(key) ?? null;
  }
  for (const [from, to] of [
    [prefix, afterPrefix(prefix)],
    [prefix + encodeEntryKey("b"), prefix + encodeEntryKey("d")],
  ] as const) {
    for (const limit of [1, 2, 9]) {
      for (const reverse of [false, true]) {
        const name = `range ${from} ${to} ${limit} ${reverse}`;
        READS[name] = (view) => view.range(prefix, entity, from, to, limit, reverse);
        MODEL[name] = (state) => {
          const found = [...state].filter(([key]) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0);
          found.sort(([a], [b]) => compareKeys(a, b));
          return (reverse ? found.reverse() : found).slice(0, limit);
        };
      }
    }
  }
}
const shown = (view: StateView) => Object.fromEntries(Object.entries(READS).map(([name, read]) => [name, read(view)]));
const shownOf = (state: ReadonlyMap<string, string>) =>
  Object.fromEntries(Object.entries(MODEL).map(([name, read]) => [name, read(state)]));

const entityNumber = fc.nat(ENTITIES.length - 1);
const change = fc.record({
  entry: fc.option(fc.constantFrom(...ENTRIES)),
  text: fc.option(fc.string({ maxLength: 3 })),
});
const changes = fc.oneof(
  { weight: 5, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant("clear" as const) },
);
const step = fc.oneof(
  fc.record({ op: fc.constant("add" as const), entity: entityNumber, later: fc.nat(1), changes }),
  fc.record({ op: fc.constant("commit" as const), entity: entityNumber, changes }),
  fc.constantFrom({ op: "decide" as const }, { op: "decide" as const }, { op: "drop" as const }),
  fc.constantFrom({ op: "fold" as const }, { op: "forget" as const }),
);

function writesOf(entity: string, made: typeof changes extends fc.Arbitrary<infer C> ? C : never): Write[] {
  if (made === "clear") return [{ op: "clear", key: entity, text: "" }];
  return made.map(({ entry, text }) => {
    const key = entry === null ? entity : collectionPrefix(entity, "c") + encodeEntryKey(entry);
    return text === null ? { op: "delete", key, text: "" } : { op: "put", key, text };
  });
}

test("layers and history read as a list of versions does, newest and as of every epoch that is kept", () => {
  let answered = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
      const run = new Run();
      for (const made of steps) {
        if (made.op === "add" || made.op === "commit") {
          const entity = ENTITIES[made.entity] as string;
          if (made.op === "add") run.add(entity, made.later, writesOf(entity, made.changes));
          else run.commit(entity, writesOf(entity, made.changes));
        } else run[made.op]();
        run.check();
      }
      answered += run.answered;
    }),
    { numRuns: 25, seed: 7 },
  );
  expect(answered).toBeGreaterThan(50_000);
});
