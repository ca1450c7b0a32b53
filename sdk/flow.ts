/** Flows: windowed aggregations of a stream, described step by step and recorded as plain data. */

import type { Aggregate, AggregateFor } from "./aggregate.ts";
import { milliseconds } from "./duration.ts";
import type { Duration } from "./duration.ts";
import { misconfigured } from "./errors.ts";
import { eventExpression } from "./filter.ts";
import type { EventExpression, FieldTest, Predicate } from "./filter.ts";
import { MEASURES_MAX, OUTPUTS_MAX, TESTS_MAX } from "./limits.ts";
import { checkField, checkKebab } from "./names.ts";
import type { Field, FieldKind, Fields, FieldsOfKind, FieldValue, StreamDefinition } from "./stream.ts";
import type { TumblingWindow } from "./window.ts";

declare const rowType: unique symbol;

/** A finished flow: immutable plain data. `Row` is the type of its view's rows. */
export interface FlowDefinition<Row = unknown> {
  readonly kind: "flow";
  readonly name: string;
  readonly stream: StreamDefinition;
  /** The field that is event time. */
  readonly time: string;
  /** Milliseconds by which events may be behind the latest one. */
  readonly outOfOrderness: number;
  /** All must hold. */
  readonly filter: readonly FieldTest[];
  /** The field that groups. */
  readonly key: string;
  readonly window: TumblingWindow;
  /** In the order of declaration. */
  readonly outputs: readonly FlowOutput[];
  readonly view: string;
  readonly [rowType]?: Row;
}
export type FlowOutput = Aggregate & { readonly name: string };

/** One row of a flow's view. Whole numbers beyond 2^53 come as bigint from the client. */
export type ViewRow<Key, Outputs> = {
  readonly key: Key;
  /** Milliseconds since 1970; `end` is not in the window. */
  readonly window: { readonly start: number; readonly end: number };
  /** Whether the window is closed; until then the row may still change. */
  readonly final: boolean;
} & Outputs;

/** Names that a view row has anyway. */
export const RESERVED_OUTPUTS = ["key", "window", "final"] as const;
type Reserved = (typeof RESERVED_OUTPUTS)[number];
type OutputSpecs<F extends Fields> = Readonly<Record<string, AggregateFor<F>>> & { readonly [N in Reserved]?: never };
type OutputValues<F extends Fields, A> = {
  readonly [N in keyof A]: A[N] extends { readonly field: infer Name extends keyof F }
    ? ValueOf<F[Name]>
    : number | bigint;
};
type ValueOf<T> = T extends Field<infer Kind extends FieldKind> ? FieldValue<Kind> : never;

interface FromStep {
  from<F extends Fields>(stream: StreamDefinition<F>, options: TimeOptions<F>): FilterStep<F>;
}
interface TimeOptions<F extends Fields> {
  /** A timestamp field. */
  readonly time: FieldsOfKind<F, "timestamp">;
  /** How far an event may be behind the latest one without being late. Default 0. */
  readonly outOfOrderness?: Duration;
}
interface FilterStep<F extends Fields> {
  /** Keeps events for which the expression holds; several filters must all hold. The callback runs once, here, and records. */
  filter(test: (event: EventExpression<F>) => Predicate): FilterStep<F>;
  /** Groups by a whole-number or text field. */
  keyBy<K extends FieldsOfKind<F, "int64" | "timestamp" | "text">>(field: K): WindowStep<F, K>;
}
interface WindowStep<F extends Fields, K extends keyof F> {
  window(window: TumblingWindow): AggregateStep<F, K>;
}
interface AggregateStep<F extends Fields, K extends keyof F> {
  /** Names the outputs: `{ orders: count(), revenue: sum("amount") }`. */
  aggregate<const A extends OutputSpecs<F>>(outputs: A): SinkStep<ViewRow<ValueOf<F[K]>, OutputValues<F, A>>>;
}
interface SinkStep<Row> {
  /** Keeps the results as rows, readable at `/v1/views/{view}`. */
  toView(view: string): FlowDefinition<Row>;
}

type Draft = Omit<FlowDefinition, "kind" | "view" | "outputs" | "window" | "key" | typeof rowType>;

