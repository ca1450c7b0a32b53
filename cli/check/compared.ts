/** Pairs of schemas that one comparison has come to. */
import type { JsonSchema } from "./subset.ts";

/** What does not fit: where in a value, and in words that follow that. */
export interface Gap {
  readonly path: string;
  readonly what: string;
}

/** Gaps of a pair that are told again where it comes again. All of them at each place would be more than anybody reads. */
const TOLD_AGAIN = 8;

/** What a pair of schemas came to, by both. */
class Pairs<Found> {
  readonly #found = new Map<JsonSchema, Map<JsonSchema, Found>>();

  get(one: JsonSchema, other: JsonSchema): Found | undefined {
    return this.#found.get(one)?.get(other);
  }
  set(one: JsonSchema, other: JsonSchema, found: Found): void {
    const others = this.#found.get(one) ?? new Map<JsonSchema, Found>();
    this.#found.set(one, others.set(other, found));
  }
  delete(one: JsonSchema, other: JsonSchema): void {
    this.#found.get(one)?.delete(other);
  }
}

/**
 * What is taken to hold of a pair while it is looked at, and of those that it leads to. Where it does not hold, that is sure. Where it does, it does
 * as long as none of the pairs that this was begun within fails: then it is forgotten.
 */
class Assumed<Found> {
  readonly #found = new Pairs<Found>();
  /** Pairs of which it holds, in the order in which they were begun. */
  readonly #holding: Array<readonly [one: JsonSchema, other: JsonSchema]> = [];
  readonly #holds: Found;

  constructor(holds: Found) {
    this.#holds = holds;
  }

  get(one: JsonSchema, other: JsonSchema): Found | undefined {
    return this.#found.get(one, other);
  }

  /** @returns what to say when it turns out not to hold */
  begin(one: JsonSchema, other: JsonSchema): (found: Found) => void {
    const begun = this.#holding.push([one, other]) - 1;
    this.#found.set(one, other, this.#holds);
    return (found) => {
      for (const pair of this.#holding.splice(begun)) this.#found.delete(...pair);
      this.#found.set(one, other, found);
    };
  }
}

/** Each pair is taken apart some few times: definitions that lead to each other are as many pairs as there are, and far more ways from one to another. */
export class Compared {
  readonly #fitting = new Assumed<{ readonly gaps: readonly Gap[]; readonly areAll: boolean }>({
    gaps: [],
    areAll: true,
  });
  readonly #alike = new Assumed<boolean>(true);
  readonly #disjoint = new Pairs<boolean>();
  /** Pairs that are being looked at or were, of which nothing is known that tells them apart; null while none is. */
  #looked: Array<readonly [JsonSchema, JsonSchema]> | null = null;
  /** Pairs that are told apart. */
  #told = 0;
  /** Only whether there are any gaps is asked. */
  #isShort = false;

  /** @param look takes a pair apart that is not known: its gaps are at the path or within */
  gaps(to: JsonSchema, from: JsonSchema, path: string, look: () => Iterable<Gap>): readonly Gap[] {
    const known = this.#fitting.get(to, from);
    if (known !== undefined && (known.areAll || this.#isShort))
      return known.gaps.map((gap) => ({ ...gap, path: path + gap.path }));
    const fail = this.#fitting.begin(to, from);
    const areAll = !this.#isShort;
    const found = areAll ? [...look()] : firstOf(look());
    if (found.length > 0)
      fail({ gaps: found.slice(0, TOLD_AGAIN).map((gap) => ({ ...gap, path: gap.path.slice(path.length) })), areAll });
    return found;
  }

  /** Whether there are no gaps, which takes less than to find them all. */
  fits(look: () => readonly Gap[]): boolean {
    const before = this.#isShort;
    this.#isShort = true;
    const found = look();
    this.#isShort = before;
    return found.length === 0;
  }

  areAlike(one: JsonSchema, other: JsonSchema, look: () => boolean): boolean {
    const known = this.#alike.get(one, other);
    if (known !== undefined) return known;
    const fail = this.#alike.begin(one, other);
    const found = look();
    if (!found) fail(false);
    return found;
  }

  /** A pair that is being looked at tells nothing apart. So who has looked at it meanwhile looks again, as long as there is more that is told apart. */
  areDisjoint(one: JsonSchema, other: JsonSchema, look: () => boolean): boolean {
    const known = this.#disjoint.get(one, other);
    if (known !== undefined) return known;
    if (this.#looked !== null) return this.#lookApart(one, other, look);
    for (;;) {
      const told = this.#told;
      this.#looked = [];
      const found = this.#lookApart(one, other, look);
      for (const pair of this.#looked) this.#disjoint.delete(...pair);
      this.#looked = null;
      if (found) return true;
      if (told < this.#told) continue;
      this.#disjoint.set(one, other, false);
      return false;
    }
  }

  #lookApart(one: JsonSchema, other: JsonSchema, look: () => boolean): boolean {
    this.#disjoint.set(one, other, false);
    const found = look();
    if (found) {
      this.#disjoint.set(one, other, true);
      this.#told += 1;
    } else this.#looked?.push([one, other]);
    return found;
  }
}

function firstOf(gaps: Iterable<Gap>): readonly Gap[] {
  for (const gap of gaps) return [gap];
  return [];
}
