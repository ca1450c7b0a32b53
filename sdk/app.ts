/** An app: the services and flows of one domain, checked as a whole at start-up. */

import { promisesService } from "./builtin/promises.ts";
import { sagaService } from "./builtin/sagas.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { EffectDefinition } from "./effect.ts";
import { misconfigured } from "./errors.ts";
import type { FlowDefinition } from "./flow.ts";
import {
  PARTITIONS_DEFAULT,
  PARTITIONS_MAX,
  RESULT_RETENTION_DEFAULT_MS,
  RESULT_RETENTION_MAX_MS,
  RESULT_RETENTION_MIN_MS,
  TRANSACTION_DEADLINE_MAX_MS,
  TRANSACTION_DEADLINE_MIN_MS,
} from "./limits.ts";
import type { SagaDefinition } from "./saga.ts";
import type { ServiceDefinition } from "./service.ts";
import type { StreamDefinition } from "./stream.ts";

export interface AppOptions {
  readonly services: readonly ServiceDefinition[];
  readonly flows?: readonly FlowDefinition[];
  /** What transactions may ask for by `ctx.effect`. With any, the Worker exports `class Effects extends app.Effects {}`. */
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

/** What the shells run. Every name is unique in its table. */
export interface AppDefinition {
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  readonly streams: ReadonlyMap<string, StreamDefinition>;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  readonly effects: ReadonlyMap<string, EffectDefinition>;
  readonly sagas: ReadonlyMap<string, SagaDefinition>;
  /** Services that come with the engine: no app names one so, and no client calls them as services. */
  readonly builtins: ReadonlyMap<string, ServiceDefinition>;
  /** Flows by the name of their view. */
  readonly views: ReadonlyMap<string, FlowDefinition>;
  readonly partitions: number;
  /** Undefined: as the engine has it. */
  readonly transactionDeadlineMs: number | undefined;
  readonly resultRetentionMs: number;
}

/** @throws TidegateError `misconfigured` for duplicate names, two streams of one name, a bad partition count, deadline or retention. */
export function defineApp(options: AppOptions): AppDefinition {
  const partitions = options.partitions ?? PARTITIONS_DEFAULT;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw misconfigured(`partitions must be a whole number from 1 to ${PARTITIONS_MAX}, not ${String(partitions)}`);
  }
  const flows = options.flows ?? [];
  const services = byName("service", options.services, (service) => service.contract.name);
  const effects = byName("effect", options.effects ?? [], (effect) => effect.name);
  const sagas = byName("saga", options.sagas ?? [], (saga) => saga.name);
  return Object.freeze({
    services,
    effects,
    sagas,
    builtins: builtinsOf(services, effects, sagas),
    streams: streamsOf(flows),
    flows: byName("flow", flows, (flow) => flow.name),
    views: byName("view", flows, (flow) => flow.view),
    partitions,
    transactionDeadlineMs: deadlineOf(options.transactionDeadline),
    resultRetentionMs: retentionOf(options.resultRetention),
  });
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

function streamsOf(flows: readonly FlowDefinition[]): ReadonlyMap<string, StreamDefinition> {
  const table = new Map<string, StreamDefinition>();
  for (const { stream } of flows) {
    const known = table.get(stream.name);
    if (known !== undefined && known !== stream) {
      throw misconfigured(`two streams have the name "${stream.name}"; declare it once and share it between flows`);
    }
    table.set(stream.name, stream);
  }
  return table;
}
