/** The backend on the platform: Durable Objects through the Worker's own exports, no bindings to name. */
import { exports } from "cloudflare:workers";
import core from "../core-wasm/build/core.wasm";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import type { Kernels } from "../core-wasm/types.ts";
import type { RescaleStatus } from "../protocol/coordinator/rescaling.ts";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";
import type { AppDefinition } from "../sdk/app.ts";
import type { Bucket } from "./admin/bucket.ts";
import { type AdminPort, type Backend, ConfigurationError, type PartitionPort } from "./backend.ts";

interface Namespace<T> {
  getByName(name: string): T;
}
interface CoordinatorPort {
  keyGroupMap(): Promise<KeyGroupMap>;
  rescale(partitions: number): Promise<RescaleStatus>;
  rescaleStatus(): Promise<RescaleStatus>;
}
interface Classes {
  readonly Partition?: Namespace<PartitionPort & AdminPort>;
  readonly Coordinator?: Namespace<CoordinatorPort>;
  readonly Effects?: object;
}

const MISSING = `The Worker must export both Durable Object classes. Add to its main module:

  export class Partition extends app.Partition {}
  export class Coordinator extends app.Coordinator {}

and to wrangler.jsonc:

  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Partition", "Coordinator"] }]
`;

const EFFECTS_MISSING = `The app has effects, so the Worker must export the class that runs them. Add to its main module:

  export class Effects extends app.Effects {}
`;

/** Makes the backend of requests. What it caches lives as long as the isolate. */
export function platformBackend(app: AppDefinition): (env: unknown) => Backend {
  let kernels: Kernels | undefined;
  let map: KeyGroupMap | undefined;

  function classes(): Required<Omit<Classes, "Effects">> {
    const { Partition, Coordinator, Effects } = exports as unknown as Classes;
    if (!Partition || !Coordinator) throw new ConfigurationError("misconfigured", MISSING);
    if (app.effects.size > 0 && !Effects) throw new ConfigurationError("misconfigured", EFFECTS_MISSING);
    return { Partition, Coordinator };
  }

  const coordinator = () => classes().Coordinator.getByName("coordinator");

  async function keyGroupMap(): Promise<KeyGroupMap> {
    return (map ??= await coordinator().keyGroupMap());
  }

  return (env) => ({
    partition: (index) => classes().Partition.getByName(`partition-${index}`),
    keyGroupMap,
    refreshMap: () => {
      map = undefined;
    },
    rescale: (partitions) => coordinator().rescale(partitions),
    rescaleStatus: () => coordinator().rescaleStatus(),
    // One instance for all requests of the isolate: it is only used between two awaits.
    kernels: () => (kernels ??= createKernels(core)),
    token: (env as { TIDEGATE_TOKEN?: string }).TIDEGATE_TOKEN,
    admin: {
      token: (env as { TIDEGATE_ADMIN_TOKEN?: string }).TIDEGATE_ADMIN_TOKEN,
      partition: (index) => classes().Partition.getByName(`partition-${index}`),
      bucket: (env as { TIDEGATE_BACKUPS?: Bucket }).TIDEGATE_BACKUPS,
    },
    now: () => Date.now(),
    uuid: () => crypto.randomUUID(),
  });
}
