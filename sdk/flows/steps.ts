/** The steps of a flow as the compiler sees them: the fields of an event flow from each to the next. */

import type { Aggregate, AggregateFor, Reduce } from "../aggregate.ts";
import type { Contract } from "../contract.ts";
import type { Duration } from "../duration.ts";
import type {
  Condition,
  EventExpression,
  Expression,
  OptionalExpression,
  TextExpression,
} from "../expressions/types.ts";
import type { InputOf, OutputOf, QueryNames, WriterNames } from "../infer.ts";
import type {
  AnyField,
  EventInput,
  EventOf,
  Field,
  FieldKind,
  Fields,
  FieldValue,
  RequiredOfKind,
  StreamDefinition,
  ValueOf,
} from "../stream.ts";
import type { WindowSpec } from "../window.ts";
import type { ToQueueOptions, ToWebhookOptions } from "./egress.ts";
import type { FlowDefinition } from "./nodes.ts";

/** One row of a view behind windows. Whole numbers beyond 2^53 come as bigint from the client. */
export type ViewRow<Key, Outputs> = {
  readonly key: Key;
  /** Milliseconds since 1970; `end` is not in the window. */
  readonly window: { readonly start: number; readonly end: number };
  /** Whether the window is closed; until then the row may still change. */
  readonly final: boolean;
} & Outputs;

/** Names that rows of windows have anyway. */
export const RESERVED_OUTPUTS = ["key", "window", "final", "windowStart", "windowEnd"] as const;
type Reserved = (typeof RESERVED_OUTPUTS)[number];

/** Fields that can be part of a key: those that every event has, but doubles. */
export type KeyNames<F extends Fields> = RequiredOfKind<F, "int64" | "timestamp" | "text" | "boolean">;
type KeyValue<F extends Fields, K extends ReadonlyArray<keyof F>> = K extends readonly [infer One extends keyof F]
  ? ValueOf<F[One]>
  : { readonly [I in keyof K]: ValueOf<F[K[I] & keyof F]> };

export type OutputSpecs<F extends Fields> = Readonly<Record<string, AggregateFor<F>>> & {
  readonly [N in Reserved]?: never;
};
type Kept<F extends Fields, Of> = [Of] extends [never] ? EventOf<F> : Pick<EventOf<F>, Of & keyof F>;
/** What each aggregate comes to. */
export type OutputValues<F extends Fields, A> = { readonly [N in keyof A]: OutputValue<F, A[N]> };
type OutputValue<F extends Fields, A> = A extends { readonly kind: "top" | "collect"; readonly of: infer Of }
  ? ReadonlyArray<Kept<F, Of extends ReadonlyArray<infer One> ? One : never>>
  : A extends Reduce<never, infer Kind>
    ? FieldValue<Kind>
    : A extends {
          readonly kind: "sum" | "avg" | "min" | "max" | "first" | "last";
          readonly field: infer Name extends keyof F;
        }
      ? ValueOf<OfField<A["kind"], F[Name]>>
      : number | bigint;
/** The field of what an aggregate of one field comes to. */
type OfField<Kind, T extends AnyField> = Kind extends "avg"
  ? T extends Field
    ? Field<"float64">
    : Field<"float64", true>
  : Kind extends "sum"
    ? Field<T["kind"]>
    : T;
/** The fields that a step has behind an aggregate; lists are JSON texts. */
type OutputFields<F extends Fields, A> = { readonly [N in keyof A]: OutputField<F, A[N]> };
type OutputField<F extends Fields, A> = A extends { readonly kind: "top" | "collect" }
  ? Field<"text">
  : A extends { readonly kind: "count" | "distinct" }
    ? Field<"int64">
    : A extends { readonly kind: "reduce"; readonly to: infer To extends Field }
      ? To
      : A extends { readonly kind: infer Kind; readonly field: infer Name extends keyof F }
        ? OfField<Kind, F[Name]>
        : never;
interface WindowFields {
  readonly windowStart: Field<"timestamp">;
  readonly windowEnd: Field<"timestamp">;
}
type Shown<F extends Fields> = { readonly [N in keyof F]: F[N] };
/** Fields of a stream that takes events of these: what always has a value may be put where there may be none. */
type Widened<F extends Fields> = { readonly [N in keyof F]: F[N] | Field<F[N]["kind"], true> };

/** What a `map` or `select` callback returns: the new fields. */
export type Computed = Readonly<Record<string, Expression<FieldKind> | OptionalExpression<FieldKind>>>;
export type ComputedFields<M> = {
  readonly [N in keyof M]: M[N] extends { readonly kind: infer K extends FieldKind }
    ? M[N] extends { readonly optional: true }
      ? Field<K, true>
      : Field<K>
    : never;
};

export interface SourceOptions<F extends Fields> {
  /** A timestamp field: event time. */
  readonly time: RequiredOfKind<F, "timestamp">;
  /** How far an event may be behind the latest one of its source without being late. Default 0. */
  readonly outOfOrderness?: Duration;
  /**
   * Without events for so long, by the server's clock, a source holds back nobody: the watermark is that of the others. Default: it always
   * holds back. It is looked at when a batch comes, and by an alarm.
   */
  readonly idle?: Duration;
}

