/**
 * Takes back what was changed from one moment to another, where somebody else has changed the same value or the same entries since. What both have
 * changed cannot be: an entry, a member, or a list as a whole.
 */
import type { Shape } from "../../sdk/shape.ts";
import { encodeValue } from "../../sdk/values.ts";
import type { Change } from "./store.ts";

type Members = Record<string, unknown>;

/**
 * @param live the value as it is now
 * @param shape of the objects that it had before: where functions have these they go back in, as they were; null where nobody has any
 * @returns null where both have changed the same
 */
export function takenBack(
  live: unknown,
  before: unknown,
  after: unknown,
  shape: Shape | null,
): { readonly value: unknown } | null {
  // As it was, or back again: what was done within this was undone before.
  if (isSame(live, before)) return { value: live };
  if (isSame(before, after)) return { value: live };
  if (isSame(live, after)) return { value: original(before, shape) };
  if (!isPlainObject(live) || !isPlainObject(before) || !isPlainObject(after)) return null;
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, became, is] = [memberOf(before, name), memberOf(after, name), memberOf(live, name)];
    const own = shape?.members?.get(name) ?? null;
    if (is === null && became !== null) {
      // Whoever has deleted it since has deleted that, too.
      continue;
    }
    if (was === null) {
      if (is === null || became === null) continue;
      if (!isSame(is.value, became.value)) return null;
      delete live[name];
    } else if (is === null) define(live, name, original(was.value, own));
    else if (became === null) {
      if (!isSame(is.value, was.value)) return null;
    } else {
      const back = takenBack(is.value, was.value, became.value, own);
      if (back === null) return null;
      if (back.value !== is.value) define(live, name, back.value);
    }
  }
  return { value: live };
}

/** A value as it was before, the very objects where functions may have them. */
function original(before: unknown, shape: Shape | null): unknown {
  if (shape === null) return before;
  shape.setBack();
  return shape.value;
}

/** A member without a value is none: it is not stored. */
function memberOf(of: Members, name: string): { readonly value: unknown } | null {
  return Object.hasOwn(of, name) && of[name] !== undefined ? { value: of[name] } : null;
}

/** Defined, not assigned: a member called __proto__ stays a member. */
export function define(object: Members, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

function isSame(one: unknown, other: unknown): boolean {
  return encodeValue([one]) === encodeValue([other]);
}

/** Its own members are all that it has. */
export function isPlainObject(value: unknown): value is Members {
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
  for (const key of new Set([...after.keys(), ...before.keys()])) {
    const [was, became, is] = [before.get(key), after.get(key), live.get(key)];
    // As it was, or back again; or whoever has deleted it since has deleted that, too.
    if (was === became || is === was || (is === null && became !== null)) continue;
    if (is !== became) return null;
    if (was === undefined) entries.delete(key);
    else entries.set(key, was);
  }
  return entries;
}
