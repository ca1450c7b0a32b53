/** Whether two values are the same, in whatever order their members are: who sends one again may write them otherwise. */
import { encodeValue } from "./values.ts";

export function isSameValue(one: unknown, other: unknown): boolean {
  const [first, second] = [encodeValue(one), encodeValue(other)];
  // Another order changes no length.
  return first === second || (first.length === second.length && ordered(first) === ordered(second));
}

function ordered(text: string): string {
  return JSON.stringify(sorted(JSON.parse(text)));
}

/** Lists that begin with what they were. To make objects anew would take `__proto__` for something else than a name. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return ["list", ...value.map(sorted)];
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return ["object", ...members.map(([name, member]) => [name, sorted(member)])];
}
