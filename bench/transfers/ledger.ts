/** The client's own book of the transfers that were acknowledged. They commute, so that their order is not needed. */
import { START_BALANCE } from "./accounts.ts";

export interface Statement {
  readonly balance: number;
  readonly sent: number;
  readonly received: number;
}

export class Ledger {
  readonly accounts: number;
  readonly #change: Float64Array;
  readonly #sent: Uint32Array;
  readonly #received: Uint32Array;
  #touched = new Set<number>();

  constructor(accounts: number) {
    this.accounts = accounts;
    this.#change = new Float64Array(accounts);
    this.#sent = new Uint32Array(accounts);
    this.#received = new Uint32Array(accounts);
  }

  /** Enters one acknowledged transfer. */
  add(from: number, to: number, amount: number): void {
    this.#change[from]! -= amount;
    this.#change[to]! += amount;
    this.#sent[from]! += 1;
    this.#received[to]! += 1;
    this.#touched.add(from).add(to);
  }

  /** The accounts that took part since the last call of this. */
  takeTouched(): number[] {
    const touched = [...this.#touched];
    this.#touched = new Set();
    return touched;
  }

  /** What the account must show. */
  expected(account: number): Statement {
    return {
      balance: START_BALANCE + this.#change[account]!,
      sent: this.#sent[account]!,
      received: this.#received[account]!,
    };
  }
}
