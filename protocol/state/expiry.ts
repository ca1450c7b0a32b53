/**
 * When the state under a key expires: an entry beside it, written with what renews it. So it is locked, moved, backed up and cleared with the
 * key, and whoever reads the state sees by the same entry whether there still is any.
 */
import type { TimeToLive } from "../../sdk/service.ts";
import { entityOf } from "./indexes.ts";
import { collectionPrefix, encodeEntryKey } from "./state-key.ts";
import type { Write } from "./store.ts";

/** No service has a collection of this name. */
export const EXPIRY = "#ttl";
const SUFFIX = collectionPrefix("", EXPIRY) + encodeEntryKey("");

/** Where it is said when the state of an entity expires. */
export function expiryRow(entity: string): string {
  return entity + SUFFIX;
}

/** The entity that a row says it of; null for any other row. */
export function expiringEntity(row: string): string | null {
  if (!row.endsWith(SUFFIX)) return null;
  const entity = row.slice(0, -SUFFIX.length);
  return entityOf(row) === entity ? entity : null;
}

/** The time to live of a copy's service, for one transaction. */
export interface Life extends TimeToLive {
  /** The transaction's time; ms since 1970. */
  readonly now: number;
  /** It may write, and so renew. */
  readonly renews: boolean;
}

/** The write that renews, unless it would change nothing. @param before when the state expires; null where nothing says so */
export function renewal(entity: string, { now, ms }: Life, before: number | null): Write[] {
  const at = now + ms;
  return at === before ? [] : [{ op: "put", key: expiryRow(entity), text: String(at) }];
}
