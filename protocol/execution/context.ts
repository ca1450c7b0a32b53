/** `ctx`: what a handler sees of its key, its transaction and the engine. Every way in checks that the function is still entitled to it. */
import { issuesText } from "../../sdk/issues.ts";
import { rowsOf } from "../../dataflow/columns/rows.ts";
import { rowJson } from "../../dataflow/operators/accumulators.ts";
import { byPath, eventText } from "../../sdk/event-text.ts";
import type { StreamDefinition } from "../../sdk/stream.ts";
import { isFlowService, STREAM } from "../flows/internal.ts";
import { type PromiseRequest, Promises } from "../../sdk/builtin/promises.ts";
import { isAddress, isBuiltin } from "../../sdk/builtin/service.ts";
import type { PromiseOptions } from "../../sdk/context.ts";
import type { Contract } from "../../sdk/contract.ts";
import { milliseconds } from "../../sdk/duration.ts";
import type { EffectDefinition } from "../../sdk/effect.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { checkKey } from "../../sdk/keys.ts";
import { parseCron } from "../../sdk/cron.ts";
import { checkScheduleName } from "../../sdk/schedule.ts";
import { checkAddressee } from "../transaction/asking-outside.ts";
import { assertSendable } from "../transaction/sending.ts";
import { parseMessageId } from "../../sdk/message-id.ts";
import { Refusal } from "../../sdk/refusal.ts";
import type { Reply } from "../../sdk/reply.ts";
import { type SagaDefinition, sagaServiceName } from "../../sdk/saga.ts";
import { validate } from "../../sdk/schema.ts";
import { encodeValue } from "../../sdk/values.ts";
import type { When } from "../../sdk/when.ts";
import { type ScheduleRequest, scheduleName } from "../timers/schedules.ts";
import { CANCEL, SCHEDULE, UNSCHEDULE } from "../timers/service.ts";
import { TIMERS } from "../timers/timer.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import { type Activation, isOver } from "../transaction/attempt.ts";
import { aborted } from "../transaction/failure.ts";
import { type Collections, createCollections } from "./collections.ts";
import type { Engine } from "./engine.ts";
import { isThenable } from "./thenable.ts";

export function createContext(engine: Engine, activation: Activation): object {
  return new Context(engine, activation);
}

/** @throws TidegateError `transaction-aborted` when the context outlived its function or transaction */
export function assertLive(activation: Activation): void {
  if (activation.attempt.ended)
    throw aborted("the transaction has ended; what goes on behind its calls must be awaited");
  if (isOver(activation))
    throw aborted("the function that this context belongs to has ended; what goes on behind its calls must be awaited");
}

const UNREAD = Symbol("unread");

class Context {
  readonly key: string;
  readonly #engine: Engine;
  readonly #activation: Activation;
  #collections: Collections | undefined;
  #frozen: unknown = UNREAD;

  constructor(engine: Engine, activation: Activation) {
    this.key = activation.target.key;
    this.#engine = engine;
    this.#activation = activation;
  }

  get #copy(): EntityCopy {
    assertLive(this.#activation);
    return this.#engine.machine.transactions.copyOf(this.#activation);
  }

