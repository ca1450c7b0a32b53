/**
 * Runs of sagas: a service for each saga, whose keys are the runs. A step is a transaction of that key: what it does and how far the saga is
 * commit together. What drives it are messages of the key to itself, each of which names the place that it is for, so that one that comes late
 * does nothing.
 */

import type { FnContext, Tried } from "../context.ts";
import { fn, type FunctionContract, query } from "../contract.ts";
import { milliseconds } from "../duration.ts";
import { misconfigured, TidegateError } from "../errors.ts";
import { SAGA_ATTEMPTS_DEFAULT, SAGA_DELAY_MAX_MS, SAGA_PATIENCE_MS } from "../limits.ts";
import type { Outcome, OutcomeError } from "../outcome.ts";
import type { ProblemType } from "../problems.ts";
import { refusalOf } from "../refusal.ts";
import type { Reply } from "../reply.ts";
import { isSameValue } from "../same-value.ts";
import { type SagaContext, type SagaDefinition, type SagaSoFar, type SagaStep, sagaServiceName } from "../saga.ts";
import { type Schema, validate } from "../schema.ts";
import type { ServiceDefinition } from "../service.ts";
import { messageOf } from "../thrown.ts";
import { decodeValue, encodeValue } from "../values.ts";
import { Promises, tell } from "./promises.ts";
import { hasRoom, keptError, TOO_LARGE } from "./saga-room.ts";
import { anything, builtinContract, builtinService } from "./service.ts";

/** How far a saga is. */
export interface SagaView {
  readonly saga: string;
  readonly id: string;
  /** `stuck`: a compensation has failed for good; `POST …/retry` tries it again. */
  readonly status: "running" | "compensating" | "completed" | "compensated" | "stuck";
  /** The step that is under way, or whose compensation is; null at the end. */
  readonly step: string | null;
  /** What it waits for. */
  readonly waiting: "effect" | "promise" | "delay" | "retry" | null;
  /** Id of the promise that it waits for. */
  readonly promise?: string;
  readonly results: Readonly<Record<string, unknown>>;
  /** Why it does not complete. */
  readonly failure?: OutcomeError & { readonly step: string };
  /** The last error of a compensation. */
  readonly trouble?: OutcomeError;
  /** ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | null;
}

interface SagaState {
  status: SagaView["status"] | "none";
  input: unknown;
  to: Reply | null;
  step: number;
  attempts: number;
  /** Counts the places that it has come to: what names another is late. */
  place: number;
  waiting: SagaView["waiting"];
  promise: string | null;
  cancelled: boolean;
  results: Record<string, unknown>;
  failure: NonNullable<SagaView["failure"]> | null;
  trouble: OutcomeError | null;
  startedAt: number;
  endedAt: number | null;
}

interface Start {
  readonly input: unknown;
  readonly to: Reply | null;
}
interface Place {
  readonly place: number;
  /** When the run was started that it is of: an id is free again in the end, and a delay may be longer than that takes. Earlier code did not say. */
  readonly run?: number;
}

/** What is told to a run whose `advance` failed for good. */
export interface SagaGivenUp extends Place {
  readonly error: OutcomeError;
}
export const SAGA_ADVANCE = "advance";
export const SAGA_GIVEN_UP = "givenUp";

type Lookup = (service: string) => ServiceDefinition | undefined;
type Context = FnContext<SagaState, {}, { failed: Schema<OutcomeError, OutcomeError> }>;

function contractOf({ name, input }: SagaDefinition) {
  const refusals = { failed: anything<OutcomeError>() };
  return builtinContract(sagaServiceName(name), {
    start: fn({ input: startSchema(input), output: anything<SagaView>() }),
    [SAGA_ADVANCE]: fn({ input: anything<Place>() }),
    [SAGA_GIVEN_UP]: fn({ input: anything<SagaGivenUp>() }),
    /** Called by `advance`, so that what it does can be undone by itself. */
    run: fn({ output: anything<unknown>(), refusals }),
    undo: fn({ refusals }),
    ended: fn({ input: anything<Outcome>() }),
    cancel: fn({ output: anything<SagaView>() }),
    retry: fn({ output: anything<SagaView>() }),
    forget: fn(),
    status: query({ output: anything<SagaView>() }),
  });
}

