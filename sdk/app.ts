/** An app: the services and flows of one domain, checked as a whole at start-up. */

import { misconfigured } from "./errors.ts";
import type { FlowDefinition } from "./flow.ts";
import { PARTITIONS_DEFAULT, PARTITIONS_MAX } from "./limits.ts";
import type { ServiceDefinition } from "./service.ts";
import type { StreamDefinition } from "./stream.ts";

export interface AppOptions {
  readonly services: readonly ServiceDefinition[];
  readonly flows?: readonly FlowDefinition[];
  /** Partitions of a new domain, 1 to 256; default 4. A stored domain keeps its own count. */
  readonly partitions?: number;
}

/** What the shells run. Every name is unique in its table. */
export interface AppDefinition {
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  readonly streams: ReadonlyMap<string, StreamDefinition>;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  /** Flows by the name of their view. */
  readonly views: ReadonlyMap<string, FlowDefinition>;
  readonly partitions: number;
}

/** @throws TidegateError `misconfigured` for duplicate names, two streams of one name, or a bad partition count. */
export function defineApp(options: AppOptions): AppDefinition {
  const partitions = options.partitions ?? PARTITIONS_DEFAULT;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw misconfigured(`partitions must be a whole number from 1 to ${PARTITIONS_MAX}, not ${String(partitions)}`);
  }
  const flows = options.flows ?? [];
  return Object.freeze({
    services: byName("service", options.services, (service) => service.contract.name),
    streams: streamsOf(flows),
    flows: byName("flow", flows, (flow) => flow.name),
    views: byName("view", flows, (flow) => flow.view),
    partitions,
  });
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
