/** A reviver for `JSON.parse`: whole numbers that a double would round become bigint, in engines that show the source text (all current ones). */
export function exact(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
