/** The coordinator of a cluster: the real machine over what it has stored, which confirms at once. */
import type { CoordinatorEffect } from "../../../protocol/coordinator/effects.ts";
import { ClockSetBack } from "../../../protocol/clock.ts";
import type { PeerFormat } from "../../../protocol/wire/codec.ts";
import { CoordinatorMachine } from "../../../protocol/coordinator/machine.ts";
import type { LinkInput } from "../../../protocol/link/effects.ts";
import { COORDINATOR, type Peer } from "../../../protocol/wire/messages.ts";
import type { Instance, NodeHost } from "./cluster-node.ts";
import { kernels } from "./lone-partition.ts";

export type CoordinatorStored = Partial<
  Record<"registered" | "aborted" | "committed" | "map" | "next" | "wanted" | "configured", string>
>;

export class CoordinatorNode implements Instance {
  readonly peer: Peer = COORDINATOR;
  readonly incarnation: number;
  readonly machine: CoordinatorMachine;
  readonly #host: NodeHost;
  readonly #stored: CoordinatorStored;
  alive = true;
  readonly wants = new Set<"flush" | "dispatch" | "work" | "fold" | "wake">();
  readonly acknowledged = new Map<number, number>();

  /**
   * @param partitions that the map has at first; without it there is no map
   * @param reads the highest version of batches, where it is not the newest
   */
  constructor(generation: number, stored: CoordinatorStored, host: NodeHost, partitions?: number, reads?: PeerFormat) {
    this.incarnation = generation;
    this.#host = host;
    this.#stored = stored;
    this.machine = new CoordinatorMachine({ kernels, generation, stored, partitions, reads });
    this.#perform(this.machine.start(host.now()));
  }

  /** There are to be so many partitions. */
  rescale(partitions: number): void {
    this.#perform(this.machine.rescale(partitions, this.#host.now()));
  }

  input(input: LinkInput): void {
    if (!this.alive) return;
    try {
      this.#perform(this.machine.step(input, this.#host.now()));
    } catch (error) {
      if (!(error instanceof ClockSetBack)) throw error;
      this.#host.startsOver();
    }
  }

  callBack(kind: "flush" | "dispatch" | "work" | "fold" | "wake"): void {
    if (this.wants.delete(kind) && (kind === "dispatch" || kind === "wake")) this.input({ kind });
  }

  #perform(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "persist") {
        for (const { name, value } of effect.ops) Object.assign(this.#stored, { [name]: value });
      } else if (effect.kind === "send") this.#host.sends(this, effect.to, effect.batch, effect.bytes);
      else if (effect.kind === "delivered") this.acknowledged.set(effect.ticket, effect.incarnation);
      else if (effect.kind === "want-dispatch") this.wants.add("dispatch");
      else if (effect.kind === "wake") this.wants.add("wake");
      else if (effect.kind === "start-over") this.#host.startsOver();
    }
  }
}
