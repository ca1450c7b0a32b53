/**
 * Which edge ids may have had a result that is kept no more, by the key groups that they are about. A partition that key groups have come to keeps their
 * marks apart: of a batch it may have seen no line yet that those of the source are beyond, and that line of its own is still to run.
 */
import { LIMITS } from "../limits.ts";
import { Forgotten, type StoredMarks } from "./forgotten.ts";

/** What came with key groups, or was forgotten of what came with them. */
interface Moved {
  readonly groups: ReadonlySet<number>;
  readonly marks: Forgotten;
  /** When the last of it came; ms. */
  at: number;
}

/** Behind all marks together, as code reads them that does not keep them apart: this partition's own, and those that came. */
type Stored =
  | StoredMarks
  | readonly [
      ...StoredMarks,
      own: StoredMarks,
      moved: ReadonlyArray<readonly [number, readonly number[], StoredMarks]>,
    ];

/** Behind that, what the source knew is refused for its age: an id may have been ahead of the source's clock, and that of this one's. */
const MOVED_MS = LIMITS.edgeResultMs + 2 * LIMITS.maxClockSkewMs;

export class ForgottenIds {
  /** Of key groups that are known. For those that came lately their own marks count, which have all of this. */
  readonly #own = new Forgotten();
  /** Of unknown key groups, as is all that was found stored: it may be about any. */
  readonly #any = new Forgotten();
  #moved: Moved[] = [];

  /**
   * The result under an id is kept no more.
   * @param at when it was recorded here; ms
   * @param group key group of its request, where that is known
   */
  add(requestId: string, at: number, group?: number): void {
    if (group === undefined) return this.#any.add(requestId);
    const about = this.#moved.filter(({ groups }) => groups.has(group));
    for (const { marks } of about) marks.add(requestId);
    // What ran here outlasts what is kept apart.
    if (!about.some((each) => at <= each.at)) this.#own.add(requestId);
  }

  /** @param group likewise */
  has(requestId: string, now: number, group?: number): boolean {
    if (this.#moved.length > 0) this.#moved = this.#moved.filter(({ at }) => now <= at + MOVED_MS);
    if (this.#any.has(requestId)) return true;
    const about = this.#moved.filter(({ groups }) => isOf(groups, group));
    if (about.some(({ marks }) => marks.has(requestId))) return true;
    // Of a batch other key groups may be further here than one that came.
    const isApart = group !== undefined && about.length > 0;
    return !isApart && this.#own.has(requestId);
  }

  /** Something of these key groups comes. @param text marks of where it comes from; empty where these are not here yet */
  came(groups: ReadonlySet<number>, now: number, text = ""): void {
    const known = this.#moved.find((each) => isSame(each.groups, groups));
    const moved = known ?? { groups: new Set(groups), marks: new Forgotten(), at: now };
    moved.at = now;
    if (text !== "") moved.marks.restore(marksOf(text));
    if (known === undefined) this.#moved.push(moved);
  }

  /** All that may be about one of these key groups, as marks; without groups all. */
  marks(groups?: ReadonlySet<number>): StoredMarks {
    const all = new Forgotten();
    for (const { groups: known, marks } of this.#moved)
      if (groups === undefined || [...groups].some((group) => known.has(group))) all.restore(marks.stored);
    // These last: of its latest batches marks list the lines.
    all.restore(this.#here);
    return all.stored;
  }

  get #here(): StoredMarks {
    const here = new Forgotten();
    here.restore(this.#any.stored);
    here.restore(this.#own.stored);
    return here.stored;
  }

  encode(): string {
    const moved = this.#moved.map(({ at, groups, marks }) => [at, [...groups], marks.stored] as const);
    const stored: Stored = moved.length === 0 ? this.#here : [...this.marks(), this.#here, moved];
    return JSON.stringify(stored);
  }

  restore(text: string): void {
    const [lone, batches, lines, own, moved = []] = JSON.parse(text) as Stored;
    this.#any.restore(own ?? [lone, batches, lines]);
    for (const [at, groups, marks] of moved) this.came(new Set(groups), at, JSON.stringify(marks));
  }
}

function marksOf(text: string): StoredMarks {
  const [lone, batches, lines] = JSON.parse(text) as Stored;
  return [lone, batches, lines];
}

/** What is about nobody knows which may be about these. */
function isOf(groups: ReadonlySet<number>, group: number | undefined): boolean {
  return group === undefined || groups.has(group);
}

function isSame(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  return one.size === other.size && [...one].every((group) => other.has(group));
}
