/** Watches what a callback records, for conditions that it makes and nothing comes of: `a && b` is b alone, and the flow would be another. */

import { misconfigured } from "../errors.ts";
import { type ExpressionNode, expressionText } from "./node.ts";

/** Conditions that were made and are no part of anything yet. */
let loose: Set<ExpressionNode> | undefined;

/** Told of every expression that is made of others. */
export function made(node: ExpressionNode, of: readonly ExpressionNode[]): void {
  if (loose === undefined) return;
  for (const part of of) loose.delete(part);
  if (node.kind === "boolean") loose.add(node);
}

/**
 * @param returned the expressions in what the callback returned
 * @throws TidegateError `misconfigured` for a condition that is in none of them
 */
export function recorded<T>(
  what: string,
  callback: () => T,
  returned: (value: T) => ReadonlyArray<ExpressionNode | undefined>,
): T {
  const outer = loose;
  loose = new Set();
  try {
    const value = callback();
    for (const node of returned(value)) if (node) loose.delete(node);
    for (const unused of loose) {
      throw misconfigured(
        `${what} makes the condition ${expressionText(unused)} and leaves it out: combine conditions by .and(), .or() and .not(), ` +
          "and choose by when(); to &&, || and ?: every expression is true",
      );
    }
    return value;
  } finally {
    loose = outer;
  }
}
