/** All that is stored of some key groups: the one place that reads state by group. */
import { entityOf } from "../state/indexes.ts";
import { OUTBOX } from "../outbox/message.ts";
import { LIFETIMES } from "../state/expiry.ts";
import { DUE } from "../timers/timer.ts";
import type { StoredState } from "../state/reader.ts";
import { keyOfEntity } from "../state/state-key.ts";

/** A key with this behind it is below every key that follows: U+0000 is in none. */
const NEXT = "\u0001";

/** What a partition keeps of its own, made from what it keeps for keys: it goes nowhere. */
export function isIndex(entity: string): boolean {
  return entity === DUE || entity === LIFETIMES;
}

/** Group of a state key; undefined for those of messages, which are kept with their senders, and of indexes. Keys in order are cheap: each entity is hashed once. */
export class GroupReader {
  readonly #groupOf: (key: string) => number;
  #entity = "";
  #group: number | undefined;

  constructor(groupOf: (key: string) => number) {
    this.#groupOf = groupOf;
  }

  of(stateKey: string): number | undefined {
    if (this.#entity === "" || !stateKey.startsWith(this.#entity)) {
      this.#entity = entityOf(stateKey);
      this.#group =
        this.#entity === OUTBOX || isIndex(this.#entity) ? undefined : this.#groupOf(keyOfEntity(this.#entity));
    }
    return this.#group;
  }
}

/** Stored rows page by page, in order; what is written meanwhile may be seen or not. */
export function* storedPages(
  stored: Pick<StoredState, "page">,
  rows: number,
): Generator<Array<[key: string, text: string]>> {
  let from = "";
  for (;;) {
    const page = stored.page(from, rows);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < rows) return;
    from = last[0] + NEXT;
  }
}