export interface Start {
  /** Begins with the events of a stream. A flow may read several: call `from` again on what `flow()` gave. */
  from<F extends Fields>(stream: StreamDefinition<F>, options: SourceOptions<F>): Events<F>;
}

export interface Events<F extends Fields> {
  /** The fields of its events. */
  readonly fields: F;
  /** Names the last operator: its state is found by that name when the flow is changed. */
  named(name: string): Events<F>;
  /** Keeps events for which the expression holds; several filters must all hold. The callback runs once, here, and records. */
  filter(test: (event: EventExpression<F>) => Condition): Events<F>;
  /** New fields from expressions: `map((e) => ({ item: e.item, cents: e.price.mul(100) }))`. Event time stays. The callback runs once, here. */
  map<const M extends Computed>(fields: (event: EventExpression<F>) => M): Events<Shown<ComputedFields<M>>>;
  /** Keeps events for which a function in JavaScript says true; it runs for each of them. */
  filterRows(test: (event: EventOf<F>) => boolean): Events<F>;
  /** New events from a function in JavaScript, which runs for each. Names the fields first: `mapRows({ n: int64() }, (e) => ({ n: … }))`. */
  mapRows<const G extends Fields>(fields: G, code: (event: EventOf<F>) => EventInput<G>): Events<G>;
  /** Any number of events for each; else as `mapRows`. */
  flatMap<const G extends Fields>(fields: G, code: (event: EventOf<F>) => ReadonlyArray<EventInput<G>>): Events<G>;
  /** All events of several, with the same fields; time has come as far as it has in all of them. */
  union(...others: ReadonlyArray<Events<F>>): Events<F>;
  /**
   * Asks a query of a service for each event, in the batch's transaction. What `select` returns goes on; nothing for null. Events with the
   * same key and input ask once a batch. Behind results that change it is asked anew when they are taken back: where it answers otherwise by then, a
   * view keeps the row of before, unless a later one of the same key takes its place.
   */
  lookup<C extends Contract, N extends QueryNames<C["functions"]> & string, const G extends Fields>(
    contract: C,
    query: N,
    options: {
      readonly key: (event: EventExpression<F>) => TextExpression;
      readonly input?: (event: EventOf<F>) => InputOf<C["functions"][N]>;
      readonly fields: G;
      readonly select: (event: EventOf<F>, found: OutputOf<C["functions"][N]>) => EventInput<G> | null;
    },
  ): Events<G>;
  /** Groups by whole-number, timestamp, text or boolean fields; by none, all events are one group. An optional field is given a value by `map` first. */
  keyBy<const K extends ReadonlyArray<KeyNames<F>>>(...fields: K): Keyed<F, K>;
  /** Keeps the newest event of each key as a row, readable at `/v1/views/{view}` and `/v1/views/{view}/{key}`. */
  toView(view: string, options: { readonly key: KeyNames<F> | ReadonlyArray<KeyNames<F>> }): FlowDefinition<EventOf<F>>;
  /** Gives the events to a stream, whose fields they must have: readable at `GET /v1/streams/{stream}`, and read by other flows. */
  toStream(stream: StreamDefinition<Widened<F>>): FlowDefinition<never>;
  /**
   * Sends the events to a Cloudflare Queue, as `{"id", "at", "data"}`, up to 100 at a time:
   * `toQueue("paid-orders", { binding: "PAID_ORDERS" })`. They leave when their batch has committed, at least once, each always with the same id.
   * The name is the end's and that of its effect, unique in the app.
   */
  toQueue(name: string, options: ToQueueOptions): FlowDefinition<never>;
  /**
   * Posts the events as signed webhooks, one by one or, with `batch`, as lists: `toWebhook("order-paid", { url, secret: "WEBHOOK_SECRET" })`. They leave
   * when their batch has committed, at least once, each always in the same webhook with the same id. What cannot be delivered after all attempts
   * is in the flow's dead letters. The name is the end's and that of its effect, unique in the app.
   */
  toWebhook(name: string, options: ToWebhookOptions): FlowDefinition<never>;
  /**
   * Calls a function of a service for each event, one after the other. As a `call` in the batch's own transaction; as a `message`, one-way,
   * in one of its own behind it, which is much faster where there are many. A refusal of a call leaves the event in the flow's dead letters, or refuses the whole batch.
   */
  call<C extends Contract, N extends WriterNames<C["functions"]> & string>(
    contract: C,
    name: N,
    options: {
      readonly key: (event: EventExpression<F>) => TextExpression;
      readonly input?: (event: EventOf<F>) => InputOf<C["functions"][N]>;
      readonly as?: "call" | "message";
      readonly onRefusal?: "dead-letter" | "abort-batch";
    },
  ): FlowDefinition<never>;
}