/** Faults are told with their place in the input. */
function startSchema(input: Schema | undefined): Schema<Start, Start> {
  const check = (value: unknown) => {
    const start = value as Partial<Start>;
    const checked = validate(input, start.input);
    const settle = (result: Awaited<typeof checked>) =>
      result.ok
        ? { value: { input: result.value, to: start.to ?? null } }
        : { issues: result.issues.map(({ path, message }) => ({ message, path: path.split("/").slice(1) })) };
    return checked instanceof Promise ? checked.then(settle) : settle(checked);
  };
  return { "~standard": { version: 1, vendor: "tidegate", validate: check } };
}

export function sagaService(saga: SagaDefinition, lookup: Lookup): ServiceDefinition {
  const contract = contractOf(saga);
  const run = new SagaRun(saga, contract, lookup);
  const initial = (): SagaState => ({
    status: "none",
    input: undefined,
    to: null,
    step: 0,
    attempts: 0,
    place: 0,
    waiting: null,
    promise: null,
    cancelled: false,
    results: {},
    failure: null,
    trouble: null,
    startedAt: 0,
    endedAt: null,
  });
  return builtinService(contract, initial, {
    start: (ctx, start) => run.start(ctx as Context, start),
    advance: (ctx, place) => run.advance(ctx as Context, place),
    givenUp: (ctx, what) => run.givenUp(ctx as Context, what),
    run: (ctx) => run.step(ctx),
    undo: async (ctx) => void (await run.undo(ctx)),
    ended: (ctx, outcome) => run.ended(ctx as Context, outcome),
    cancel: (ctx) => run.cancel(ctx as Context),
    retry: (ctx) => run.retry(ctx as Context),
    forget: (ctx) => ctx.clear(),
    status: (ctx) => run.view(ctx.key, ctx.state as SagaState),
  });
}

class SagaRun {
  readonly #saga: SagaDefinition;
  readonly #contract: ReturnType<typeof contractOf>;
  readonly #lookup: Lookup;

  constructor(saga: SagaDefinition, contract: ReturnType<typeof contractOf>, lookup: Lookup) {
    this.#saga = saga;
    this.#contract = contract;
    this.#lookup = lookup;
  }

  start(ctx: Context, { input, to }: Start): SagaView {
    const { state } = ctx;
    if (state.status === "none") {
      const startedAt = ctx.now();
      Object.assign(state, { status: "running", input, to, startedAt, place: startedAt * PLACES_PER_MS });
      this.#goOn(ctx);
    } else if (!isSameValue(state.input, input)) {
      throw new TidegateError("saga-exists", `the saga "${this.#saga.name}" runs as "${ctx.key}" with another input`);
    }
    return this.view(ctx.key, state);
  }