/**
 * Starts a flow: `flow("sales-per-minute").from(Sales, { time: "at" }).keyBy("item").window(tumbling("1m")).aggregate({ … }).toView("…")`.
 * Each step throws TidegateError `misconfigured` for what the stream cannot give.
 */
export function flow(name: string): FromStep {
  checkKebab("the flow name", name);
  return {
    from(stream, options) {
      requireField(name, stream, options.time, ["timestamp"], "time");
      const outOfOrderness = milliseconds(options.outOfOrderness ?? 0, `outOfOrderness of flow "${name}"`);
      return filterStep({ name, stream, time: options.time, outOfOrderness, filter: [] }, stream);
    },
  };
}

function filterStep<F extends Fields>(draft: Draft, stream: StreamDefinition<F>): FilterStep<F> {
  return {
    filter(test) {
      const result: unknown = test(eventExpression(stream));
      if (!isPredicate(result))
        throw misconfigured(`a filter of flow "${draft.name}" must return a comparison such as e.amount.gt(0)`);
      const filter = [...draft.filter, ...result.tests];
      if (filter.length > TESTS_MAX) throw misconfigured(`flow "${draft.name}" has more than ${TESTS_MAX} comparisons`);
      return filterStep({ ...draft, filter }, stream);
    },
    keyBy(key) {
      requireField(draft.name, stream, key, ["int64", "timestamp", "text"], "key");
      return {
        window(window) {
          if (window.kind !== "tumbling") throw misconfigured(`flow "${draft.name}" takes windows made by tumbling()`);
          return {
            aggregate(aggregates) {
              const outputs = outputList(draft, aggregates);
              return { toView: (view) => finish({ ...draft, key, window, outputs }, view) };
            },
          };
        },
      };
    },
  };
}

function isPredicate(value: unknown): value is Predicate {
  return typeof value === "object" && value !== null && Array.isArray(Reflect.get(value, "tests"));
}

function outputList(draft: Draft, outputs: Readonly<Record<string, Aggregate | undefined>>): readonly FlowOutput[] {
  const list: FlowOutput[] = [];
  for (const [name, aggregate] of Object.entries(outputs)) {
    checkField(`the output of flow "${draft.name}"`, name);
    if ((RESERVED_OUTPUTS as readonly string[]).includes(name)) {
      throw misconfigured(`flow "${draft.name}" cannot have an output "${name}": every row has that member already`);
    }
    if (aggregate === undefined) continue;
    if (aggregate.kind !== "count") {
      const kinds: FieldKind[] = aggregate.kind === "sum" ? ["int64", "float64"] : ["int64", "float64", "timestamp"];
      requireField(draft.name, draft.stream, aggregate.field, kinds, aggregate.kind);
    }
    list.push(Object.freeze({ ...aggregate, name }));
  }
  const measures = new Set(list.flatMap((output) => (output.kind === "count" ? [] : [output.field])));
  if (list.length === 0) throw misconfigured(`flow "${draft.name}" has no outputs`);
  if (list.length > OUTPUTS_MAX) throw misconfigured(`flow "${draft.name}" has more than ${OUTPUTS_MAX} outputs`);
  if (measures.size > MEASURES_MAX)
    throw misconfigured(`flow "${draft.name}" aggregates more than ${MEASURES_MAX} fields`);
  return Object.freeze(list);
}

function finish<Row>(parts: Omit<FlowDefinition, "kind" | "view" | typeof rowType>, view: string): FlowDefinition<Row> {
  checkKebab(`the view of flow "${parts.name}"`, view);
  return Object.freeze({ ...parts, kind: "flow", view, filter: Object.freeze([...parts.filter]) });
}

function requireField(
  flowName: string,
  stream: StreamDefinition,
  field: string,
  kinds: readonly FieldKind[],
  use: string,
): void {
  const kind = Object.hasOwn(stream.fields, field) ? stream.fields[field]?.kind : undefined;
  if (kind === undefined) throw misconfigured(`flow "${flowName}": stream "${stream.name}" has no field "${field}"`);
  if (!kinds.includes(kind)) {
    throw misconfigured(
      `flow "${flowName}": field "${field}" is ${kind} and cannot be its ${use}; it takes ${kinds.join(", ")}`,
    );
  }
}
