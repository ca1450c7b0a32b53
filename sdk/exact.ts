/** A reviver for `JSON.parse`: whole numbers that a double would round become bigint, in engines that show the source text (all current ones). */
export function exact(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** JSON of a number that is a float64: one beyond 2^53 has an exponent, by which {@link exact} tells it from an int64, and stays a number. */
export function floatJson(value: number): string {
  const isUnsafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isUnsafe ? value.toExponential() : JSON.stringify(value);
}
