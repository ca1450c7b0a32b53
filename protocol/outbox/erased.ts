/** A key that is erased, and what is to go with it. */
import { LIMITS } from "../limits.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import { BURY, DEAD, decodeDead } from "./dead-letter.ts";
import type { Letter } from "./posting.ts";

/** The function of the engine's own services that deletes what concerns an erased key. */
export const ERASE = "erase";

export interface Erased {
  /** State-key prefix. */
  readonly entity: string;
  readonly service: string;
  readonly key: string;
}

/** Whether a letter is from it or to it, was from it before it was sent again, or brings one that is to the list of dead letters. */
export function concernsErased(letter: Letter, erased: Erased): boolean {
  const { sender, origin, service, key, name, input } = letter;
  if (sender === erased.entity || origin === erased.entity) return true;
  if (service === erased.service && key === erased.key) return true;
  return service === DEAD && name === BURY && concernsErased(decodeDead(input), erased);
}

/** What one transaction erases under a key: as much as a turn may look at, from an entry on. */
export interface ErasedFrom extends Erased {
  readonly from: string;
}

/** The entries of a collection that one transaction looks at. */
export function entriesFrom(copy: EntityCopy, collection: string, from: string): Array<[id: string, text: string]> {
  const rows = copy.range(collection, { from, limit: LIMITS.eraseRowsPerTurn, reverse: false });
  return rows.map(([id, text]) => [String(id), text]);
}
