/**
 * Takes back what was changed from one moment to another, where somebody else has changed the same value or the same entries since. What both have
 * changed cannot be: an entry, a member, or a list as a whole.
 */
import { encodeValue } from "../../sdk/values.ts";
import type { Change } from "./store.ts";

type Members = Record<string, unknown>;

/**
 * @param live the value as it is now; its objects stay the ones that they are
 * @returns null where both have changed the same
 */
export function takenBack(live: unknown, before: unknown, after: unknown): { readonly value: unknown } | null {
  if (isSame(before, after)) return { value: live };
  if (isSame(live, after)) return { value: filled(live, before) };
  if (!isMembers(live) || !isMembers(before) || !isMembers(after)) return null;
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, became, is] = [memberOf(before, name), memberOf(after, name), memberOf(live, name)];
    if (was !== null && became !== null && isSame(was.value, became.value)) continue;
    // Whoever has deleted it since has deleted that, too.
    if (is === null && became !== null) continue;
    if (is === null) define(live, name, was?.value);
    else if (became === null) return null;
    else if (was === null) {
      if (!isSame(is.value, became.value)) return null;
      delete live[name];
    } else {
      const back = takenBack(is.value, was.value, became.value);
      if (back === null) return null;
      define(live, name, back.value);
    }
  }
  return { value: live };
}

function memberOf(of: Members, name: string): { readonly value: unknown } | null {
  return Object.hasOwn(of, name) ? { value: of[name] } : null;
}

/** Defined, not assigned: a member called __proto__ stays a member. */
function define(object: Members, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** An object as it was, the same one where that goes: functions may have it. */
function filled(live: unknown, before: unknown): unknown {
  if (isSame(live, before)) return live;
  if (Array.isArray(live) && Array.isArray(before)) {
    const elements = before.map((element, at): unknown => filled(live[at], element));
    live.splice(0, live.length, ...elements);
    return live;
  }
  if (live instanceof Map && before instanceof Map) {
    live.clear();
    for (const [key, member] of before) live.set(key, member);
    return live;
  }
  if (live instanceof Set && before instanceof Set) {
    live.clear();
    for (const element of before) live.add(element);
    return live;
  }
  if (!isMembers(live) || !isMembers(before)) return before;
  for (const name of Object.keys(live)) if (!Object.hasOwn(before, name)) delete live[name];
  for (const [name, member] of Object.entries(before)) define(live, name, filled(live[name], member));
  return live;
}

function isSame(one: unknown, other: unknown): boolean {
  return encodeValue([one]) === encodeValue([other]);
}

function isMembers(value: unknown): value is Members {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function isSameMap(one: ReadonlyMap<string, Change>, other: ReadonlyMap<string, Change>): boolean {
  if (one.size !== other.size) return false;
  for (const [key, change] of one) if (other.get(key) !== change) return false;
  return true;
}

/** Entries by their keys; a deleted one is null. @returns null where both have changed the same */
export function entriesTakenBack(
  live: ReadonlyMap<string, Change>,
  before: ReadonlyMap<string, Change>,
  after: ReadonlyMap<string, Change>,
): Map<string, Change> | null {
  const entries = new Map(live);
  for (const [key, became] of after) {
    const was = before.get(key);
    if (was === became) continue;
    if (entries.get(key) !== became) return null;
    if (was === undefined) entries.delete(key);
    else entries.set(key, was);
  }
  return entries;
}
