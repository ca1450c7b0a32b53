/** The walk that tells plain JSON values from those that need more, and names what cannot be stored at all. */

import { VALUE_MAX_DEPTH } from "./limits.ts";
import { escapePointer } from "./schema.ts";

/**
 * Whether `JSON.stringify` alone carries the value exactly. This is the hot path, so it neither builds paths nor throws: `false`
 * also stands for what cannot be stored. Objects with a member named `reserved` are not plain.
 */
export function isPlain(value: unknown, reserved: string | undefined): boolean {
  return value !== undefined && walk(value, reserved, 0);
}

function walk(value: unknown, reserved: string | undefined, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      // NaN and the infinities are the numbers whose difference with themselves is not 0.
      return value - value === 0 && (value !== 0 || 1 / value > 0);
    case "object":
      if (value === null) return true;
      if (depth >= VALUE_MAX_DEPTH) return false;
      return Array.isArray(value) ? walkArray(value, reserved, depth + 1) : walkObject(value, reserved, depth + 1);
    default:
      return false;
  }
}

function walkArray(value: readonly unknown[], reserved: string | undefined, depth: number): boolean {
  for (let at = 0; at < value.length; at++) if (!walk(value[at], reserved, depth)) return false;
  return true;
}

function walkObject(value: object, reserved: string | undefined, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && !isPlainPrototype(prototype)) return false;
  for (const key in value) {
    if (key === reserved) return false;
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined && !walk(member, reserved, depth)) return false;
  }
  return true;
}

/** Objects without a prototype, and those of another realm's `Object`. */
function isPlainPrototype(prototype: unknown): boolean {
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Accepts what the codec can carry.
 * @param what the value is, for the error
 * @throws TypeError with the JSON pointer of the first thing that it cannot.
 */
export function checkSendable(value: unknown, what: string): void {
  try {
    checkAt(value, "", new Set());
  } catch (error) {
    if (error instanceof Unstorable) throw new TypeError(`${what} ${error.message}`, { cause: error });
    throw error;
  }
}

class Unstorable extends Error {}

function checkAt(value: unknown, path: string, ancestors: Set<object>): void {
  if (typeof value === "number" && !Number.isFinite(value)) throw unstorable(path, String(value));
  if (typeof value === "function" || typeof value === "symbol") throw unstorable(path, `a ${typeof value}`);
  if (typeof value !== "object" || value === null) return;
  if (ancestors.has(value)) throw unstorable(path, "a reference to one of its own parents");
  if (ancestors.size >= VALUE_MAX_DEPTH) throw unstorable(path, `nested more than ${VALUE_MAX_DEPTH} levels deep`);
  ancestors.add(value);
  checkInside(value, path, ancestors);
  ancestors.delete(value);
}

function checkInside(value: object, path: string, ancestors: Set<object>): void {
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) checkAt(value[at], `${path}/${at}`, ancestors);
  } else if (value instanceof Map) {
    checkBuiltin(value, Map.prototype, path);
    let at = 0;
    for (const [key, member] of value) {
      checkAt(key, `${path}/${at}/0`, ancestors);
      checkAt(member, `${path}/${at++}/1`, ancestors);
    }
  } else if (value instanceof Set) {
    checkBuiltin(value, Set.prototype, path);
    let at = 0;
    for (const member of value) checkAt(member, `${path}/${at++}`, ancestors);
  } else if (value instanceof Date) {
    checkBuiltin(value, Date.prototype, path);
    if (Number.isNaN(value.getTime())) throw unstorable(path, "an invalid Date");
  } else if (!(value instanceof Uint8Array)) {
    if (!isPlainPrototype(Object.getPrototypeOf(value))) throw unstorable(path, instanceName(value));
    for (const [key, member] of Object.entries(value)) checkAt(member, `${path}/${escapePointer(key)}`, ancestors);
  }
}

function checkBuiltin(value: object, prototype: object, path: string): void {
  if (Object.getPrototypeOf(value) !== prototype) throw unstorable(path, instanceName(value));
}

function instanceName(value: object): string {
  const constructor: unknown = Reflect.get(value, "constructor");
  return `an instance of ${typeof constructor === "function" && constructor.name !== "" ? constructor.name : "a class"}`;
}

function unstorable(path: string, what: string): Unstorable {
  return new Unstorable(`cannot be stored or sent: at "${path}" is ${what}`);
}

/** A copy of a plain object with each member mapped; `undefined` members dropped. */
export function plainObject(value: object, map: (member: unknown) => unknown): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) if (member !== undefined) setMember(copy, key, map(member));
  return copy;
}

/** Assignment, but `__proto__` becomes a member like any other, as in `JSON.parse`. */
function setMember(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[key] = value;
  }
}
