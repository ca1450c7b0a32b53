/** Committed state for people: which keys a service has, and what is under one. Some at a time, each of a moment of its own. */
import { LIMITS } from "../limits.ts";
import { afterPrefix, compareKeys, entityKey, keyOfEntity } from "../state/state-key.ts";
import { entityOf } from "../state/indexes.ts";
import type { StateStore } from "../state/store.ts";
import { Pin } from "./pin.ts";

export interface KeysFound {
  /** In the order of state keys. */
  readonly keys: readonly string[];
  /** There may be more behind this key; null at the end. */
  readonly next: string | null;
}

export interface RowsFound {
  /** State keys and stored texts: the value first, if there is one, then entries in order. */
  readonly rows: ReadonlyArray<readonly [key: string, text: string]>;
  /** There are more behind this state key; null at the end. */
  readonly next: string | null;
}

/**
 * Keys of a service behind one, at most `limit`; fewer where some have so many entries that looking at them took all that one ask may.
 * @param keeps whether this partition keeps a key: what has moved away, or expired, may not be deleted yet
 */
export function keysOf(
  committed: StateStore,
  service: string,
  after: string | null,
  limit: number,
  keeps: (key: string) => boolean,
): KeysFound {
  const prefix = `${service}\u0001`;
  const from = after === null ? prefix : afterPrefix(entityKey(service, after));
  const keys: string[] = [];
  let rows = 0;
  let entity = "";
  for (const [stateKey] of new Pin(committed, from, afterPrefix(prefix)).pairs()) {
    rows += 1;
    // At least one key is passed by each ask, whatever is under it, so that asks come to an end.
    const isOver = keys.length >= limit || rows > LIMITS.browseRows;
    const isNew = entityOf(stateKey) !== entity;
    if (isOver && entity !== "" && (isNew || rows > LIMITS.browseRows)) return { keys, next: keyOfEntity(entity) };
    if (!isNew) continue;
    entity = entityOf(stateKey);
    const key = keyOfEntity(entity);
    if (keeps(key)) keys.push(key);
  }
  return { keys, next: null };
}

/** What is under a key, behind a state key, at most `limit` rows and as many characters as an answer has. */
export function rowsOf(
  committed: StateStore,
  service: string,
  key: string,
  after: string | null,
  limit: number,
): RowsFound {
  const entity = entityKey(service, key);
  const to = afterPrefix(entity);
  const rows: Array<[string, string]> = [];
  let characters = 0;
  for (const row of new Pin(committed, after ?? entity, to, limit + 1).pairs()) {
    if (after !== null && compareKeys(row[0], after) <= 0) continue;
    if (rows.length >= limit || characters > LIMITS.browseCharacters) return { rows, next: rows.at(-1)?.[0] ?? null };
    rows.push(row);
    characters += row[0].length + row[1].length;
  }
  return { rows, next: null };
}
