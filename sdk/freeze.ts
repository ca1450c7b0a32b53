/** Read-only values at run time: what a query gets, so that a write to it throws instead of being lost. */

const FORBIDDEN = ["set", "add", "delete", "clear"] as const;
const DATE_SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set"));

function refuse(): never {
  throw new TypeError("state is read-only in a query");
}

/** Freezes a value that nobody else holds, through and through; Maps, Sets and Dates lose their writing methods. Typed arrays cannot be frozen: a query gets a copy of its own anyway. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) {
    for (const [key, entry] of value) {
      freezeDeep(key);
      freezeDeep(entry);
    }
  } else if (value instanceof Set) for (const entry of value) freezeDeep(entry);
  if (value instanceof Map || value instanceof Set) forbid(value, FORBIDDEN);
  else if (value instanceof Date) forbid(value, DATE_SETTERS);
  else for (const member of Object.values(value)) freezeDeep(member);
  return Object.freeze(value);
}

function forbid(value: object, methods: readonly string[]): void {
  for (const method of methods) Object.defineProperty(value, method, { value: refuse });
}
