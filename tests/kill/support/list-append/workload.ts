/** Transactions of a few appends and reads over hot and cold lists, as one function call each. */
import type { Random } from "../../../../sim/random.ts";
import type { ListOperation } from "../../../app/src/lists.ts";

/** Lists in use at a time. */
const LISTS = 30;
/** Half of all operations go to so many of them. */
const HOT = 4;
/** A list that was appended to so often is replaced by a new one: reads stay short, and old orders stay told. */
const APPENDS = { hot: 120, cold: 40 };
const MOST_OPERATIONS = 4;

export type Shape = "sequence" | "chain" | "spread";
const SHAPES: readonly Shape[] = ["sequence", "chain", "spread"];

export type Transaction =
  | {
      readonly kind: "write";
      readonly shape: Shape;
      readonly operations: readonly ListOperation[];
      readonly refuse: boolean;
    }
  /** One query that reads several lists. */
  | { readonly kind: "read"; readonly keys: readonly string[] };

export class Workload {
  readonly #random: Random;
  readonly #lists: string[] = [];
  readonly #appends = new Map<string, number>();
  #made = 0;
  #values = 0;

  constructor(random: Random) {
    this.#random = random;
    for (let slot = 0; slot < LISTS; slot++) this.#lists.push(this.#fresh(slot));
  }

  /** Every list that was ever used. */
  get keys(): readonly string[] {
    return [...this.#appends.keys()];
  }

  next(): Transaction {
    const { oneIn, pick, int } = this.#random;
    const count = 1 + int(MOST_OPERATIONS);
    if (oneIn(6)) return { kind: "read", keys: [...new Set(Array.from({ length: count }, () => this.#key()))] };
    const operations = Array.from({ length: count }, () => (oneIn(2) ? this.#append() : this.#read()));
    return { kind: "write", shape: pick(SHAPES), operations, refuse: oneIn(15) };
  }

  #fresh(slot: number): string {
    const key = `list-${slot}-${++this.#made}`;
    this.#appends.set(key, 0);
    return key;
  }

  #slot(): number {
    return this.#random.oneIn(2) ? this.#random.int(HOT) : HOT + this.#random.int(LISTS - HOT);
  }

  #key(): string {
    return this.#lists[this.#slot()] as string;
  }

  #read(): ListOperation {
    return ["read", this.#key(), null];
  }

  #append(): ListOperation {
    const slot = this.#slot();
    const key = this.#lists[slot] as string;
    const appends = (this.#appends.get(key) ?? 0) + 1;
    this.#appends.set(key, appends);
    if (appends >= (slot < HOT ? APPENDS.hot : APPENDS.cold)) this.#lists[slot] = this.#fresh(slot);
    return ["append", key, ++this.#values];
  }
}
