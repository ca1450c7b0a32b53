/** The backend on the platform: Durable Objects through the Worker's own exports, no bindings to name. */
import { exports, waitUntil } from "cloudflare:workers";
import core from "../core-wasm/build/core.wasm";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import type { Kernels } from "../core-wasm/types.ts";
import type { RescaleStatus } from "../protocol/coordinator/rescaling.ts";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";
import {
  coordinatorName,
  type ObjectNamespace,
  OWN_DOMAIN,
  partitionName,
  placedObject,
} from "../protocol/keygroups/names.ts";
import type { CoordinatorFigures } from "../protocol/observe/figures.ts";
import { type TelemetryBindings, telemetryOf } from "../protocol/observe/telemetry.ts";
import type { AppDefinition } from "../sdk/app.ts";
import type { Bucket } from "./admin/bucket.ts";
import {
  type AdminPort,
  type Backend,
  ConfigurationError,
  type ObservedPort,
  type PartitionPort,
  type Tracing,
} from "./backend.ts";
import { sendSpans } from "./tracing.ts";
import { LIMITS } from "./limits.ts";

interface CoordinatorPort {
  keyGroupMap(): Promise<KeyGroupMap>;
  rescale(partitions: number): Promise<RescaleStatus>;
  rescaleStatus(): Promise<RescaleStatus>;
  figures(): Promise<CoordinatorFigures>;
}
interface Classes {
  readonly Partition?: ObjectNamespace<PartitionPort & AdminPort & ObservedPort>;
  readonly Coordinator?: ObjectNamespace<CoordinatorPort>;
  readonly Effects?: object;
}

const MISSING = `The Worker must export both Durable Object classes. Add to its main module:

  export class Partition extends app.Partition {}
  export class Coordinator extends app.Coordinator {}

and to wrangler.jsonc:

  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Partition", "Coordinator"] }]
`;

/** The bindings that Tidegate knows. All of an app's secrets are here, and none elsewhere. */
interface Bindings extends TelemetryBindings {
  readonly TIDEGATE_TOKEN?: string;
  readonly TIDEGATE_ADMIN_TOKEN?: string;
  readonly TIDEGATE_KEYS?: string;
  readonly TIDEGATE_BACKUPS?: Bucket;
}

const EFFECTS_MISSING = `The app has effects, so the Worker must export the class that runs them. Add to its main module:

  export class Effects extends app.Effects {}
`;

/** Makes the backend of requests, for the domain of no tenant. What it caches lives as long as the isolate. */
export function platformBackend(app: AppDefinition): (env: unknown) => Backend {
  let kernels: Kernels | undefined;
  /** By tenant. */
  const maps = new Map<string, KeyGroupMap>();

  function classes(): Required<Omit<Classes, "Effects">> {
    const { Partition, Coordinator, Effects } = exports as unknown as Classes;
    if (!Partition || !Coordinator) throw new ConfigurationError("misconfigured", MISSING);
    if (app.effects.size > 0 && !Effects) throw new ConfigurationError("misconfigured", EFFECTS_MISSING);
    return { Partition, Coordinator };
  }

  async function mapOf(tenant: string, coordinator: () => CoordinatorPort): Promise<KeyGroupMap> {
    const known = maps.get(tenant);
    if (known !== undefined) return known;
    const map = await coordinator().keyGroupMap();
    for (const oldest of maps.keys()) {
      if (maps.size < LIMITS.knownMaps) break;
      maps.delete(oldest);
    }
    maps.set(tenant, map);
    return map;
  }

  function backendOf(bindings: Bindings, tenant: string): Backend {
    const coordinator = () => placedObject(classes().Coordinator, coordinatorName(tenant), app.door.placement(tenant));
    const partition = (index: number) =>
      placedObject(classes().Partition, partitionName(tenant, index), app.door.placement(tenant));
    return {
      partition,
      keyGroupMap: () => mapOf(tenant, coordinator),
      refreshMap: () => void maps.delete(tenant),
      rescale: (partitions) => coordinator().rescale(partitions),
      rescaleStatus: () => coordinator().rescaleStatus(),
      // One instance for all requests of the isolate: it is only used between two awaits.
      kernels: () => (kernels ??= createKernels(core)),
      token: bindings.TIDEGATE_TOKEN,
      keys: bindings.TIDEGATE_KEYS,
      observed: { partition, coordinator: () => coordinator().figures() },
      tracing: tracingOf(bindings),
      admin: { token: bindings.TIDEGATE_ADMIN_TOKEN, partition, bucket: bindings.TIDEGATE_BACKUPS },
      inDomain: (other) => backendOf(bindings, other),
      now: () => Date.now(),
      uuid: () => crypto.randomUUID(),
    };
  }

  let tracing: Tracing | undefined;
  let isTracingRead = false;
  /** Bindings are the same for all requests of an isolate. */
  function tracingOf(bindings: Bindings): Tracing | undefined {
    if (isTracingRead) return tracing;
    isTracingRead = true;
    const telemetry = telemetryOf(bindings);
    tracing = telemetry && { ratio: telemetry.ratio, send: (spans) => waitUntil(sendSpans(telemetry, spans)) };
    return tracing;
  }

  return (env) => backendOf(env as Bindings, OWN_DOMAIN);
}