  /** Goes on in a transaction of its own, at once or later. */
  #goOn(ctx: Context, delay?: number): void {
    const { state, key } = ctx;
    state.place += 1;
    const input = placeOf(state);
    if (delay === undefined) ctx.send(this.#contract, key).advance(input);
    else ctx.send(this.#contract, key, { delay }).advance(input);
  }

  async advance(ctx: Context, at: Place): Promise<void> {
    const { state } = ctx;
    if (!isAt(state, at)) return;
    this.#assertHasStep(state);
    if (state.status === "running") await this.#forward(ctx);
    else if (state.status === "compensating") await this.#backward(ctx);
  }

  /** Nothing of the step, or of the compensation, is done, and the message that was to bring it comes no more: it has failed for good. */
  givenUp(ctx: Context, { error, ...at }: SagaGivenUp): void {
    const { state } = ctx;
    if (!isAt(state, at)) return;
    this.#assertHasStep(state);
    if (state.status === "running")
      return this.#compensate(ctx, this.#saga.steps[state.step]?.name ?? "", error, state.step - 1);
    if (state.status !== "compensating") return;
    Object.assign(state, { status: "stuck", waiting: null, trouble: keptError(state, error) });
  }

  async #forward(ctx: Context): Promise<void> {
    const { state } = ctx;
    const step = this.#saga.steps[state.step];
    if (!step) return this.#end(ctx, "completed");
    if (state.waiting === "delay") return this.#done(ctx, step, undefined);
    state.waiting = null;
    const tried = await ctx.try(this.#contract, ctx.key).run();
    if (!tried.ok) {
      assertNotNewer(tried);
      return this.#failedStep(ctx, step, errorOf(tried), isFinal(tried));
    }
    // What it waits for names the place that it is at now.
    if (!("run" in step)) return;
    this.#done(ctx, step, tried.value);
  }

  /** The step's own code, or the beginning of what it waits for. */
  async step(ctx: Context): Promise<unknown> {
    const { state, key } = ctx;
    const step = this.#saga.steps[state.step] as SagaStep;
    const soFar = this.#soFar(ctx);
    if ("run" in step) {
      const value = await step.run(stepContext(ctx), soFar);
      // What it has done is undone with this refusal.
      if (!hasRoom(state, step.name, value)) throw ctx.refuse("failed", TOO_LARGE);
      return value;
    }
    const to = { service: this.#contract.name, key, name: "ended", about: String(state.place + 1) };
    if ("effect" in step) {
      state.waiting = "effect";
      state.place += 1;
      const effect = ctx.effect.bind(ctx) as (effect: unknown, input: unknown, to: Reply) => void;
      effect(step.effect, step.with?.(soFar), to);
    } else if ("promise" in step) {
      const { id, deadline, ask } = step.promise;
      const wanted = id?.(soFar);
      const within = typeof deadline === "function" ? deadline(soFar) : deadline;
      const how = {
        ...(wanted === undefined ? {} : { id: wanted }),
        ...(within === undefined ? {} : { deadline: within }),
      };
      const promise = await ctx.promise(to, how);
      Object.assign(state, { waiting: "promise", place: state.place + 1, promise });
      await ask?.(stepContext(ctx), soFar, promise);
    } else {
      const when = typeof step.delay === "function" ? step.delay(soFar) : { delay: milliseconds(step.delay, "delay") };
      Object.assign(state, { waiting: "delay", place: state.place + 1 });
      ctx.send(this.#contract, key, when).advance(placeOf(state));
    }
    return undefined;
  }

  async undo(ctx: Context): Promise<unknown> {
    const step = this.#saga.steps[ctx.state.step];
    return step?.compensate?.(stepContext(ctx), this.#soFar(ctx));
  }

  #soFar({ key, state }: Context): SagaSoFar {
    // Copies: what a step changes in them must not be there for later ones, nor where the next start is held against the input.
    return { id: key, input: copyOf(state.input), results: copyOf(state.results) };
  }

  #done(ctx: Context, { name }: SagaStep, value: unknown): void {
    const { state } = ctx;
    const isKept = hasRoom(state, name, value);
    if (value !== undefined && isKept) state.results[name] = value;
    Object.assign(state, { waiting: null, promise: null, attempts: 0 });
    if (state.cancelled) return this.#compensate(ctx, name, CANCELLED, state.step);
    if (!isKept) return this.#compensate(ctx, name, TOO_LARGE, state.step);
    state.step += 1;
    this.#goOn(ctx);
  }

  #failedStep(ctx: Context, step: SagaStep, error: OutcomeError, final: boolean): void {
    const { state } = ctx;
    state.attempts += 1;
    if (!final && state.attempts < attemptsOf(step)) return this.#again(ctx);
    this.#compensate(ctx, step.name, error, state.step - 1);
  }

  #again(ctx: Context): void {
    const { state } = ctx;
    const { retryDelayMs } = this.#saga;
    state.waiting = "retry";
    this.#goOn(ctx, Math.min(retryDelayMs * 2 ** (state.attempts - 1), Math.max(retryDelayMs, SAGA_DELAY_MAX_MS)));
  }

