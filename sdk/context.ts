/** What a handler is given as `ctx`: its key's state and its ways to call, refuse, and take time and chance from the engine. */

import type { CollectionsOf, CollectionSpecs, ReadonlyCollectionsOf } from "./collection.ts";
import type { Contract, FunctionContract, Functions, RefusalSchemas } from "./contract.ts";
import type { DeepReadonly } from "./deep-readonly.ts";
import type { Duration } from "./duration.ts";
import type { EffectArgument, EffectDefinition, EffectValue } from "./effect.ts";
import type { CallError } from "./errors.ts";
import type { ArgumentsOf, OutputOf, QueriesOf, RefusalArguments, RefusalOf, WriterNames } from "./infer.ts";
import type { Outcome } from "./outcome.ts";
import type { Refusal } from "./refusal.ts";
import type { EventInput, Fields, StreamDefinition } from "./stream.ts";
import type { Reply } from "./reply.ts";
import type { SagaArgument, SagaDefinition } from "./saga.ts";
import type { Schema } from "./schema.ts";
import type { When } from "./when.ts";

/** The functions of another key, to be called within this transaction. */
export type Calls<F extends Functions> = {
  readonly [N in keyof F]: (...args: ArgumentsOf<F[N]>) => Promise<OutputOf<F[N]>>;
};

/** The writing functions of another key, to be asked for one-way: nothing comes back. */
export type Sends<F extends Functions> = {
  readonly [N in WriterNames<F>]: (...args: ArgumentsOf<F[N]>) => void;
};

/** The same for messages that wait for their time: the id of each, to cancel it by. */
export type DelayedSends<F extends Functions> = {
  readonly [N in WriterNames<F>]: (...args: ArgumentsOf<F[N]>) => string;
};

/** The same for messages that recur: each promise settles when the schedule is made, as part of this transaction. */
export type Scheduled<F extends Functions> = {
  readonly [N in WriterNames<F>]: (...args: ArgumentsOf<F[N]>) => Promise<void>;
};

/** The same as calls, but a failure is a value, and undoes only what the call did. */
export type Tries<F extends Functions> = {
  readonly [N in keyof F]: (...args: ArgumentsOf<F[N]>) => Promise<Tried<F[N]>>;
};

/** Outcome of `ctx.try`: the result, a declared refusal, or another error. */
export type Tried<F extends FunctionContract> =
  | { readonly ok: true; readonly value: OutputOf<F> }
  | ([RefusalOf<F>] extends [never] ? never : { readonly ok: false; readonly refusal: RefusalOf<F> })
  | { readonly ok: false; readonly refusal: undefined; readonly error: CallError };

/** The input, which may be left out where it may be undefined, and whom to tell. */
export type EffectArguments<In extends Schema | undefined, Out extends Schema | undefined> =
  undefined extends EffectArgument<In>
    ? [input?: DeepReadonly<EffectArgument<In>>, to?: EffectReply<Out>]
    : [input: DeepReadonly<EffectArgument<In>>, to?: EffectReply<Out>];
type EffectReply<Out extends Schema | undefined> = Reply<Outcome<EffectValue<Out>>>;

export interface PromiseOptions {
  /** A key of one's own choice; by default one that nobody can guess. Whoever may call the app and knows it can resolve the promise. */
  readonly id?: string;
  /** From `ctx.now()`; without it the promise waits for as long as it takes. */
  readonly deadline?: Duration;
}

type SagaArguments<In extends Schema | undefined> =
  undefined extends SagaArgument<In>
    ? [input?: DeepReadonly<SagaArgument<In>>, to?: Reply<Outcome<Record<string, unknown>>>]
    : [input: DeepReadonly<SagaArgument<In>>, to?: Reply<Outcome<Record<string, unknown>>>];

interface CommonContext<R extends RefusalSchemas> {
  /** The key that this function runs on. */
  readonly key: string;
  /** Makes a declared refusal of this very function, to be thrown: `throw ctx.refuse("insufficient-funds", { balance })`. */
  refuse<N extends keyof R & string>(name: N, ...data: RefusalArguments<R[N]>): Refusal;
  /** Milliseconds since 1970; the same throughout one invocation. */
  now(): number;
  /** At least 0, below 1. Not for secrets. */
  random(): number;
  /** A random UUID (version 4). */
  uuid(): string;
}

/**
 * Context of a writing function. A failed call makes the transaction abort whatever the handler then does; only `try` contains a
 * failure. Calls that are not awaited are joined before the function's result counts.
 */