  get #readOnly(): boolean {
    return this.#activation.target.contract.kind === "query";
  }

  get state(): unknown {
    if (!this.#readOnly) return this.#copy.value;
    if (this.#frozen === UNREAD) {
      const { readValues } = this.#engine.machine.transactions;
      this.#frozen = readValues.of(this.#activation.target.entity, this.#copy.valueText());
    }
    return this.#frozen;
  }

  set state(value: unknown) {
    if (this.#readOnly) throw new TypeError("state is read-only in a query");
    this.#copy.value = value;
  }

  clear(): void {
    if (this.#readOnly) throw new TypeError("a query cannot clear its state");
    this.#copy.clear();
  }

  /** For the engine: deletes what has expired. */
  expire(): void {
    this.#copy.expire();
  }

  get collections(): Collections {
    return (this.#collections ??= createCollections(this.#activation, () => this.#copy));
  }

  call(contract: Contract, key: string): object {
    return callsOf(this.#engine, this.#activation, contract, key, false);
  }

  try(contract: Contract, key: string): object {
    return callsOf(this.#engine, this.#activation, contract, key, true);
  }

  send(contract: Contract, key: string, when?: When): object {
    if (this.#readOnly) throw new TypeError("a query cannot send messages");
    return sendsOf(this.#engine, this.#activation, contract, key, when ?? null);
  }

  schedule(name: string, cron: string, contract: Contract, key: string): object {
    if (this.#readOnly) throw new TypeError("a query cannot schedule messages");
    checkTarget(contract, key);
    checkScheduleName(name);
    parseCron(cron);
    return schedulesOf(this.#engine, this.#activation, { name, cron }, contract, key);
  }

  unschedule(name: string): Promise<boolean> {
    if (this.#readOnly) throw new TypeError("a query cannot end schedules");
    const { service, key } = this.#activation.target;
    const input = scheduleName(false, service.contract.name, name);
    const request = { service: TIMERS, key, name: UNSCHEDULE, input, tried: false };
    return heard(this.#engine.call(this.#activation, request), (result) => result === true);
  }

  cancel(messageId: string): Promise<boolean> {
    if (this.#readOnly) throw new TypeError("a query cannot cancel messages");
    const delayed = parseMessageId(messageId);
    if (delayed === null) return Promise.resolve(false);
    const request = { service: TIMERS, key: delayed.key, name: CANCEL, input: delayed.id, tried: false };
    return heard(this.#engine.call(this.#activation, request), (result) => result === true);
  }

  effect(effect: EffectDefinition, input?: unknown, to: Reply | null = null): void {
    if (this.#readOnly) throw new TypeError("a query cannot ask for effects");
    const text = input === undefined ? "" : encodeValue(input, "the input");
    this.#engine.effect(this.#activation, { name: effect.name, input: text, to });
  }

  emit(stream: StreamDefinition, event: Readonly<Record<string, unknown>>): void {
    if (this.#readOnly) throw new TypeError("a query cannot emit events");
    const { service } = this.#engine.machine.transactions.resolve(STREAM, stream.name, "emitted");
    if (!isFlowService(service) || service.streams?.get(stream.name) !== stream)
      throw new TidegateError("unknown-stream", `the app knows no stream "${stream.name}"; name it in \`streams\``);
    this.#engine.send(this.#activation, {
      service: STREAM,
      key: stream.name,
      name: "emitted",
      when: null,
      input: eventJson(stream, event),
    });
  }

  promise(to: Reply, { id = this.#engine.host.uuid(), deadline }: PromiseOptions = {}): Promise<string> {
    if (this.#readOnly) throw new TypeError("a query cannot make promises");
    checkKey(id);
    checkAddressee(this.#engine.machine.transactions, to);
    const at = deadline === undefined ? null : this.now() + milliseconds(deadline, "deadline");
    const input = encodeValue({ to, deadline: at } satisfies PromiseRequest);
    const request = { service: Promises.name, key: id, name: "create", input, tried: false };
    return heard(this.#engine.call(this.#activation, request), () => id);
  }

  start(saga: SagaDefinition, id: string, input?: unknown, to: Reply | null = null): void {
    if (this.#readOnly) throw new TypeError("a query cannot start sagas");
    checkKey(id);
    checkSagaInput(saga, input);
    if (to !== null) checkAddressee(this.#engine.machine.transactions, to);
    const text = encodeValue({ ...(input === undefined ? {} : { input }), to });
    const service = sagaServiceName(saga.name);
    this.#engine.send(this.#activation, { service, key: id, name: "start", input: text, when: null });
  }

  refuse(name: string, data?: unknown): Refusal {
    const { service, name: fnName, contract } = this.#activation.target;
    const schema = contract.refusals[name];
    if (!schema) throw new TypeError(`${service.contract.name}.${fnName} declares no refusal "${name}"`);
    const checked = validate(schema, data);
    if (isThenable(checked))
      throw new TypeError(`the schema of the refusal "${name}" is asynchronous; refusals need a synchronous one`);
    if (!checked.ok)
      throw new TypeError(`the data of the refusal "${name}" does not fit its schema: ${issuesText(checked.issues)}`);
    return new Refusal(service.contract.name, name, checked.value);
  }

  now(): number {
    return this.#activation.attempt.at;
  }

  random(): number {
    return this.#engine.host.random();
  }

  uuid(): string {
    return this.#engine.host.uuid();
  }
}

/**
 * Begun by a message, it could tell nobody. Where the schema is asynchronous it is left to the saga, which looks anyway.
 * @throws TypeError for an input that does not fit
 */
function checkSagaInput({ name, input: schema }: SagaDefinition, input: unknown): void {
  if (schema === undefined) return;
  const checked = validate(schema, input);
  if (isThenable(checked)) return void Promise.resolve(checked).catch(() => undefined);
  if (!checked.ok)
    throw new TypeError(`the input of the saga "${name}" does not fit its schema: ${issuesText(checked.issues)}`);
}

/** @throws TypeError for an event that the stream cannot have */
function eventJson(stream: StreamDefinition, event: Readonly<Record<string, unknown>>): string {
  const rows = eventRow(stream, event);
  if (stream.columns.some(({ path }) => path !== undefined)) {
    const names = stream.columns.map(({ name }) => name);
    return eventText(byPath(stream.columns, rows.object(0, names)));
  }
  return rowJson(
    stream.columns.map(({ name }) => [name, rows.column(name)] as const),
    0,
  );
}

function eventRow({ name, fields }: StreamDefinition, event: Readonly<Record<string, unknown>>) {
  try {
    return rowsOf(fields, [event], new Float64Array(1));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`an event of the stream "${name}" cannot be emitted: ${error.message}`, { cause: error });
  }
}

/** A contract is only data: what it names must not be the engine's own. @throws TidegateError */
function checkTarget(contract: Contract, key: string): void {
  checkKey(key);
  const { name } = contract;
  if (String(name).startsWith("#") && !isBuiltin(contract))
    throw new TidegateError("unknown-service", `there is no service "${name}"`);
}

type CallFunctions = Record<string, (input?: unknown) => Promise<unknown>>;

/** One function for each of the contract's, so that a wrong name is a clear TypeError and no Proxy is needed. */
function callsOf(
  engine: Engine,
  activation: Activation,
  contract: Contract,
  key: string,
  tried: boolean,
): CallFunctions {
  checkTarget(contract, key);
  const calls = prototypeOf(contract);
  return new calls(engine, activation, key, tried) as unknown as CallFunctions;
}

/** What the functions of one contract need, for one key. Its methods are those of the contract: made once, since calls are many. */
class Calls {
  readonly #engine: Engine;
  readonly #activation: Activation;
  readonly #key: string;
  readonly #tried: boolean;

  constructor(engine: Engine, activation: Activation, key: string, tried: boolean) {
    this.#engine = engine;
    this.#activation = activation;
    this.#key = key;
    this.#tried = tried;
  }

  /** Bound to its key, since a user may take a function out of its object. */
  static of(calls: Calls, contract: Contract, name: string): (input?: unknown) => Promise<unknown> {
    const service = contract.name;
    return (input) => {
      const text = input === undefined ? null : encodeValue(input, "the input");
      const tried = calls.#tried;
      const call = calls.#engine.call(calls.#activation, { service, key: calls.#key, name, input: text, tried });
      return tried ? call.then(succeeded, (error: unknown) => failed(contract, name, error)) : call;
    };
  }
}

const prototypes = new WeakMap<Contract, typeof Calls>();

function prototypeOf(contract: Contract): typeof Calls {
  const known = prototypes.get(contract);
  if (known) return known;
  const made = class extends Calls {};
  Object.setPrototypeOf(made.prototype, null);
  for (const name of Object.keys(contract.functions)) {
    Object.defineProperty(made.prototype, name, {
      enumerable: true,
      get(this: Calls) {
        return Calls.of(this, contract, name);
      },
    });
  }
  prototypes.set(contract, made);
  return made;
}

type SendFunctions = Record<string, (input?: unknown) => string | undefined>;

/** Queries are there too: that a message to one means nothing is for the engine to say. */
function sendsOf(
  engine: Engine,
  activation: Activation,
  contract: Contract,
  key: string,
  when: When | null,
): SendFunctions {
  checkTarget(contract, key);
  const sends: SendFunctions = Object.create(null);
  const unknown = isAddress(contract);
  for (const name of Object.keys(contract.functions)) {
    sends[name] = (input) => {
      const text = input === undefined ? "" : encodeValue(input, "the input");
      const id = engine.send(activation, { service: contract.name, key, name, input: text, when, unknown });
      return when === null ? undefined : id;
    };
  }
  return sends;
}

/** The same for messages that recur: they are kept with the key that schedules them. */
function schedulesOf(
  engine: Engine,
  activation: Activation,
  { name, cron }: { readonly name: string; readonly cron: string },
  contract: Contract,
  key: string,
): CallFunctions {
  const schedules: CallFunctions = Object.create(null);
  const { service, key: own, entity } = activation.target;
  for (const target of Object.keys(contract.functions)) {
    schedules[target] = (input) => {
      const text = input === undefined ? "" : encodeValue(input, "the input");
      assertSendable(engine.machine.transactions.resolve(contract.name, key, target), text);
      const letter = { sender: entity, service: contract.name, key, name: target, input: text, coded: true };
      const request: ScheduleRequest = { name: scheduleName(false, service.contract.name, name), cron, letter };
      const call = { service: TIMERS, key: own, name: SCHEDULE, input: JSON.stringify(request), tried: false };
      return heard(engine.call(activation, call), () => undefined);
    };
  }
  return schedules;
}

/** What comes of a call. It may be left unawaited like that: its failure sticks to the transaction all the same. */
function heard<T>(call: Promise<unknown>, then: (result: unknown) => T): Promise<T> {
  const result = call.then(then);
  result.catch(() => undefined);
  return result;
}

function succeeded(value: unknown): object {
  return { ok: true, value };
}

/** A refusal that the function does not declare has passed through it, from one that it has called: nobody who reads its contract looks for that. */
function failed({ name: service, functions }: Contract, name: string, error: unknown): object {
  const refused = error instanceof Refusal ? error : null;
  if (refused?.service === service && Object.hasOwn(functions[name]?.refusals ?? {}, refused.refusal))
    return { ok: false, refusal: { name: refused.refusal, data: refused.data } };
  if (error instanceof TidegateError) return { ok: false, refusal: undefined, error };
  const what = refused === null ? "the called function failed" : `what it called ${refused.message}`;
  return { ok: false, refusal: undefined, error: new TidegateError("internal-error", what, { cause: error }) };
}