export interface Keyed<F extends Fields, K extends ReadonlyArray<KeyNames<F>>> {
  /** Spreads the keys to so many shares, 1 to 256; default 16. A change of it loses the operator's state. */
  shards(count: number): Keyed<F, K>;
  window(window: WindowSpec): Windowed<F, K>;
  /**
   * One group a key, for ever: gives a result with every batch that changes it. With `ttl` a key that was silent for so long in event time is
   * forgotten, and what it has given stays; behind results that change it is at least as long as these may be taken back.
   */
  aggregate<const A extends OutputSpecs<F>>(
    outputs: A,
    options?: { readonly ttl?: Duration },
  ): Running<Shown<Pick<F, K[number]> & OutputFields<F, A>>, Pick<EventOf<F>, K[number]> & OutputValues<F, A>>;
  /** The first event of each key, or always the last by event time; forgotten when the key was silent for `ttl` of event time. */
  deduplicate(options?: { readonly keep?: "first" | "last"; readonly ttl?: Duration }): Events<F>;
  /** Joins with the events of others that have an equal key; the rule comes next. */
  join<G extends Fields, L extends ReadonlyArray<KeyNames<G>>>(other: Keyed<G, L>): Joining<F, G>;
  /** User code with state and timers per key. */
  process<const G extends Fields, S = undefined>(options: ProcessOptions<F, G, S>): Events<G>;
}

export interface Windowed<F extends Fields, K extends ReadonlyArray<KeyNames<F>>> {
  /** How long, in event time, a closed window still takes events: its result is given again. Later ones are late. Default 0. */
  allowedLateness(duration: Duration): Windowed<F, K>;
  /** Names the outputs: `{ orders: count(), revenue: sum("amount") }`. */
  aggregate<const A extends OutputSpecs<F>>(
    outputs: A,
  ): Results<
    Shown<Pick<F, K[number]> & WindowFields & OutputFields<F, A>>,
    ViewRow<KeyValue<F, K>, OutputValues<F, A>>
  >;
}

/** Results of windows: as events, when a window closes, or as rows of a view, open windows too. */
export interface Results<F extends Fields, Row> extends Omit<Events<F>, "toView" | "named"> {
  named(name: string): Results<F, Row>;
  /** Keeps the results as rows, readable at `/v1/views/{view}`. */
  toView(view: string): FlowDefinition<Row>;
}

/** Results of groups without windows. */
export interface Running<F extends Fields, Row> extends Omit<Events<F>, "toView" | "named"> {
  named(name: string): Running<F, Row>;
  /** Keeps the results as rows, one a key, readable at `/v1/views/{view}`. */
  toView(view: string): FlowDefinition<Row>;
}

export interface Joining<F extends Fields, G extends Fields> {
  /** Pairs in the same window. */
  window(window: WindowSpec): Joined<F, G>;
  /** Pairs whose right time is from `before` earlier to `after` later than the left one. */
  within(bounds: { readonly before?: Duration; readonly after?: Duration }): Joined<F, G>;
  /** All pairs. Both sides are kept for ever, or for so long in event time. */
  all(options?: { readonly keep?: Duration }): Joined<F, G>;
  /** Each left event with the newest right event of its key that came before it, or in its batch; without one it is dropped. */
  table(): Joined<F, G>;
}

export interface Joined<F extends Fields, G extends Fields> {
  /** A further condition of pairs. */
  where(test: (left: EventExpression<F>, right: EventExpression<G>) => Condition): Joined<F, G>;
  /** The fields of a pair. Its event time is the later of the two. */
  select<const M extends Computed>(
    fields: (left: EventExpression<F>, right: EventExpression<G>) => M,
  ): Events<Shown<ComputedFields<M>>>;
}

export interface ProcessContext<S, G extends Fields> {
  /** The key's fields, as one value or a list. */
  readonly key: bigint | number | string | boolean | ReadonlyArray<bigint | number | string | boolean>;
  /** Change it in place or assign a new one; undefined deletes it. */
  state: S;
  /** Event time of the event, or the timer's; ms. */
  readonly time: number;
  /** How far event time had come before this batch; -Infinity before the first. */
  readonly watermark: number;
  /** Server time of the batch; ms. */
  readonly now: number;
  /** Gives an event. */
  emit(event: EventInput<G>): void;
  /**
   * Calls `onTimer` when event time has come to `at`, a whole number of ms; one timer for each time. Where it has come already, that is behind the
   * events of this batch. Timers that set others without end fail the batch, `too-many-timers`.
   */
  timer(at: number): void;
  /** Also where it would fire with this batch and did not yet. */
  cancelTimer(at: number): void;
}
export interface ProcessOptions<F extends Fields, G extends Fields, S> {
  /** The fields that it emits. */
  readonly fields: G;
  /** Makes the state of a key that has none. */
  readonly state?: () => S;
  /** Synchronous, as is `onTimer`: what it does when it has returned fails. */
  readonly onEvent: (ctx: ProcessContext<S, G>, event: EventOf<F>) => void;
  readonly onTimer?: (ctx: ProcessContext<S, G>, at: number) => void;
}

/** An aggregate of any fields, once it is checked. */
export type AnyAggregate = Aggregate;
