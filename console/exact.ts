/** JSON as it was written: whole numbers that a double would round stay what they are, where the browser can show them. */

const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown };

/** A reviver. Such a number becomes an object that `JSON.stringify` writes as the number. */
function exact(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return rawJSON !== undefined && source !== undefined && /^-?\d+$/.test(source) ? rawJSON(source) : value;
}

/** @throws SyntaxError */
export function parseExact(text: string): unknown {
  return JSON.parse(text, exact);
}
