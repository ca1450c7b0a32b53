/** Builds a flow step by step; what the compiler has checked is checked again, since not everybody uses it. */

import { milliseconds } from "../duration.ts";
import type { Duration } from "../duration.ts";
import { misconfigured } from "../errors.ts";
import { eventExpression, nodeOf } from "../expressions/build.ts";
import { recorded } from "../expressions/recording.ts";
import { KEY_FIELDS_MAX, SHARDS_DEFAULT, SHARDS_MAX, TESTS_MAX } from "../limits.ts";
import { checkKebab } from "../names.ts";
import { type FieldKind, type Fields, isStream, type StreamDefinition } from "../stream.ts";
import { isWindow, type WindowSpec } from "../window.ts";
import { type Aggregated, aggregateNode } from "./aggregating.ts";
import { queueSink, type ToQueueOptions, type ToWebhookOptions, webhookSink } from "./egress.ts";
import { JoiningStep } from "./joining.ts";
import { lookupNode } from "./lookup.ts";
import {
  checkedFields,
  comparisonsOf,
  computed,
  durationOr,
  type Flow,
  makeNode,
  requireCode,
  requireSameFields,
  requireValue,
  unchanging,
} from "./making.ts";
import type { FlowNode, Keys, Operator, ProcessCode } from "./nodes.ts";
import { callSink, definition, streamSink, viewSink } from "./sinks.ts";

const KEY_KINDS: readonly FieldKind[] = ["int64", "timestamp", "text", "boolean"];

export class EventsStep {
  readonly flow: Flow;
  readonly node: FlowNode;

  constructor(flow: Flow, node: FlowNode) {
    this.flow = flow;
    this.node = node;
  }

  get fields(): Fields {
    return this.node.fields;
  }

  /** The same kind of step, further on. */
  protected next(operator: Operator, fields: Fields, json: readonly string[] = []): EventsStep {
    return new EventsStep(this.flow, makeNode(this.flow, operator, [this.node], { fields, json }));
  }

  named(name: string): EventsStep {
    checkKebab(`the operator of flow "${this.flow.name}"`, name);
    // What is kept of operators are members of objects, by their names.
    if (name in Object.prototype) throw misconfigured(`flow "${this.flow.name}" cannot name an operator "${name}"`);
    return this.with(Object.freeze({ ...this.node, name }));
  }
  protected with(node: FlowNode): EventsStep {
    return new EventsStep(this.flow, node);
  }

  filter(test: (event: never) => unknown): EventsStep {
    const what = `a filter of flow "${this.flow.name}"`;
    const returned = recorded(
      what,
      () => test(eventExpression(this.fields) as never),
      (value) => [nodeOf(value)],
    );
    const condition = nodeOf(returned);
    if (condition?.kind !== "boolean" || condition.optional === true) {
      throw misconfigured(`${what} must return a comparison such as e.amount.gt(0)`);
    }
    const operator = { kind: "filter", test: condition } as const;
    const step = this.next(operator, this.fields, this.node.json);
    if (comparisonsOf(step.node) > TESTS_MAX)
      throw misconfigured(`flow "${this.flow.name}" has more than ${TESTS_MAX} comparisons`);
    return step;
  }

  map(fields: (event: never) => unknown): EventsStep {
    const { columns, kinds } = computed(this.flow, "map", () => fields(eventExpression(this.fields) as never));
    const json = columns.flatMap(({ name, expression }) =>
      expression.op === "field" && this.node.json.includes(expression.name) ? [name] : [],
    );
    return this.next({ kind: "map", columns }, kinds, json);
  }

  filterRows(code: (event: never) => boolean): EventsStep {
    requireCode(this.flow, "filterRows", code);
    return this.next({ kind: "filter-rows", code }, this.fields, this.node.json);
  }

  mapRows(fields: Fields, code: (event: never) => unknown): EventsStep {
    requireCode(this.flow, "mapRows", code);
    return this.flatMap(fields, (event) => [code(event)]);
  }

  flatMap(fields: Fields, code: (event: never) => readonly unknown[]): EventsStep {
    requireCode(this.flow, "flatMap", code);
    return this.next({ kind: "flat-map", code }, checkedFields(this.flow, fields));
  }

  union(...others: readonly EventsStep[]): EventsStep {
    for (const other of others) {
      if (other.flow !== this.flow) throw misconfigured(`flow "${this.flow.name}" is united with another flow`);
      requireSameFields(this.flow, "union", this.fields, other.fields);
    }
    const inputs = [this.node, ...others.map(({ node }) => node)];
    // A field that is JSON in some of them only is shown as any other text: what the others have there is none.
    const json = this.node.json.filter((name) => inputs.every((input) => input.json.includes(name)));
    return new EventsStep(this.flow, makeNode(this.flow, { kind: "union" }, inputs, { fields: this.fields, json }));
  }

  lookup(contract: never, query: string, options: never): EventsStep {
    return new EventsStep(this.flow, lookupNode(this.flow, this.node, contract, query, options));
  }

  keyBy(...fields: readonly string[]): KeyedStep {
    if (fields.length > KEY_FIELDS_MAX)
      throw misconfigured(`flow "${this.flow.name}" is keyed by more than ${KEY_FIELDS_MAX} fields`);
    for (const field of fields) requireValue(this.flow, this.fields, field, KEY_KINDS, "key");
    return new KeyedStep(
      this.flow,
      this.node,
      Object.freeze({ fields: Object.freeze([...fields]), shards: SHARDS_DEFAULT }),
    );
  }

