/** Sagas: work of several transactions, one after the other, each with one that makes up for it should a later one fail. */

import type { FnContext } from "./context.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { EffectDefinition } from "./effect.ts";
import { misconfigured } from "./errors.ts";
import {
  SAGA_ATTEMPTS_DEFAULT,
  SAGA_ATTEMPTS_MAX,
  SAGA_DELAY_DEFAULT_MS,
  SAGA_KEPT_MS,
  SAGA_STEPS_MAX,
} from "./limits.ts";
import { checkKebab } from "./names.ts";
import type { Refusal } from "./refusal.ts";
import { isSchema, type Schema, type SchemaInput, type SchemaOutput } from "./schema.ts";
import type { When } from "./when.ts";

/** What a step knows of its saga. */
export interface SagaSoFar<I = unknown> {
  readonly id: string;
  readonly input: I;
  /** What the steps before have returned, by their names. */
  readonly results: Readonly<Record<string, unknown>>;
}

/** What a step does it with: a transaction of the saga's key, whose state is the saga's own. */
export interface SagaContext extends Pick<
  FnContext,
  "key" | "now" | "random" | "uuid" | "call" | "try" | "send" | "cancel" | "effect" | "promise" | "start"
> {
  /** Makes an error that ends the step for good, to be thrown: `throw ctx.fail("out of stock")`. Other errors are tried again. */
  fail(message: string, data?: unknown): Refusal;
}

interface StepBase<I> {
  /** Unique in its saga. */
  readonly name: string;
  /** Makes up for the step, in a transaction, when a later one has failed. */
  readonly compensate?: (ctx: SagaContext, saga: SagaSoFar<I>) => unknown;
  /** How often the step, and what makes up for it, is tried; default 5. */
  readonly attempts?: number;
}

/** A transaction. A refusal of what it calls, and `ctx.fail`, end it; an error is tried again. */
export interface RunStep<I> extends StepBase<I> {
  /** What it returns is kept, under the step's name. */
  readonly run: (ctx: SagaContext, saga: SagaSoFar<I>) => unknown;
}
/** An effect, whose result is kept. */
export interface EffectStep<I> extends StepBase<I> {
  readonly effect: EffectDefinition;
  readonly with?: (saga: SagaSoFar<I>) => unknown;
}
/** Waits for `POST /v1/promises/{id}`; its value is kept. */
export interface PromiseStep<I> extends StepBase<I> {
  readonly promise: {
    /** By default nobody can guess it. */
    readonly id?: (saga: SagaSoFar<I>) => string;
    readonly deadline?: Duration | ((saga: SagaSoFar<I>) => Duration);
    /** In the transaction that makes the promise: tell somebody its id. */
    readonly ask?: (ctx: SagaContext, saga: SagaSoFar<I>, promise: string) => unknown;
  };
}
/** Waits. */
export interface DelayStep<I> extends StepBase<I> {
  readonly delay: Duration | ((saga: SagaSoFar<I>) => When);
}
export type SagaStep<I = unknown> = RunStep<I> | EffectStep<I> | PromiseStep<I> | DelayStep<I>;

export interface SagaOptions<In extends Schema | undefined> {
  readonly input?: In;
  readonly steps: ReadonlyArray<SagaStep<In extends Schema ? SchemaOutput<In> : undefined>>;
  /** Pause behind a step's first error; it doubles, up to 10 minutes, or to itself where it is longer. Default 1 second. */
  readonly retryDelay?: Duration;
  /** How long a run can be looked at when it has ended; then its id is free. Default 30 days. */
  readonly keep?: Duration;
}

declare const sagaTypes: unique symbol;

/** A saga as the engine sees it; its types live in the compiler only. */
export interface SagaDefinition<In extends Schema | undefined = Schema | undefined> {
  readonly kind: "saga";
  readonly name: string;
  readonly input: Schema | undefined;
  readonly steps: readonly SagaStep[];
  readonly retryDelayMs: number;
  readonly keepMs: number;
  readonly [sagaTypes]?: In;
}
/** Input as whoever starts it gives it. */
export type SagaArgument<In extends Schema | undefined> = In extends Schema ? SchemaInput<In> : undefined;

/** The internal service that keeps a saga's runs, each under its id. */
export function sagaServiceName(name: string): `#saga.${string}` {
  return `#saga.${name}`;
}

/**
 * Declares a saga. It is listed in `tidegate({ sagas })`, and started by `ctx.start` or `POST /v1/sagas/{name}/{id}`.
 *
 * ```ts
 * import { contract, fn, saga } from "tidegate";
 * import * as z from "zod";
 *
 * const Stock = contract("stock", { take: fn({}), putBack: fn({}) });
 * const Parcel = contract("parcel", { hand: fn({ output: z.string() }) });
 *
 * export const shipOrder = saga("ship-order", {
 *   input: z.object({ item: z.string() }),
 *   steps: [
 *     {
 *       name: "reserve",
 *       run: (ctx, { input }) => ctx.call(Stock, input.item).take(),
 *       compensate: (ctx, { input }) => ctx.call(Stock, input.item).putBack(),
 *     },
 *     { name: "hand-over", run: (ctx, { id }) => ctx.call(Parcel, id).hand() },
 *   ],
 * });
 * ```
 *
 * @throws TidegateError `misconfigured`
 */
export function saga<In extends Schema | undefined = undefined>(
  name: string,
  options: SagaOptions<In>,
): SagaDefinition<In> {
  checkKebab("the saga", name);
  const { input, steps, retryDelay, keep } = options;
  if (input !== undefined && !isSchema(input)) throw misconfigured(`the input of saga "${name}" is no schema`);
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > SAGA_STEPS_MAX) {
    throw misconfigured(`the saga "${name}" has 1 to ${SAGA_STEPS_MAX} steps`);
  }
  const names = new Set<string>();
  for (const step of steps as readonly SagaStep[]) {
    checkStep(name, step);
    if (names.has(step.name)) throw misconfigured(`the saga "${name}" has two steps "${step.name}"`);
    names.add(step.name);
  }
  const retryDelayMs =
    retryDelay === undefined ? SAGA_DELAY_DEFAULT_MS : milliseconds(retryDelay, `the retry delay of saga "${name}"`);
  const keepMs = keep === undefined ? SAGA_KEPT_MS : milliseconds(keep, `what saga "${name}" keeps`);
  const declared = { kind: "saga", name, input, steps: steps as readonly SagaStep[], retryDelayMs, keepMs } as const;
  return Object.freeze(declared);
}

const KINDS = ["run", "effect", "promise", "delay"] as const;

function checkStep(of: string, step: SagaStep): void {
  checkKebab(`the step of saga "${of}"`, step.name);
  const kinds = KINDS.filter((kind) => kind in step);
  if (kinds.length !== 1) throw misconfigured(`the step "${step.name}" of saga "${of}" has one of ${KINDS.join(", ")}`);
  const { attempts = SAGA_ATTEMPTS_DEFAULT } = step;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > SAGA_ATTEMPTS_MAX) {
    throw misconfigured(`the step "${step.name}" of saga "${of}" has 1 to ${SAGA_ATTEMPTS_MAX} attempts`);
  }
  if ("delay" in step && typeof step.delay !== "function") milliseconds(step.delay, `the delay of step "${step.name}"`);
  if ("promise" in step && step.promise.deadline !== undefined && typeof step.promise.deadline !== "function") {
    milliseconds(step.promise.deadline, `the deadline of step "${step.name}"`);
  }
}
