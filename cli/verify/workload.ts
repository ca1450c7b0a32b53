/** What is asked for: appends and reads of a few lists, transfers between a few accounts, and views of all accounts. */
import type { Random } from "../../sim/random.ts";
import type { ListOperation } from "../../verify/contracts.ts";
import { ACCOUNTS, LIST_APPENDS, LISTS, OPERATIONS } from "./limits.ts";

export type Ask =
  | { readonly kind: "lists"; readonly operations: readonly ListOperation[]; readonly atOnce: boolean }
  | { readonly kind: "transfer"; readonly from: string; readonly to: string; readonly amount: number }
  | { readonly kind: "sum"; readonly snapshot: boolean };

export class Workload {
  readonly #random: Random;
  readonly #run: string;
  readonly #lists: string[] = [];
  readonly #appends = new Map<string, number>();
  readonly accounts: readonly string[];
  #values = 0;

  /** @param run part of every key, so that runs do not meet */
  constructor(random: Random, run: string) {
    this.#random = random;
    this.#run = run;
    this.accounts = Array.from({ length: ACCOUNTS }, (_, n) => `${run}-account-${n}`);
    for (let n = 0; n < LISTS; n++) this.#lists.push(this.#fresh());
  }

  /** Every list that was ever used. */
  get lists(): readonly string[] {
    return [...this.#appends.keys()];
  }

  next(): Ask {
    const { oneIn, int, pick } = this.#random;
    if (oneIn(12)) return { kind: "sum", snapshot: oneIn(2) };
    if (oneIn(2)) {
      const from = pick(this.accounts);
      const others = this.accounts.filter((account) => account !== from);
      return { kind: "transfer", from, to: pick(others), amount: 1 + int(40) };
    }
    const operations = Array.from({ length: 1 + int(OPERATIONS) }, () => (oneIn(2) ? this.#append() : this.#read()));
    return { kind: "lists", operations, atOnce: oneIn(2) };
  }

  #fresh(): string {
    const key = `${this.#run}-list-${this.#appends.size}`;
    this.#appends.set(key, 0);
    return key;
  }

  #read(): ListOperation {
    return ["read", this.#random.pick(this.#lists), null];
  }

  #append(): ListOperation {
    const slot = this.#random.int(this.#lists.length);
    const key = this.#lists[slot] as string;
    const appends = (this.#appends.get(key) ?? 0) + 1;
    this.#appends.set(key, appends);
    if (appends >= LIST_APPENDS) this.#lists[slot] = this.#fresh();
    return ["append", key, ++this.#values];
  }
}