  /** @param last the newest step that is to be made up for */
  #compensate(ctx: Context, step: string, error: OutcomeError, last: number): void {
    const failure = { ...keptError(ctx.state, error), step };
    Object.assign(ctx.state, {
      status: "compensating",
      failure,
      step: last,
      waiting: null,
      promise: null,
      attempts: 0,
    });
    this.#goOn(ctx);
  }

  async #backward(ctx: Context): Promise<void> {
    const { state } = ctx;
    state.waiting = null;
    while (state.step >= 0 && !this.#saga.steps[state.step]?.compensate) state.step -= 1;
    const step = this.#saga.steps[state.step];
    if (!step) return this.#end(ctx, "compensated");
    const tried = await ctx.try(this.#contract, ctx.key).undo();
    if (tried.ok) {
      Object.assign(state, { attempts: 0, trouble: null, step: state.step - 1 });
      return this.#goOn(ctx);
    }
    assertNotNewer(tried);
    state.attempts += 1;
    state.trouble = keptError(state, errorOf(tried));
    if (state.attempts < attemptsOf(step)) this.#again(ctx);
    else state.status = "stuck";
  }

  #end(ctx: Context, status: "completed" | "compensated"): void {
    const { state, key } = ctx;
    Object.assign(state, { status, endedAt: ctx.now(), waiting: null });
    const { to, failure, results } = state;
    if (to !== null) {
      const { type, message } = failure ?? CANCELLED;
      const completed = status === "completed";
      tell(
        this.#lookup,
        ctx,
        to,
        completed ? { ok: true, value: { ...results } } : { ok: false, error: { type, message } },
      );
    }
    ctx.send(this.#contract, key, { delay: this.#saga.keepMs }).forget();
  }

  /** What it waited for has ended. */
  ended(ctx: Context, outcome: Outcome): void {
    const { state } = ctx;
    if (state.status !== "running" || outcome.about !== String(state.place)) return;
    this.#assertHasStep(state);
    const step = this.#saga.steps[state.step] as SagaStep;
    if (outcome.ok) return this.#done(ctx, step, outcome.value);
    this.#compensate(ctx, step.name, state.cancelled ? CANCELLED : outcome.error, state.step - 1);
  }

  /**
   * An effect that is under way cannot be stopped: how it ends is waited for, and if it succeeds it is made up for like the others. A promise that it
   * waits for is settled: who would resolve it is told that it is too late. Where somebody has been faster, the step is over as its promise says, though
   * word of that is still on its way.
   */
  async cancel(ctx: Context): Promise<SagaView> {
    const { state, key } = ctx;
    this.#assertKnown(key, state);
    if (state.status === "completed" || state.status === "compensated") {
      throw new TidegateError("saga-ended", `the saga is ${state.status} already`);
    }
    this.#assertHasStep(state);
    const step = this.#saga.steps[state.step];
    if (state.status === "running" && !state.cancelled) {
      state.cancelled = true;
      const settled = state.promise === null ? null : await ctx.call(Promises, state.promise).withdraw(CANCELLED);
      // Earlier code, perhaps that of another partition still, says nothing.
      if (step && settled?.ok === true) return this.#cancelledBehind(ctx, step, settled.value);
      if (state.waiting !== "effect") this.#compensate(ctx, step?.name ?? "", CANCELLED, state.step - 1);
    }
    return this.view(key, state);
  }

  #cancelledBehind(ctx: Context, step: SagaStep, value: unknown): SagaView {
    this.#done(ctx, step, value);
    return this.view(ctx.key, ctx.state);
  }

  retry(ctx: Context): SagaView {
    const { state, key } = ctx;
    this.#assertKnown(key, state);
    this.#assertHasStep(state);
    if (state.status === "stuck") {
      Object.assign(state, { status: "compensating", attempts: 0 });
      this.#goOn(ctx);
    } else if (mayHang(state, ctx.now())) this.#goOn(ctx);
    return this.view(key, state);
  }

  #assertKnown(id: string, { status }: SagaState): void {
    if (status !== "none") return;
    throw new TidegateError("unknown-saga", `there is no saga "${this.#saga.name}" that runs as "${id}"`);
  }

  /**
   * A run may be at a step that only newer code has, which runs beside this or was taken back. What comes of that step is not to be lost: it is tried
   * again, and then a dead letter that can be sent again.
   * @throws TidegateError `misconfigured`
   */
  #assertHasStep({ status, step, waiting, endedAt }: SagaState): void {
    const { name, steps } = this.#saga;
    const isBehindLast = status === "running" && step === steps.length && waiting === null;
    if (endedAt !== null || step < steps.length || isBehindLast) return;
    throw misconfigured(`the saga "${name}" is at step ${step + 1}, which this version of the code does not have`);
  }

  view(id: string, state: SagaState): SagaView {
    this.#assertKnown(id, state);
    const { status, step, waiting, promise, results, failure, trouble, startedAt, endedAt } = state;
    return {
      saga: this.#saga.name,
      id,
      status: status as SagaView["status"],
      step: endedAt === null ? (this.#saga.steps[step]?.name ?? null) : null,
      waiting,
      ...(promise === null ? {} : { promise }),
      results,
      ...(failure === null ? {} : { failure }),
      ...(trouble === null ? {} : { trouble }),
      startedAt,
      endedAt,
    };
  }
}

