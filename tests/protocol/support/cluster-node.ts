/** One partition of a cluster: the real machine and engine over a store of maps that confirms at once. Everything it asks for is performed in order. */
import { Engine, type EngineHost, type HostEffect } from "../../../protocol/execution/engine.ts";
import { markedRecords } from "../../../protocol/epochs/prepared-mark.ts";
import { initialMap } from "../../../protocol/keygroups/map.ts";
import type { LinkInput } from "../../../protocol/link/effects.ts";
import { DamagedMachine } from "../../../protocol/partition/damaged.ts";
import type { StorageOp } from "../../../protocol/partition/effects.ts";
import { PartitionMachine } from "../../../protocol/partition/machine.ts";
import type { PartitionStatus } from "../../../protocol/partition/setup.ts";
import type { Peer } from "../../../protocol/wire/messages.ts";
import type { AppDefinition } from "../../../sdk/index.ts";
import type { MapStore } from "../../../sim/map-store.ts";
import type { Reply } from "../../../sim/partition.ts";
import { kernels } from "./lone-partition.ts";

export interface NodeHost {
  readonly app: AppDefinition;
  now(): number;
  sends(from: Instance, to: Peer, batch: number, bytes: Uint8Array): void;
  replied(ticket: number, reply: Reply): void;
  persisted(peer: Peer, ops: readonly StorageOp[]): void;
  failed(error: unknown, peer: Peer): void;
  /** The coordinator asked to be replaced by its next generation. */
  startsOver(): void;
}

/** What the network delivers to, and what is called back. */
export interface Instance {
  readonly peer: Peer;
  readonly incarnation: number;
  alive: boolean;
  /** Asked for and not done. */
  readonly wants: Set<"flush" | "dispatch" | "work" | "fold" | "wake">;
  /** Batches that it has acknowledged, by ticket. */
  readonly acknowledged: Map<number, number>;
  input(input: LinkInput): void;
  callBack(kind: "flush" | "dispatch" | "work" | "fold" | "wake"): void;
}

abstract class Base implements Instance {
  readonly peer: Peer;
  readonly incarnation: number;
  readonly host: NodeHost;
  readonly store: MapStore;
  alive = true;
  readonly wants = new Set<"flush" | "dispatch" | "work" | "fold" | "wake">();
  readonly acknowledged = new Map<number, number>();

  constructor(peer: Peer, store: MapStore, host: NodeHost) {
    this.peer = peer;
    this.host = host;
    this.store = store;
    this.incarnation = Number(store.meta.get("incarnation") ?? 0) + 1;
    store.meta.set("incarnation", String(this.incarnation));
  }

  abstract input(input: LinkInput): void;
  abstract callBack(kind: "flush" | "dispatch" | "work" | "fold" | "wake"): void;

  protected perform(effect: HostEffect): void {
    if (!this.alive) return;
    switch (effect.kind) {
      case "persist":
        for (const op of effect.ops) this.store.perform(op);
        return this.host.persisted(this.peer, effect.ops);
      case "reply":
        return this.host.replied(effect.ticket, effect.body);
      case "send":
        return this.host.sends(this, effect.to, effect.batch, effect.bytes);
      case "delivered":
        this.acknowledged.set(effect.ticket, effect.incarnation);
        return;
      case "want-flush":
        return void this.wants.add("flush");
      case "want-fold":
        return void this.wants.add("fold");
      case "want-dispatch":
        return void this.wants.add("dispatch");
      case "want-work":
        return void this.wants.add("work");
      case "wake":
        return void this.wants.add("wake");
      case "undelivered":
      case "report":
    }
  }
}

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");

export class PartitionNode extends Base {
  readonly engine: Engine;
  #uuids = 0;

  constructor(peer: Peer, partitions: number, store: MapStore, host: NodeHost) {
    super(peer, store, host);
    const machine = new PartitionMachine({
      app: host.app,
      kernels,
      reader: store,
      partition: peer,
      map: initialMap(partitions),
      incarnation: this.incarnation,
      nonce: `${peer}.${this.incarnation}`,
      recovered: store.recovered(),
    });
    this.engine = new Engine(machine, this.#engineHost());
    this.engine.input({ kind: "start" });
  }

  get status(): PartitionStatus {
    return this.engine.machine.status;
  }

  input(input: LinkInput): void {
    if (this.alive) this.engine.input(input);
  }

  callBack(kind: "flush" | "dispatch" | "work" | "fold" | "wake"): void {
    if (this.alive && this.wants.delete(kind)) this.engine.input({ kind });
  }

  #engineHost(): EngineHost {
    return {
      perform: (effect) => this.perform(effect),
      fatal: (error) => (this.alive ? this.host.failed(error, this.peer) : undefined),
      now: () => this.host.now(),
      random: () => 0.5,
      // No two are the same: what flows have in memory is known by them.
      uuid: () => `${hex(this.peer, 8)}-0000-4000-8000-${hex(this.incarnation, 4)}${hex(++this.#uuids, 8)}`,
      enclose: (call) => call(),
    };
  }
}

/** The same with storage that cannot be read. */
export class DamagedNode extends Base {
  readonly #machine: DamagedMachine;

  constructor(peer: Peer, store: MapStore, host: NodeHost) {
    super(peer, store, host);
    this.#machine = new DamagedMachine({
      kernels,
      partition: peer,
      incarnation: this.incarnation,
      generation: Number(store.meta.get("generation") ?? 0),
      decided: Number(store.meta.get("decided") ?? 0),
      records: markedRecords(store.mark, peer),
    });
    for (const effect of this.#machine.start()) this.perform(effect);
  }

  input(input: LinkInput): void {
    if (!this.alive) return;
    for (const effect of this.#machine.step(input, this.host.now())) this.perform(effect);
  }

  callBack(kind: "flush" | "dispatch" | "work" | "fold" | "wake"): void {
    if (this.wants.delete(kind) && (kind === "dispatch" || kind === "wake")) this.input({ kind });
  }
}
