/** Effects: what an app does to the outside world once a transaction has committed, and how often it is tried. */

import { type Duration, milliseconds } from "./duration.ts";
import { misconfigured } from "./errors.ts";
import {
  EFFECT_ATTEMPTS_DEFAULT,
  EFFECT_ATTEMPTS_MAX,
  EFFECT_DELAY_DEFAULT_MS,
  EFFECT_DELAY_MAX_DEFAULT_MS,
  EFFECT_DELAY_MAX_MS,
  EFFECT_TIMEOUT_DEFAULT_MS,
  EFFECT_TIMEOUT_MAX_MS,
} from "./limits.ts";
import { checkKebab } from "./names.ts";
import { isSchema, type Schema, type SchemaInput, type SchemaOutput } from "./schema.ts";

/** What a handler is given beside its input. */
export interface EffectContext {
  /** The same in every attempt of one effect, and never that of another: give it to whom you call, as its Idempotency-Key. */
  readonly idempotencyKey: string;
  /** From 1. After a crash the same number may come again. */
  readonly attempt: number;
  /** `ctx.now()` of the transaction that asked for it: milliseconds since 1970, the same in every attempt. */
  readonly at: number;
  /** Aborted when the attempt has taken too long. */
  readonly signal: AbortSignal;
  /** The Worker's bindings and secrets. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Makes an error that ends the effect for good, to be thrown: `throw ctx.fail("the card is blocked")`. Any other error is tried again. */
  fail(message: string): EffectFailure;
}

/** Thrown by a handler to end its effect for good. */
export class EffectFailure extends Error {
  override readonly name = "EffectFailure";
}

/** When an attempt that failed is followed by the next one. */
export interface EffectRetries {
  /** Attempts in all; default 10, at most 100. */
  readonly attempts?: number;
  /** Pause behind the first; default 1 second. It doubles with every further one. */
  readonly delay?: Duration;
  /** The longest pause; default 10 minutes. */
  readonly maxDelay?: Duration;
}

export interface EffectOptions<In extends Schema | undefined, Out extends Schema | undefined> {
  readonly input?: In;
  /** Schema of what the handler returns. */
  readonly output?: Out;
  /** Ordinary code, in a stateless part of the Worker: `fetch` and bindings are its own. It may run more than once. */
  readonly handler: (ctx: EffectContext, input: EffectInput<In>) => EffectResult<Out> | Promise<EffectResult<Out>>;
  /** A number is that of the attempts. */
  readonly retries?: number | EffectRetries;
  /**
   * To whom it goes: of those with the same text a partition runs 8 at a time, while it runs 16 of one effect, so that one that answers slowly holds up
   * only its own. A webhook's is its host.
   */
  readonly share?: (input: EffectInput<In>) => string;
  /** How long one attempt may take; default 30 seconds, at most 5 minutes. */
  readonly timeout?: Duration;
}

/** Input as the handler gets it. */
export type EffectInput<In extends Schema | undefined> = In extends Schema ? SchemaOutput<In> : undefined;
/** Input as a transaction gives it. */
export type EffectArgument<In extends Schema | undefined> = In extends Schema ? SchemaInput<In> : undefined;
type EffectResult<Out extends Schema | undefined> = Out extends Schema ? SchemaInput<Out> : void;
/** What is told of its success. */
export type EffectValue<Out extends Schema | undefined> = Out extends Schema ? SchemaOutput<Out> : undefined;

declare const effectTypes: unique symbol;

/** An effect as the engine sees it; its types live in the compiler only. */
export interface EffectDefinition<
  In extends Schema | undefined = Schema | undefined,
  Out extends Schema | undefined = Schema | undefined,
> {
  readonly kind: "effect";
  readonly name: string;
  readonly input: Schema | undefined;
  readonly output: Schema | undefined;
  readonly handler: (ctx: EffectContext, input: unknown) => unknown;
  readonly share: ((input: unknown) => string) | undefined;
  readonly attempts: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
  readonly timeoutMs: number;
  readonly [effectTypes]?: { readonly input: In; readonly output: Out };
}

/**
 * Declares an effect. It is listed in `tidegate({ effects })` and asked for by `ctx.effect`.
 *
 * ```ts
 * import { effect } from "tidegate";
 * import * as z from "zod";
 *
 * export const chargeCard = effect("charge-card", {
 *   input: z.object({ card: z.string(), cents: z.int() }),
 *   output: z.object({ receipt: z.string() }),
 *   retries: 5,
 *   async handler(ctx, { card, cents }) {
 *     const response = await fetch("https://payments.example.com/charges", {
 *       method: "POST",
 *       headers: { "idempotency-key": ctx.idempotencyKey },
 *       body: JSON.stringify({ card, cents }),
 *       signal: ctx.signal,
 *     });
 *     if (response.status === 402) throw ctx.fail("the card was declined");
 *     if (!response.ok) throw new Error(`the payment service answered ${response.status}`);
 *     return { receipt: await response.text() };
 *   },
 * });
 * ```
 *
 * @throws TidegateError `misconfigured`
 */
export function effect<In extends Schema | undefined = undefined, Out extends Schema | undefined = undefined>(
  name: string,
  options: EffectOptions<In, Out>,
): EffectDefinition<In, Out> {
  checkKebab("the effect", name);
  for (const side of ["input", "output"] as const) {
    const schema: unknown = options[side];
    if (schema !== undefined && !isSchema(schema)) throw misconfigured(`the ${side} of effect "${name}" is no schema`);
  }
  if (typeof options.handler !== "function") throw misconfigured(`the effect "${name}" has no handler`);
  if (options.share !== undefined && typeof options.share !== "function") {
    throw misconfigured(`the share of effect "${name}" is no function`);
  }
  const retries = typeof options.retries === "number" ? { attempts: options.retries } : (options.retries ?? {});
  const attempts = retries.attempts ?? EFFECT_ATTEMPTS_DEFAULT;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > EFFECT_ATTEMPTS_MAX) {
    throw misconfigured(`the attempts of effect "${name}" are a whole number from 1 to ${EFFECT_ATTEMPTS_MAX}`);
  }
  const time = (given: Duration | undefined, usual: number, what: string, most: number): number => {
    const value = given === undefined ? usual : milliseconds(given, `the ${what} of effect "${name}"`);
    if (value < 1 || value > most) throw misconfigured(`the ${what} of effect "${name}" is from 1 to ${most} ms`);
    return value;
  };
  const delayMs = time(retries.delay, EFFECT_DELAY_DEFAULT_MS, "delay", EFFECT_DELAY_MAX_MS);
  return Object.freeze({
    kind: "effect",
    name,
    input: options.input,
    output: options.output,
    handler: options.handler as EffectDefinition["handler"],
    share: options.share as EffectDefinition["share"],
    attempts,
    delayMs,
    maxDelayMs: time(
      retries.maxDelay,
      Math.max(delayMs, EFFECT_DELAY_MAX_DEFAULT_MS),
      "longest delay",
      EFFECT_DELAY_MAX_MS,
    ),
    timeoutMs: time(options.timeout, EFFECT_TIMEOUT_DEFAULT_MS, "timeout", EFFECT_TIMEOUT_MAX_MS),
  } as const);
}
