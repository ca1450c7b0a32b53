/** A key that is erased, and what is to go with it. */
import type { EntityCopy } from "../state/entity-copy.ts";
import type { Letter } from "./posting.ts";

/** The function of the engine's own services that deletes what concerns an erased key. */
export const ERASE = "erase";

export interface Erased {
  /** State-key prefix. */
  readonly entity: string;
  readonly service: string;
  readonly key: string;
}

/** Whether a letter is from it or to it. */
export function concernsErased({ sender, service, key }: Letter, erased: Erased): boolean {
  return sender === erased.entity || (service === erased.service && key === erased.key);
}

/** Entries of a collection that are read at a time. */
const PAGE = 500;

/** All entries of a collection, also while they are deleted. */
export function* entriesOf(copy: EntityCopy, collection: string): Generator<readonly [id: string, text: string]> {
  let from: string | undefined;
  for (;;) {
    const page = copy.range(collection, { from, limit: PAGE, reverse: false });
    for (const [id, text] of page) yield [String(id), text];
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    // Behind an id is above it and below every other: U+0000 is in none.
    from = `${String(last[0])}\u0000`;
  }
}