export interface FnContext<
  S = unknown,
  Cols extends CollectionSpecs = {},
  R extends RefusalSchemas = {},
> extends CommonContext<R> {
  /** This key's state: change it in place or assign a new value. */
  state: S;
  readonly collections: CollectionsOf<Cols>;
  /** Functions of another key: `await ctx.call(Account, "bob").deposit({ amount })`. */
  call<C extends Contract>(contract: C, key: string): Calls<C["functions"]>;
  /** As `call`, but each function answers with a {@link Tried}. */
  try<C extends Contract>(contract: C, key: string): Tries<C["functions"]>;
  /**
   * Sends a message: `ctx.send(Account, "bob").deposit({ amount })`. It leaves when this transaction commits, not before and not otherwise,
   * and is delivered once, as a transaction of its own. Messages of this key to one key are delivered in the order of sending.
   */
  send<C extends Contract>(contract: C, key: string): Sends<C["functions"]>;
  /**
   * The same, delivered at a later time: `const id = ctx.send(Order, "17", { delay: "30m" }).expire()`. The delay counts from `ctx.now()`. It
   * is never delivered early, and waits however long nobody asks for this key. Those of one time have no order.
   */
  send<C extends Contract>(contract: C, key: string, when: When): DelayedSends<C["functions"]>;
  /**
   * Cancels a delayed message by its id, if this transaction commits: `await ctx.cancel(id)` is true if it was still waiting, and then it is
   * never delivered. False: it is delivered or on its way, was cancelled before, or was sent without a delay.
   * @throws TidegateError `unknown-message` for what is no message's id
   */
  cancel(messageId: string): Promise<boolean>;
  /**
   * Sends a message again and again, at the times of a cron text in UTC: `await ctx.schedule("report", "0 3 * * *", Report, "all").build()`. The
   * name is unique with this key and its service: another schedule of it takes this one's place. Each time is one message; those that were missed
   * while nothing could run are one together, at once.
   */
  schedule<C extends Contract>(name: string, cron: string, contract: C, key: string): Scheduled<C["functions"]>;
  /** Ends a schedule of this key by its name, if this transaction commits: true if there was one. */
  unschedule(name: string): Promise<boolean>;
  /**
   * Asks for an effect: `ctx.effect(chargeCard, { card, cents }, reply(Order, ctx.key, "charged"))`. It leaves when this
   * transaction commits, not before and not otherwise, and runs at least once, always with the same idempotency key. How it ended is told
   * once, to the function that `reply` names. Effects have no order.
   */
  effect<In extends Schema | undefined, Out extends Schema | undefined>(
    effect: EffectDefinition<In, Out>,
    ...args: EffectArguments<In, Out>
  ): void;
  /**
   * Makes a promise: work that waits for an event outside, `POST /v1/promises/{id}`. How it ends, by that, by a rejection or by its deadline, is
   * told once, to the function that `reply` names: `const id = await ctx.promise(reply(Order, ctx.key, "approved"), { deadline: "3d" })`.
   * @throws TidegateError `promise-exists`, and where there is no such function
   */
  promise(to: Reply<Outcome<never>>, how?: PromiseOptions): Promise<string>;
  /**
   * Starts a saga, once this transaction commits: `ctx.start(shipOrder, "17", { item })`. The same id again starts nothing. How it ends is told
   * to `to`, once, where that is given.
   */
  start<In extends Schema | undefined>(saga: SagaDefinition<In>, id: string, ...args: SagaArguments<In>): void;
  /**
   * Gives an event to a stream: `ctx.emit(Sales, { item: "tea", … })`. It is taken when this transaction commits, not otherwise, and once, in
   * a transaction of its own. Events of this key are taken in the order in which they were emitted. The app must know the stream.
   */
  emit<F extends Fields>(stream: StreamDefinition<F>, event: EventInput<F>): void;
  /** Deletes this key's state and collection entries; the next transaction starts from the initial state. */
  clear(): void;
}

/** Context of a query: reads only, calls only queries. */
export interface QueryContext<
  S = unknown,
  Cols extends CollectionSpecs = {},
  R extends RefusalSchemas = {},
> extends CommonContext<R> {
  readonly state: DeepReadonly<S>;
  readonly collections: ReadonlyCollectionsOf<Cols>;
  call<C extends Contract>(contract: C, key: string): Calls<QueriesOf<C>>;
  try<C extends Contract>(contract: C, key: string): Tries<QueriesOf<C>>;
}
