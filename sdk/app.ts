/** An app: the services and flows of one domain, checked as a whole at start-up. */

import { promisesService } from "./builtin/promises.ts";
import { sagaService } from "./builtin/sagas.ts";
import { type DoorDefinition, doorOf, type DoorOptions } from "./door.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { EffectDefinition } from "./effect.ts";
import { misconfigured } from "./errors.ts";
import { type FlowDefinition, nodesOf, type Sink, type WindowedFlow } from "./flow.ts";
import {
  PARTITIONS_DEFAULT,
  PARTITIONS_MAX,
  RESULT_RETENTION_DEFAULT_MS,
  RESULT_RETENTION_MAX_MS,
  RESULT_RETENTION_MIN_MS,
  RETENTION_DEFAULT_MS,
  TRANSACTION_DEADLINE_MAX_MS,
  TRANSACTION_DEADLINE_MIN_MS,
} from "./limits.ts";
import type { SagaDefinition } from "./saga.ts";
import type { ServiceDefinition } from "./service.ts";
import type { StreamDefinition } from "./stream.ts";

export interface AppOptions extends DoorOptions {
  readonly services: readonly ServiceDefinition[];
  readonly flows?: readonly FlowDefinition[];
  /** Streams that no flow reads or writes, but functions do: `ctx.emit`. */
  readonly streams?: readonly StreamDefinition[];
  /**
   * Cloudflare Queues whose messages are events, by the name of the queue: `queues: { "sales-queue": Sales }`. Each message is taken once, by its
   * id, however often it is delivered. One that does not fit the stream is retried, until the queue gives it up to its own dead letters.
   */
  readonly queues?: Readonly<Record<string, StreamDefinition>>;
  /** What transactions may ask for by `ctx.effect`. With any, or a flow that ends in a queue or webhook, the Worker exports `class Effects extends app.Effects {}`. */
  readonly effects?: readonly EffectDefinition[];
  /** What is started by `ctx.start` and `/v1/sagas`. */
  readonly sagas?: readonly SagaDefinition[];
  /** Partitions of a new domain, 1 to 256; default 4. A stored domain keeps its own count. */
  readonly partitions?: number;
  /**
   * What takes longer is given up with `deadline-exceeded` (504): nothing of it is done and its keys are free. From 1 to 29 seconds, such
   * as `"5s"`; default 20.
   */
  readonly transactionDeadline?: Duration;
  /**
   * How long the answer to a request with an Idempotency-Key is kept at least, so that the same again is answered from it and not run. From
   * 1 minute to 30 days; default 24 hours.
   */
  readonly resultRetention?: Duration;
}

/** A view and the flow that keeps it. */
export interface ViewDefinition {
  readonly name: string;
  readonly flow: FlowDefinition;
  readonly sink: Extract<Sink, { readonly kind: "view" }>;
  /** Set where the window kernel keeps it. */
  readonly windowed: WindowedFlow | null;
}

/** What the shells run. Every name is unique in its table. */
export interface AppDefinition {
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  readonly streams: ReadonlyMap<string, StreamDefinition>;
  /** Streams whose events can be read, and for how long; ms. */
  readonly kept: ReadonlyMap<string, number>;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  /** Streams by the name of the queue whose messages are their events. */
  readonly queues: ReadonlyMap<string, StreamDefinition>;
  readonly effects: ReadonlyMap<string, EffectDefinition>;
  readonly sagas: ReadonlyMap<string, SagaDefinition>;
  /** Services that come with the engine: no app names one so, and no client calls them as services. */
  readonly builtins: ReadonlyMap<string, ServiceDefinition>;
  /** Flows that the window kernel runs whole, by name: those that can be, of streams that no other flow reads or writes. */
  readonly windowed: ReadonlyMap<string, WindowedFlow>;
  readonly views: ReadonlyMap<string, ViewDefinition>;
  readonly partitions: number;
  /** Undefined: as the engine has it. */
  readonly transactionDeadlineMs: number | undefined;
  readonly resultRetentionMs: number;
  readonly door: DoorDefinition;
}

