/** `tidegate/durable`: the classes of Durable Objects by themselves. They may change with minor versions. */
export { coordinatorClass } from "./coordinator.ts";
export type { CoordinatorRpc } from "./coordinator.ts";
export { partitionClass } from "./partition.ts";
export type { PartitionRpc } from "./partition.ts";
