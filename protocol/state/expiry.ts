/**
 * When the state under a key expires: an entry beside it, written with what renews it. So it is locked, moved, backed up and cleared with the
 * key, and whoever reads the state sees by the same entry whether there still is any.
 */
import type { TimeToLive } from "../../sdk/service.ts";
import { LIMITS } from "../limits.ts";
import { entityOf } from "./indexes.ts";
import { collectionPrefix, encodeEntryKey, entityKey, parseStateKey } from "./state-key.ts";
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

/** Where a partition keeps which services have, or have had, state that expires. It is not moved: it is made anew from what is. */
export const LIFETIMES = entityKey("#lifetimes", "");
const SERVICES = collectionPrefix(LIFETIMES, "services");

export function isLifetimeRow(key: string): boolean {
  return key.startsWith(SERVICES);
}

const rowsOf = new WeakMap<object, string>();

/** Of a service: there, when some key of it may have an expiry, whatever the code declares now; it stays. Asked for with every write, so that it is made once. */
export function lifetimeRow(contract: { readonly name: string }): string {
  let row = rowsOf.get(contract);
  if (row === undefined) rowsOf.set(contract, (row = rowOf(contract.name)));
  return row;
}

function rowOf(service: string): string {
  return SERVICES + encodeEntryKey(service);
}

function lifetimeWrite(service: string): Write {
  return { op: "put", key: rowOf(service), text: "" };
}

/** These writes of state that comes from elsewhere, with those that say of which services some of it expires. */
export function withLifetimes(writes: readonly Write[]): Write[] {
  const services = new Set<string>();
  for (const { op, key } of writes) {
    if (op === "put" && expiringEntity(key) !== null) services.add(parseStateKey(key).service);
  }
  return [...writes, ...[...services].map(lifetimeWrite)];
}

/** The time to live of a copy's service, for one transaction. */
export interface Life extends TimeToLive {
  /** The transaction's time; ms since 1970. */
  readonly now: number;
  /** It may write, and so renew. */
  readonly renews: boolean;
}

/**
 * The write that renews, unless it would change nothing. A transaction that waited has an earlier time than one that came before it: by that it must
 * not take away what the other has kept. Only a shorter time to live makes more of a difference.
 * @param before when the state expires; null where nothing says so
 */
export function renewal(service: string, entity: string, { now, ms }: Life, before: number | null): Write[] {
  const renewed = now + ms;
  const isLate = before !== null && before > renewed && before - renewed <= LIMITS.maxRenewalLagMs;
  const at = isLate ? before : renewed;
  return at === before ? [] : [{ op: "put", key: expiryRow(entity), text: String(at) }, lifetimeWrite(service)];
}
