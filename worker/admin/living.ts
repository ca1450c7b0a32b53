/** Rows of state without those whose time is over: what a partition has not deleted yet is to be seen by nobody. */
import { expiringEntity } from "../../protocol/state/expiry.ts";
import { isEntity } from "../../protocol/state/indexes.ts";

export type Row = readonly [key: string, text: string];

/** Of one partition, whose rows come in order: that of a key's value before the one that says when it expires, and that before all others. */
export class Living {
  readonly #now: number;
  /** A value of which it is not known yet whether it lives. */
  #held: Row | null = null;
  /** Nothing under this key lives. */
  #over = "";

  constructor(now: number) {
    this.#now = now;
  }

  /** The rows that are known to live now. */
  add(row: Row): Row[] {
    const [key, text] = row;
    const held = this.#held;
    this.#held = null;
    const entity = expiringEntity(key);
    if (entity !== null) {
      if (Number(text) > this.#now) return held ? [held] : [];
      this.#over = entity;
      return held && held[0] !== entity ? [held] : [];
    }
    const known = held ? [held] : [];
    if (this.#over !== "" && key.startsWith(this.#over)) return known;
    this.#over = "";
    // Only a value has such a row behind it.
    if (isEntity(key)) this.#held = row;
    else known.push(row);
    return known;
  }

  /** No row follows. */
  end(): Row[] {
    const held = this.#held;
    this.#held = null;
    return held ? [held] : [];
  }
}
