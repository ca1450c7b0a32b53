/** The lookup step. */

import type { Contract } from "../contract.ts";
import { misconfigured } from "../errors.ts";
import { eventExpression, nodeOf } from "../expressions/build.ts";
import type { ExpressionNode } from "../expressions/node.ts";
import type { Fields } from "../stream.ts";
import { checkedFields, type Flow, makeNode, requireCode } from "./making.ts";
import type { FlowNode } from "./nodes.ts";

export function lookupNode(
  flow: Flow,
  input: FlowNode,
  contract: Contract,
  query: string,
  options: {
    readonly key: (event: never) => unknown;
    readonly input?: (event: never) => unknown;
    readonly fields: Fields;
    readonly select: (event: never, found: never) => unknown;
  },
): FlowNode {
  if (contract.functions[query]?.kind !== "query")
    throw misconfigured(`flow "${flow.name}": service "${contract.name}" has no query "${query}"`);
  requireCode(flow, "select of a lookup", options.select);
  const operator = {
    kind: "lookup",
    contract,
    query,
    key: keyOf(flow, input, options.key),
    input: options.input,
    select: options.select,
  } as const;
  return makeNode(flow, operator, [input], { fields: checkedFields(flow, options.fields) });
}

/** The expression of a service's key. */
export function keyOf(flow: Flow, input: FlowNode, key: (event: never) => unknown): ExpressionNode {
  requireCode(flow, "key", key);
  const expression = nodeOf(key(eventExpression(input.fields) as never));
  if (expression?.kind === "text" && expression.optional !== true) return expression;
  throw misconfigured(
    `flow "${flow.name}": the key of a service is a text expression that is never null; use toText() for numbers`,
  );
}
