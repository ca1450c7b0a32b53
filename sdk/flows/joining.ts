/** The join steps. */

import { milliseconds } from "../duration.ts";
import type { Duration } from "../duration.ts";
import { misconfigured } from "../errors.ts";
import { eventExpression, nodeOf } from "../expressions/build.ts";
import { recorded } from "../expressions/recording.ts";
import type { ExpressionNode } from "../expressions/node.ts";
import { isWindow, type WindowSpec } from "../window.ts";
import { computed, durationOr, type KeyedParts, makeNode, unchanging } from "./making.ts";
import type { FlowNode, JoinRule } from "./nodes.ts";

export class JoiningStep<Step> {
  readonly #left: KeyedParts;
  readonly #right: KeyedParts;

  readonly #step: (node: FlowNode) => Step;

  constructor(left: KeyedParts, right: KeyedParts, step: (node: FlowNode) => Step) {
    const { flow } = left;
    if (left.flow !== right.flow) throw misconfigured(`flow "${flow.name}" is joined with another flow`);
    const kinds = (side: KeyedParts): string => side.keys.fields.map((name) => side.node.fields[name]?.kind).join(", ");
    if (kinds(left) !== kinds(right))
      throw misconfigured(
        `flow "${flow.name}" joins keys of kinds (${kinds(left)}) with keys of kinds (${kinds(right)})`,
      );
    this.#left = left;
    this.#right = right;
    this.#step = step;
  }

  #by(rule: JoinRule): JoinedStep<Step> {
    return new JoinedStep(this.#left, this.#right, Object.freeze(rule), null, this.#step);
  }

  window(window: WindowSpec): JoinedStep<Step> {
    if (!isWindow(window) || window.kind === "session" || window.time === "processing")
      throw misconfigured(`flow "${this.#left.flow.name}" joins in tumbling or sliding windows of event time`);
    return this.#by({ kind: "window", window });
  }

  within(bounds: { readonly before?: Duration; readonly after?: Duration }): JoinedStep<Step> {
    const before = milliseconds(bounds.before ?? 0, "before");
    return this.#by({ kind: "interval", before, after: milliseconds(bounds.after ?? 0, "after") });
  }

  all(options: { readonly keep?: Duration } = {}): JoinedStep<Step> {
    return this.#by({ kind: "all", keep: durationOr(options.keep, null, "keep") });
  }

  table(): JoinedStep<Step> {
    return this.#by({ kind: "table" });
  }
}

class JoinedStep<Step> {
  readonly #left: KeyedParts;
  readonly #right: KeyedParts;
  readonly #rule: JoinRule;
  readonly #where: ExpressionNode | null;
  readonly #step: (node: FlowNode) => Step;

  constructor(
    left: KeyedParts,
    right: KeyedParts,
    rule: JoinRule,
    where: ExpressionNode | null,
    step: (node: FlowNode) => Step,
  ) {
    this.#step = step;
    this.#left = left;
    this.#right = right;
    this.#rule = rule;
    this.#where = where;
  }

  get #sides(): [never, never] {
    return [eventExpression(this.#left.node.fields, 0) as never, eventExpression(this.#right.node.fields, 1) as never];
  }

  where(test: (left: never, right: never) => unknown): JoinedStep<Step> {
    const what = `where of flow "${this.#left.flow.name}"`;
    const returned = recorded(
      what,
      () => test(...this.#sides),
      (value) => [nodeOf(value)],
    );
    const condition = nodeOf(returned);
    if (condition?.kind !== "boolean" || condition.optional === true)
      throw misconfigured(`${what} must return a comparison`);
    const both: ExpressionNode =
      this.#where === null
        ? condition
        : Object.freeze({ op: "and", kind: "boolean", args: Object.freeze([this.#where, condition]) });
    return new JoinedStep(this.#left, this.#right, this.#rule, both, this.#step);
  }

  select(fields: (left: never, right: never) => unknown): Step {
    const { flow } = this.#left;
    const { columns, kinds } = computed(flow, "select", () => fields(...this.#sides));
    const inputs = [unchanging(this.#left, "join"), unchanging(this.#right, "join")];
    const right = Object.freeze({ ...this.#right.keys, shards: this.#left.keys.shards });
    const operator = {
      kind: "join",
      left: this.#left.keys,
      right,
      rule: this.#rule,
      where: this.#where,
      columns,
    } as const;
    return this.#step(makeNode(flow, operator, inputs, { fields: kinds }));
  }
}