/** @throws TidegateError `misconfigured` for names that are there twice or lead nowhere, two streams of one name, a bad partition count, deadline or retention. */
export function defineApp(options: AppOptions): AppDefinition {
  const partitions = options.partitions ?? PARTITIONS_DEFAULT;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw misconfigured(`partitions must be a whole number from 1 to ${PARTITIONS_MAX}, not ${String(partitions)}`);
  }
  const flows = options.flows ?? [];
  const services = byName("service", options.services, (service) => service.contract.name);
  const effects = byName("effect", [...(options.effects ?? []), ...effectsOf(flows)], (effect) => effect.name);
  const sagas = byName("saga", options.sagas ?? [], (saga) => saga.name);
  const queues = new Map(Object.entries(options.queues ?? {}));
  const windowed = windowedOf(flows, [...queues.values()]);
  const streams = streamsOf(flows, [...(options.streams ?? []), ...queues.values()]);
  refuseCycles(flows);
  checkCalled(flows, services);
  const definition = {
    services,
    sagas,
    builtins: builtinsOf(services, effects, sagas),
    streams,
    kept: keptOf(flows, streams),
    flows: byName("flow", flows, (flow) => flow.name),
    queues,
    effects,
    windowed,
    views: byName("view", viewsOf(flows, windowed), ({ name }) => name),
    partitions,
    transactionDeadlineMs: deadlineOf(options.transactionDeadline),
    resultRetentionMs: retentionOf(options.resultRetention),
    door: doorOf(options),
  };
  const { streams: streamRules, flows: flowRules, views: viewRules } = definition.door;
  for (const table of Object.values(streamRules)) checkRuled("stream", table, definition.streams);
  for (const table of Object.values(flowRules)) checkRuled("flow", table, definition.flows);
  checkRuled("view", viewRules, definition.views);
  return Object.freeze(definition);
}

/** A rule for a name that is mistyped would leave what was meant closed, and nobody would know why. */
function checkRuled(what: string, rules: ReadonlyMap<string, unknown>, known: ReadonlyMap<string, unknown>): void {
  for (const name of rules.keys()) {
    if (!known.has(name))
      throw misconfigured(`allow has a rule for the ${what} "${name}", which the app does not have`);
  }
}

function builtinsOf(
  services: ReadonlyMap<string, ServiceDefinition>,
  effects: ReadonlyMap<string, EffectDefinition>,
  sagas: ReadonlyMap<string, SagaDefinition>,
): ReadonlyMap<string, ServiceDefinition> {
  const builtins = new Map<string, ServiceDefinition>();
  const lookup = (name: string) => services.get(name) ?? builtins.get(name);
  const add = (service: ServiceDefinition) => builtins.set(service.contract.name, service);
  add(promisesService(lookup));
  for (const saga of sagas.values()) {
    for (const step of saga.steps) {
      if (!("effect" in step) || effects.get(step.effect.name) === step.effect) continue;
      throw misconfigured(`the saga "${saga.name}" has the effect "${step.effect.name}": list it in the app's effects`);
    }
    add(sagaService(saga, lookup));
  }
  return builtins;
}

function deadlineOf(duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const value = milliseconds(duration, "transactionDeadline");
  if (value < TRANSACTION_DEADLINE_MIN_MS || value > TRANSACTION_DEADLINE_MAX_MS) {
    const [least, most] = [TRANSACTION_DEADLINE_MIN_MS / 1_000, TRANSACTION_DEADLINE_MAX_MS / 1_000];
    throw misconfigured(`transactionDeadline is from ${least} to ${most} seconds, such as "5s"`);
  }
  return value;
}

function retentionOf(duration: Duration | undefined): number {
  if (duration === undefined) return RESULT_RETENTION_DEFAULT_MS;
  const value = milliseconds(duration, "resultRetention");
  if (value < RESULT_RETENTION_MIN_MS || value > RESULT_RETENTION_MAX_MS) {
    throw misconfigured('resultRetention is from 1 minute to 30 days, such as "24h"');
  }
  return value;
}