  toView(view: string, options?: { readonly key?: string | readonly string[] }): unknown {
    const key = typeof options?.key === "string" ? [options.key] : (options?.key ?? []);
    for (const field of key) requireValue(this.flow, this.fields, field, KEY_KINDS, "key");
    return definition(this.flow, viewSink(this.flow, this.node, view, key, "plain"), null);
  }

  toStream(stream: StreamDefinition): unknown {
    if (!isStream(stream)) throw misconfigured(`flow "${this.flow.name}" ends in something that is no stream`);
    requireSameFields(this.flow, `toStream("${stream.name}")`, stream.fields, this.fields, true);
    return definition(this.flow, streamSink(this.node, stream), null);
  }

  toQueue(name: string, options: ToQueueOptions): unknown {
    return definition(this.flow, queueSink(this.flow, this.node, name, options), null);
  }

  toWebhook(name: string, options: ToWebhookOptions): unknown {
    return definition(this.flow, webhookSink(this.flow, this.node, name, options), null);
  }

  call(contract: never, name: string, options: never): unknown {
    return definition(this.flow, callSink(this.flow, this.node, contract, name, options), null);
  }
}

/** Behind an aggregate: rows are named by its keys. */
export class ResultsStep extends EventsStep {
  readonly #results: Aggregated;

  constructor(flow: Flow, results: Aggregated) {
    super(flow, results.node);
    this.#results = results;
  }

  protected override with(node: FlowNode): ResultsStep {
    return new ResultsStep(this.flow, { ...this.#results, node });
  }

  override toView(view: string): unknown {
    const { key, windowed, kernel } = this.#results;
    const sink = viewSink(this.flow, this.node, view, key, windowed ? "windowed" : "plain");
    return definition(this.flow, sink, kernel?.(view) ?? null);
  }
}

export class KeyedStep {
  readonly flow: Flow;
  readonly node: FlowNode;
  readonly keys: Keys;

  constructor(flow: Flow, node: FlowNode, keys: Keys) {
    this.flow = flow;
    this.node = node;
    this.keys = keys;
  }

  shards(count: number): KeyedStep {
    if (!Number.isInteger(count) || count < 1 || count > SHARDS_MAX)
      throw misconfigured(`flow "${this.flow.name}" takes 1 to ${SHARDS_MAX} shards, not ${String(count)}`);
    return new KeyedStep(this.flow, this.node, Object.freeze({ ...this.keys, shards: count }));
  }

  window(window: WindowSpec): WindowedStep {
    if (!isWindow(window))
      throw misconfigured(`flow "${this.flow.name}" takes windows made by tumbling(), sliding() or session()`);
    return new WindowedStep(this, window, 0);
  }

  aggregate(outputs: never, options: { readonly ttl?: Duration } = {}): ResultsStep {
    const made = aggregateNode(this, null, 0, outputs, durationOr(options.ttl, null, "ttl"));
    return new ResultsStep(this.flow, made);
  }

  deduplicate(options: { readonly keep?: "first" | "last"; readonly ttl?: Duration } = {}): EventsStep {
    const { keep = "first" } = options;
    if (keep !== "first" && keep !== "last")
      throw misconfigured(`flow "${this.flow.name}": deduplicate keeps "first" or "last"`);
    const operator = { kind: "deduplicate", keys: this.keys, keep, ttl: durationOr(options.ttl, null, "ttl") } as const;
    const { fields, json } = this.node;
    const shape = { fields, json, changes: keep === "last" };
    return new EventsStep(this.flow, makeNode(this.flow, operator, [unchanging(this, "deduplicate")], shape));
  }

  join(other: KeyedStep): JoiningStep<EventsStep> {
    return new JoiningStep(this, other, (node) => new EventsStep(this.flow, node));
  }

  process(options: ProcessCode & { readonly fields: Fields }): EventsStep {
    requireCode(this.flow, "process", options.onEvent);
    const { state, onEvent, onTimer } = options;
    const code = Object.freeze({ state, onEvent, onTimer });
    const operator = { kind: "process", keys: this.keys, code } as const;
    const shape = { fields: checkedFields(this.flow, options.fields), changes: false };
    return new EventsStep(this.flow, makeNode(this.flow, operator, [unchanging(this, "process")], shape));
  }
}

export class WindowedStep {
  readonly #keyed: KeyedStep;
  readonly #window: WindowSpec;
  readonly #lateness: number;

  constructor(keyed: KeyedStep, window: WindowSpec, lateness: number) {
    this.#keyed = keyed;
    this.#window = window;
    this.#lateness = lateness;
  }

  allowedLateness(duration: Duration): WindowedStep {
    const lateness = milliseconds(duration, `allowedLateness of flow "${this.#keyed.flow.name}"`);
    if (lateness > 0 && this.#window.time === "processing")
      throw misconfigured(`flow "${this.#keyed.flow.name}": nothing is late in windows of processing time`);
    return new WindowedStep(this.#keyed, this.#window, lateness);
  }

  aggregate(outputs: never): ResultsStep {
    const made = aggregateNode(this.#keyed, this.#window, this.#lateness, outputs, null);
    return new ResultsStep(this.#keyed.flow, made);
  }
}
