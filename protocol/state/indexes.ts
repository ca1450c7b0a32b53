/** Parts of state keys, and sets by name: what the layers of state find things by. */

const SEPARATOR = "\u0001";

/** The prefix of service and key that a state key starts with. */
export function entityOf(stateKey: string): string {
  return stateKey.slice(0, stateKey.indexOf(SEPARATOR, stateKey.indexOf(SEPARATOR) + 1) + 1);
}

/** The collection's prefix of an entry's key; a value's key is its own. */
export function prefixOf(stateKey: string): string {
  return stateKey.slice(0, stateKey.lastIndexOf(SEPARATOR) + 1);
}

/** Whether this is the key of a value, not of an entry. */
export function isEntity(stateKey: string): boolean {
  return stateKey.endsWith(SEPARATOR);
}

export function addTo(table: Map<string, Set<string>>, name: string, item: string): void {
  const items = table.get(name);
  if (items) items.add(item);
  else table.set(name, new Set([item]));
}

export function removeFrom(table: Map<string, Set<string>>, name: string, item: string): void {
  const items = table.get(name);
  if (items?.delete(item) && items.size === 0) table.delete(name);
}
