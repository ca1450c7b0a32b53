/**
 * The engine: performs the effects that concern user functions (run, settle) and hands the rest to its host. It is the
 * same in workerd and in the simulator; only the host differs. User functions run between steps of the machine, never in one.
 */
import { issuesText } from "../../sdk/issues.ts";
import { CorruptError } from "../../core-wasm/types.ts";
import { validate, type Validated } from "../../sdk/schema.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { toJson } from "../../sdk/json.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { LIMITS } from "../limits.ts";
import type { Effect, Input } from "../partition/effects.ts";
import type { PartitionMachine } from "../partition/machine.ts";
import { LastTooMuch } from "../partition/root.ts";
import type { Activation, Outcome } from "../transaction/attempt.ts";
import { errorOf, failureOf, tooLarge } from "../transaction/failure.ts";
import type { CallRequest } from "../transaction/owner.ts";
import { askOutside, type OutsideRequest } from "../transaction/asking-outside.ts";
import { send, type SendRequest } from "../transaction/sending.ts";
import { decodePayload, encodePayload, type Payload, RawJson } from "../flows/payload.ts";
import { createContext } from "./context.ts";
import type { InternalContext } from "./internal.ts";
import { EngineFlowContext } from "./flow-context.ts";
import { PutOff } from "./put-off.ts";
import { isThenable } from "./thenable.ts";

/** What surrounds the engine: storage, replies, time, chance. */
export interface EngineHost {
  /** Milliseconds since 1970. */
  now(): number;
  random(): number;
  uuid(): string;
  /**
   * Calls user code, schemas too, so that the host can tell its side effects from others', and those of everything asynchronous that comes of
   * it. Effects of the host are performed inside as well: it uses nothing there that it keeps user code from.
   */
  enclose<T>(call: () => T): T;
  /** Performs an effect that is not about user functions, in the order given. */
  perform(effect: HostEffect): void;
  /** The machine's memory cannot be trusted any more; it is not used again. The host starts over from storage. */
  fatal(error: unknown): void;
}
export type HostEffect = Exclude<Effect, { kind: "run" } | { kind: "settle" } | { kind: "joined" }>;

/**
 * A function that has made calls ends so many microtasks behind its return. Code that nobody awaits, an `async` callback of `forEach` for one, may be
 * about to go on with the result of a call, to write or to call: that is the function's still. From a result to what comes of it are two or three.
 */
const STEPS_BEHIND_RETURN = 8;
/** The same behind the last call of a function that had returned before: there certainly is such code, and time for it. */
const STEPS_BEHIND_LAST_CALL = 256;

export class Engine {
  readonly machine: PartitionMachine;
  readonly host: EngineHost;
  readonly lastTooMuch = new LastTooMuch();
  readonly #effects: Effect[] = [];
  readonly #putOff = new PutOff();
  #pumping = false;
  #stopped = false;

  constructor(machine: PartitionMachine, host: EngineHost) {
    this.machine = machine;
    this.host = host;
  }

  /** Feeds one input from outside and performs all that follows from it at once. @throws CorruptError for a damaged frame, which changes nothing */
  input(input: Input): void {
    if (this.#stopped) return;
    try {
      this.#effects.push(...this.machine.step(input, this.host.now()));
    } catch (error) {
      if (error instanceof CorruptError && ("frame" in input || input.kind === "deliver")) throw error;
      this.#stop(error);
      return;
    }
    this.#pump();
  }

  #stop(error: unknown): void {
    this.#stopped = true;
    this.host.fatal(error);
  }

  /** `ctx.call` and `ctx.try`: the promise settles when the call has ended. */
  call(parent: Activation, request: CallRequest, payload: Payload | null = null): Promise<unknown> {
    const activation = this.#ask(() => this.machine.transactions.call(parent, request));
    activation.payload = payload;
    const promise = new Promise((resolve, reject) => (activation.pending = { resolve, reject }));
    // A call may be left unawaited; its failure sticks to the transaction all the same.
    promise.then(undefined, ignore);
    this.#effects.push(...this.machine.takeEffects());
    this.#pump();
    return promise;
  }