function byName<T>(what: string, items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, T> {
  const table = new Map<string, T>();
  for (const item of items) {
    const name = nameOf(item);
    if (table.has(name)) throw misconfigured(`two have the ${what} name "${name}"; names are unique in an app`);
    table.set(name, item);
  }
  return table;
}

/** Streams that are read or written. */
function streamsOf(
  flows: readonly FlowDefinition[],
  others: readonly StreamDefinition[],
): ReadonlyMap<string, StreamDefinition> {
  const table = new Map<string, StreamDefinition>();
  for (const stream of [...flows.flatMap((flow) => [...flow.streams, ...writtenBy(flow)]), ...others]) {
    const known = table.get(stream.name);
    if (known !== undefined && known !== stream) {
      throw misconfigured(`two streams have the name "${stream.name}"; declare it once and share it between flows`);
    }
    table.set(stream.name, stream);
  }
  return table;
}

function keptOf(
  flows: readonly FlowDefinition[],
  streams: ReadonlyMap<string, StreamDefinition>,
): ReadonlyMap<string, number> {
  const written = new Set(flows.flatMap(writtenBy));
  const kept = new Map<string, number>();
  for (const stream of streams.values()) {
    if (stream.retention !== null || written.has(stream))
      kept.set(stream.name, stream.retention ?? RETENTION_DEFAULT_MS);
  }
  return kept;
}

/** What a batch brings about is one transaction: it has to end. */
function refuseCycles(flows: readonly FlowDefinition[]): void {
  const visit = (stream: string, path: readonly string[]): void => {
    if (path.includes(stream)) throw misconfigured(`flows lead from stream "${stream}" back to it`);
    for (const flow of flows) {
      if (!flow.streams.some(({ name }) => name === stream)) continue;
      for (const { name } of writtenBy(flow)) visit(name, [...path, stream]);
    }
  };
  for (const flow of flows) for (const { name } of flow.streams) visit(name, []);
}

/** Every batch would fail, or every message of one. */
function checkCalled(flows: readonly FlowDefinition[], services: ReadonlyMap<string, ServiceDefinition>): void {
  for (const flow of flows) {
    const lookups = nodesOf(flow).flatMap(({ operator }) => (operator.kind === "lookup" ? [operator.contract] : []));
    const calls = flow.sinks.flatMap((sink) => (sink.kind === "call" ? [sink.contract] : []));
    for (const { name } of [...lookups, ...calls]) {
      if (!services.has(name))
        throw misconfigured(`flow "${flow.name}" calls service "${name}": list it in the app's services`);
    }
  }
}

function writtenBy(flow: FlowDefinition): StreamDefinition[] {
  return flow.sinks.flatMap((sink) => (sink.kind === "stream" ? [sink.stream] : []));
}

/** A batch goes through all flows of its stream or through none: either the kernel runs all of them, or none. */
function windowedOf(
  flows: readonly FlowDefinition[],
  queued: readonly StreamDefinition[],
): ReadonlyMap<string, WindowedFlow> {
  // What messages of a queue were taken is known within transactions, which the kernel has none of.
  const others = new Set(queued.map(({ name }) => name));
  for (const flow of flows) {
    // Nor does it keep events for those who read them.
    for (const { name, retention } of flow.streams) if (retention !== null) others.add(name);
    for (const { name } of writtenBy(flow)) others.add(name);
    if (flow.windowed === null) for (const { name } of flow.streams) others.add(name);
  }
  const table = new Map<string, WindowedFlow>();
  for (const { windowed } of flows) {
    if (windowed !== null && !others.has(windowed.stream.name)) table.set(windowed.name, windowed);
  }
  return table;
}

/** By which the ends of flows deliver. */
function effectsOf(flows: readonly FlowDefinition[]): EffectDefinition[] {
  return flows.flatMap((flow) => flow.sinks.flatMap((sink) => (sink.kind === "egress" ? [sink.effect] : [])));
}

function viewsOf(flows: readonly FlowDefinition[], windowed: ReadonlyMap<string, WindowedFlow>): ViewDefinition[] {
  return flows.flatMap((flow) =>
    flow.sinks.flatMap((sink) =>
      sink.kind === "view" ? [{ name: sink.name, flow, sink, windowed: windowed.get(flow.name) ?? null }] : [],
    ),
  );
}