/** An id is free again when its run is erased, and what that waited for may end later: places begin with the run's time, so that none is of two runs. */
const PLACES_PER_MS = 1_000;

const CANCELLED: OutcomeError = { type: "cancelled", message: "the saga was cancelled" };

function isAt(state: SagaState, { place, run = state.startedAt }: Place): boolean {
  return state.place === place && run === state.startedAt;
}

function placeOf({ place, startedAt }: SagaState): Place {
  return { place, run: startedAt };
}

/**
 * What goes on by itself goes on by a message. That is given up while the code does not know the saga, and where earlier code gave it up nobody told the
 * run. If it is not lost, it comes too late behind another.
 */
function mayHang({ status, waiting, startedAt }: SagaState, now: number): boolean {
  const goesOn = (status === "running" || status === "compensating") && (waiting === null || waiting === "retry");
  return goesOn && now - startedAt > SAGA_PATIENCE_MS;
}

function copyOf<T>(value: T): T {
  return decodeValue(encodeValue(value)) as T;
}

function attemptsOf({ attempts }: SagaStep): number {
  return attempts ?? SAGA_ATTEMPTS_DEFAULT;
}

/** A step has no state of its own: that of the key is the saga's. */
function stepContext(ctx: Context): SagaContext {
  return {
    key: ctx.key,
    now: () => ctx.now(),
    random: () => ctx.random(),
    uuid: () => ctx.uuid(),
    call: (contract, key) => ctx.call(contract, key),
    try: (contract, key) => ctx.try(contract, key),
    send: ctx.send.bind(ctx),
    cancel: (id) => ctx.cancel(id),
    effect: ctx.effect.bind(ctx),
    promise: (to, how) => ctx.promise(to, how),
    start: ctx.start.bind(ctx),
    fail: (message, data) => ctx.refuse("failed", { type: "failed", message, ...(data === undefined ? {} : { data }) }),
  };
}

type Failed = Exclude<Tried<FunctionContract>, { readonly ok: true }>;

/** A refusal is an answer, also that of a function that the step has called: another attempt would be told the same. */
function isFinal(tried: Failed): boolean {
  return refusalOf(tried) !== undefined;
}

/**
 * Code that is older than the state of a key says nothing of the step: its message waits for newer code, like others.
 * @throws TidegateError `newer-state`
 */
function assertNotNewer(tried: Failed): void {
  if (tried.refusal !== undefined) return;
  const { error } = tried as { readonly error: TidegateError };
  if (error.type === NEWER_STATE) throw error;
}
const NEWER_STATE: ProblemType = "newer-state";

/** The saga's own refusal is such an error. One of what the step has called may have the same name, and says something else. */
function errorOf(tried: Failed): OutcomeError {
  const refused = refusalOf(tried);
  if (refused === undefined) {
    const { error } = tried as { readonly error: TidegateError };
    return { type: error.type, message: messageOf(error.cause ?? error) };
  }
  const { name, data } = refused;
  if (tried.refusal !== undefined) return data as OutcomeError;
  return { type: name, message: `it was refused: ${name}`, ...(data === undefined ? {} : { data }) };
}