  /** A call of an internal function: what it passes goes as it is to a key of this partition, as text elsewhere. */
  async ask(parent: Activation, target: Omit<CallRequest, "input" | "tried">, payload: Payload): Promise<Payload> {
    const { machine } = this;
    const here = target.key === parent.target.key || machine.partitionOf(target.key) === machine.self;
    const input = here ? null : encodePayload(payload);
    const result = await this.call(parent, { ...target, input, tried: false }, here ? payload : null);
    return typeof result === "string" ? decodePayload(result) : (result as Payload);
  }

  /** `ctx.send`: the message is kept with the transaction; returns the id of a delayed one. @throws TidegateError when it cannot be sent */
  send(from: Activation, request: SendRequest): string {
    return this.#ask(() => send(this.machine.transactions, from, request));
  }

  /** `ctx.effect`: it is kept with the transaction. @throws TidegateError when it cannot be asked for */
  effect(from: Activation, request: OutsideRequest): void {
    this.#ask(() => askOutside(this.machine.transactions, from, request));
  }

  /** An error other than the engine's own is a failed assertion: user code may catch it, so the machine must stop here. */
  #ask<T>(what: () => T): T {
    try {
      return what();
    } catch (error) {
      if (!(error instanceof TidegateError)) this.#stop(error);
      throw error;
    }
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#performAll();
    } catch (error) {
      this.#stop(error);
    } finally {
      this.#effects.length = 0;
      this.#pumping = false;
    }
  }

  /** From the first function on all is enclosed: to enclose each by itself costs more than some of them do, and many turns run none. */
  #performAll(): void {
    const next = this.#performFrom(0, false);
    if (next < this.#effects.length) this.host.enclose(() => this.#performFrom(next, true));
  }

  /** Returns where it stopped: at a function that is to be enclosed, or behind the last effect. */
  #performFrom(first: number, enclosed: boolean): number {
    for (let next = first; ; next++) {
      const effect = this.#effects[next];
      if (effect === undefined || this.#stopped) return this.#effects.length;
      if (effect.kind === "run" && !enclosed) return next;
      this.#perform(effect);
    }
  }

  #perform(effect: Effect): void {
    if (effect.kind === "run") this.#run(effect.activation);
    else if (effect.kind === "settle") this.#settle(effect.activation, effect.outcome);
    else if (effect.kind === "joined") this.#join(effect.activation);
    else this.host.perform(effect);
  }

  #settle(activation: Activation, outcome: Outcome): void {
    const { pending } = activation;
    if (pending === null) return;
    activation.pending = null;
    if (!outcome.ok) pending.reject(errorOf(outcome.failure));
    else if (activation.target.service.given === "flow") pending.resolve(outcome.value);
    // Results are copied as they would be between partitions: nothing is shared between two functions.
    else pending.resolve(outcome.value === undefined ? undefined : decodeValue(outcome.value as string));
  }

  /** Input, handler, output: synchronous all the way where the user's code is. */
  #run(activation: Activation): void {
    try {
      if (activation.target.service.given === "flow") return this.#runInternal(activation);
      const validated = validate(activation.target.contract.input, inputOf(activation));
      if (isThenable(validated)) this.#await(activation, validated, (checked) => this.#handle(activation, checked));
      else this.#handle(activation, validated);
    } catch (error) {
      this.#fail(activation, error);
    }
  }

  /** What internal functions take and give is the engine's own: nothing is validated. */
  #runInternal(activation: Activation): void {
    const { service, name } = activation.target;
    const handler = service.handlers[name] as (ctx: unknown, input: unknown) => unknown;
    const result = handler(new EngineFlowContext(this, activation), payloadOf(activation));
    const done = (value: unknown): void => {
      const isText = activation.caller !== null;
      const outcome: Outcome = { ok: true, value: isText ? encodePayload(value as Payload) : value };
      this.input({ kind: "returned", activation, outcome });
    };
    if (isThenable(result)) this.#await(activation, result, done);
    else done(result);
  }

  #handle(activation: Activation, input: Validated): void {
    if (!input.ok) {
      const { issues } = input;
      const { contract } = activation.target.service;
      const told = issuesText(issues);
      const message = `the input of ${contract.name}.${activation.target.name} does not fit its schema: ${told}`;
      const error = new TidegateError("invalid-input", message, { members: { issues } });
      this.#return(activation, { ok: false, failure: { kind: "engine", error } });
      return;
    }
    const { service, name } = activation.target;
    const handler = service.handlers[name] as (ctx: unknown, input: unknown) => unknown;
    const context =
      service.given === "machine"
        ? ({ transactions: this.machine.transactions, activation } satisfies InternalContext)
        : createContext(this, activation);
    const result = handler(context, input.value);
    if (isThenable(result)) this.#await(activation, result, (value) => this.#finish(activation, value));
    else this.#finish(activation, result);
  }

  #finish(activation: Activation, value: unknown): void {
    const checked = validate(activation.target.contract.output, value);
    if (isThenable(checked)) this.#await(activation, checked, (output) => this.#output(activation, output));
    else this.#output(activation, checked);
  }

  #output(activation: Activation, output: Validated): void {
    const { service, name } = activation.target;
    if (!output.ok) {
      const issues = issuesText(output.issues);
      const error = new TidegateError(
        "invalid-output",
        `the result of ${service.contract.name}.${name} does not fit its schema: ${issues}`,
      );
      this.#return(activation, { ok: false, failure: { kind: "engine", error } });
      return;
    }
    const { value } = output;
    if (value === undefined) return this.#return(activation, { ok: true, value });
    if (isRoot(activation)) return this.#return(activation, { ok: true, value: rootResult(activation, value) });
    const text = encodeValue(value, "the result");
    // Wherever the caller is: what works must not depend on that.
    if (fitsUtf8(text, LIMITS.maxResultBytes)) this.#return(activation, { ok: true, value: text });
    else this.#fail(activation, tooLarge(LIMITS.maxResultBytes));
  }

  /** A promise of our own around a thenable of the user's: it settles once, later, and is not thrown from. */
  #await<T>(activation: Activation, promise: PromiseLike<T>, then: (value: T) => void): void {
    Promise.resolve(promise).then(
      (value) => {
        try {
          then(value);
        } catch (error) {
          this.#fail(activation, error);
        }
      },
      (error: unknown) => this.#fail(activation, error),
    );
  }

  #fail(activation: Activation, error: unknown): void {
    // Of a root the whole answer is measured.
    const most = isRoot(activation) ? Infinity : LIMITS.maxResultBytes;
    this.#return(activation, { ok: false, failure: failureOf(error, most) });
  }

  /** With calls under way it is joined, and ends behind the last of them. */
  #return(activation: Activation, outcome: Outcome, steps = STEPS_BEHIND_RETURN): void {
    const { calls, children } = activation;
    if (outcome.ok && calls > 0 && children === 0) this.#returnBehind(steps, activation, outcome);
    else this.input({ kind: "returned", activation, outcome });
  }

  /** Enclosed for what the host does about user code that goes on: some may. */
  #join(activation: Activation): void {
    const outcome = activation.outcome as Outcome;
    this.host.enclose(() => this.#returnBehind(STEPS_BEHIND_LAST_CALL, activation, outcome));
  }

  #returnBehind(steps: number, activation: Activation, outcome: Outcome): void {
    const { calls } = activation;
    this.#putOff.by(steps, () => {
      if (activation.calls === calls) this.input({ kind: "returned", activation, outcome });
      // It goes on: there was a call meanwhile, and its end counts. Of one that is joined that comes by itself.
      else if (activation.state === "running") this.#return(activation, outcome, STEPS_BEHIND_LAST_CALL);
    });
  }
}

/** As it is when the function returns: of one that has made calls the end comes later, and what nobody awaits could change it until then. */
function rootResult({ calls, attempt }: Activation, value: unknown): unknown {
  if (calls === 0 || value instanceof RawJson || attempt.root?.poster !== null) return value;
  return new RawJson(toJson(value, "the result"));
}

function ignore(): void {
  // What is to be done with a failure is done elsewhere.
}

function payloadOf(activation: Activation): unknown {
  const { payload, input, attempt } = activation;
  if (payload !== null) return payload;
  if (isRoot(activation)) return { bytes: attempt.root?.bytes ?? undefined, text: input ?? "" };
  return decodePayload(input ?? "");
}

/** What came from outside is JSON, where nothing is a tag; what a call or a message carries, the state codec wrote. The engine's own is text. */
function inputOf(activation: Activation): unknown {
  if (activation.input === null) return undefined;
  if (activation.target.service.given === "machine") return activation.input;
  const fromOutside = isRoot(activation) && activation.attempt.root?.coded !== true;
  return fromOutside ? JSON.parse(activation.input) : decodeValue(activation.input);
}

function isRoot({ parent, caller }: Activation): boolean {
  return parent === null && caller === null;
}
