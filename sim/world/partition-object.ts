/** A partition as an object: its storage outlives its instances. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { KeyGroupMap } from "../../protocol/keygroups/map.ts";
import type { StorageOp } from "../../protocol/partition/effects.ts";
import type { AppDefinition } from "../../sdk/index.ts";
import { MapStore } from "../map-store.ts";
import { SimObject } from "./object.ts";
import { type Answered, PartitionInstance, type RequestInput } from "./partition-instance.ts";
import type { World } from "./world.ts";

export interface PartitionParts {
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly map: KeyGroupMap;
}

export class PartitionObject extends SimObject<StorageOp> {
  readonly setup: PartitionParts;
  /** What survives a crash, whatever happens. */
  readonly disk = new MapStore();
  declare current: PartitionInstance | null;
  #alarms = 0;

  constructor(world: World, number: number, setup: PartitionParts) {
    super(world, number, `P${number}`);
    this.setup = setup;
  }

  protected override start(): PartitionInstance {
    return new PartitionInstance(this, Number(this.disk.meta.get("incarnation") ?? 0) + 1);
  }

  /** A client's request arrives. */
  routeRequest(frame: Uint8Array, answered: Answered): void {
    this.routeAsk((ticket) => ({ kind: "invoke", ticket, frame }), answered);
  }

  /** A client's request of any kind arrives. */
  routeAsk(request: RequestInput, answered: Answered): void {
    const { world } = this;
    world.trace.mix(8, this.number, world.scheduler.now);
    (this.route(true) as PartitionInstance | null)?.ask(request, answered);
  }

  /** Kept in storage: it starts the object should it be down then. A later one takes its place. */
  setAlarm(inMs: number): void {
    this.#ring(++this.#alarms, inMs);
  }

  #ring(number: number, inMs: number): void {
    const { scheduler } = this.world;
    scheduler.in(inMs, () => {
      if (number !== this.#alarms) return;
      if (scheduler.now < this.world.darkUntil) return this.#ring(number, this.world.darkUntil - scheduler.now);
      this.world.count("alarm of an object");
      (this.boot() as PartitionInstance).alarm();
    });
  }

  override durable(ops: readonly StorageOp[]): void {
    for (const op of ops) this.disk.perform(op);
    this.world.observer.durable?.(this, ops);
  }
}
