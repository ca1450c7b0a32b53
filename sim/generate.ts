/** Programs from a seed. */
import type { EntryKey, Place, Step } from "./program.ts";
import type { Random } from "./random.ts";

const ENTRY_KEYS: readonly EntryKey[] = ["a", "b", "", "\u0000", "é", "😀", -1, 0, 2.5, 1e21];
const MAX_DEPTH = 4;

export interface Generated {
  readonly at: Place;
  readonly kind: "run" | "look";
  readonly steps: readonly Step[];
  /** Its calls may wait for each other: it may be aborted with `call-cycle`. */
  readonly wild: boolean;
  /** Which of its tried calls fail depends on what runs when: it writes nothing, and its result may be any. */
  readonly anyResult?: boolean;
}

export class Generator {
  readonly #random: Random;
  readonly #places: readonly Place[];
  #ids = 0;

  constructor(random: Random, places: readonly Place[]) {
    this.#random = random;
    this.#places = places;
  }

  program(): Generated {
    const at = this.#random.pick(this.#places);
    if (this.#random.oneIn(5)) return { at, kind: "look", steps: this.#looks(MAX_DEPTH), wild: false };
    if (this.#random.oneIn(5)) return { at, kind: "run", steps: this.#parallel(at), wild: false };
    if (this.#random.oneIn(8)) return { at, kind: "run", steps: this.#wild(3, false), wild: true };
    if (this.#random.oneIn(8)) return { at, kind: "run", steps: this.#wild(4, true), wild: true, anyResult: true };
    return { at, kind: "run", steps: this.#steps(MAX_DEPTH), wild: false };
  }

  #steps(depth: number): Step[] {
    return Array.from({ length: 1 + this.#random.int(4) }, () => this.#step(depth));
  }

  #step(depth: number): Step {
    const { int, pick, oneIn } = this.#random;
    if (depth > 0 && oneIn(3)) {
      const op = pick(["call", "call", "call", "try", "try", "catch"] as const);
      return { op, at: pick(this.#places), steps: this.#steps(depth - 1) };
    }
    if (oneIn(25)) return { op: "throw" };
    if (oneIn(25)) return { op: "refuse" };
    if (oneIn(20)) return { op: "clear" };
    return pick<Step>([
      { op: "add", by: 1 + int(9) },
      { op: "slow-add", by: 1 + int(9) },
      { op: "append", id: `i${++this.#ids}` },
      { op: "read" },
      { op: "put", key: pick(ENTRY_KEYS), value: int(100) },
      { op: "put", key: pick(ENTRY_KEYS), value: int(100) },
      { op: "delete", key: pick(ENTRY_KEYS) },
      { op: "pause" },
    ]);
  }

  /** Calls at once to anywhere, back to ancestors too. They only add, at once: a sum is the same in every order. With `tries` they write nothing. */
  #wild(depth: number, tries: boolean): Step[] {
    const { int, pick, oneIn } = this.#random;
    return Array.from({ length: 1 + int(3) }, (): Step => {
      if (depth === 0 || oneIn(3)) return tries || oneIn(2) ? { op: "pause" } : { op: "add", by: 1 + int(9) };
      const call = () => ({ at: pick(this.#places), steps: this.#wild(depth - 1, tries), tried: tries && oneIn(2) });
      if (oneIn(3)) return { op: pick(["loose", "call"] as const), ...call() };
      return { op: "all", calls: Array.from({ length: 2 + int(2) }, call) };
    });
  }

  /** Reads only. */
  #looks(depth: number): Step[] {
    return Array.from({ length: 1 + this.#random.int(3) }, (): Step => {
      if (depth > 0 && this.#random.oneIn(3)) {
        return { op: "call", at: this.#random.pick(this.#places), steps: this.#looks(depth - 1) };
      }
      return this.#random.oneIn(3) ? { op: "pause" } : { op: "read" };
    });
  }

  /**
   * Calls at once, in no known order: they only add, so that every order gives the same. Their own calls go to one place, so that
   * none waits for another; none comes back to the root, whose own code would race with them.
   */
  #parallel(root: Place): Step[] {
    const { int, pick, oneIn } = this.#random;
    const others = this.#places.filter((place) => place !== root);
    const leaf = pick(others);
    const adds = (): Step[] => [{ op: oneIn(2) ? "slow-add" : "add", by: 1 + int(9) }];
    const children = others.filter((place) => place !== leaf);
    const calls = Array.from({ length: 2 + int(3) }, () => {
      const tried = oneIn(2);
      const fails = oneIn(tried ? 2 : 20);
      const throws: Step[] = fails ? [{ op: "throw" }] : [];
      const inner: Step[] = oneIn(2) ? [{ op: "call", at: leaf, steps: adds() }] : [];
      return { at: pick(children), tried, steps: [...adds(), ...inner, ...(oneIn(2) ? adds() : []), ...throws] };
    });
    if (!oneIn(3)) return [{ op: "all", calls }, ...adds()];
    const loose = calls.map(({ at, steps }): Step => ({
      op: "loose",
      at,
      steps: steps.filter(({ op }) => op !== "throw"),
    }));
    return [...loose, ...adds()];
  }
}
