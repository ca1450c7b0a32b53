/** Partitions and a coordinator in one process, with a network and a storage that take no time: what is left is the protocol's own CPU time. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { CoordinatorEffect } from "../../protocol/coordinator/effects.ts";
import { CoordinatorMachine } from "../../protocol/coordinator/machine.ts";
import { Engine, type EngineHost, type HostEffect } from "../../protocol/execution/engine.ts";
import { initialMap } from "../../protocol/keygroups/map.ts";
import { PartitionMachine } from "../../protocol/partition/machine.ts";
import { COORDINATOR, type Peer } from "../../protocol/wire/messages.ts";
import type { AppDefinition } from "../../sdk/index.ts";
import { MapStore } from "../../sim/map-store.ts";

interface Batch {
  readonly from: Peer;
  readonly to: Peer;
  readonly batch: number;
  readonly bytes: Uint8Array;
}

/** What happened in all. */
export interface Counts {
  batches: number;
  bytes: number;
  records: number;
  recordBytes: number;
  turns: number;
}

/** Keeps no records: nothing here ever starts again. */
class ForgetfulStore extends MapStore {
  override perform(op: Parameters<MapStore["perform"]>[0]): void {
    if (!/record|recent|result/.test(op.op)) super.perform(op);
  }
}

type CallBack = "flush" | "dispatch" | "fold" | "wake";

interface Node {
  readonly wants: Set<CallBack>;
  input(input: { kind: CallBack } | { kind: "deliver"; ticket: number; bytes: Uint8Array } | SentInput): void;
}
interface SentInput {
  readonly kind: "sent";
  readonly to: Peer;
  readonly batch: number;
  readonly incarnation: number;
}

export class EngineWorld {
  readonly counts: Counts = { batches: 0, bytes: 0, records: 0, recordBytes: 0, turns: 0 };
  readonly #kernels: Kernels;
  readonly #nodes = new Map<Peer, Node>();
  readonly #engines: Engine[] = [];
  readonly #answer: (bytes: Uint8Array) => void;
  #net: Batch[] = [];
  #tickets = 0;
  /** When the coordinator wants to be woken; ms. */
  #wakeAt = Infinity;

  /** @param answer is called with the answers to a frame */
  constructor(kernels: Kernels, app: AppDefinition, answer: (bytes: Uint8Array) => void) {
    this.#kernels = kernels;
    this.#answer = answer;
    this.#startCoordinator();
    for (let peer = 0; peer < app.partitions; peer++) this.#startPartition(app, peer);
  }

  invoke(partition: Peer, frame: Uint8Array): void {
    (this.#engines[partition] as Engine).input({ kind: "invoke", ticket: ++this.#tickets, frame });
  }

  /** One step of the event loop: everything under way arrives, functions run, and what they lead to is written and sent. */
  async turn(): Promise<void> {
    this.counts.turns += 1;
    const net = this.#net;
    this.#net = [];
    for (const { from, to, batch, bytes } of net) {
      this.#nodes.get(to)?.input({ kind: "deliver", ticket: 0, bytes });
      this.#nodes.get(from)?.input({ kind: "sent", to, batch, incarnation: 1 });
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (Date.now() >= this.#wakeAt) {
      this.#wakeAt = Infinity;
      this.#nodes.get(COORDINATOR)?.input({ kind: "wake" });
    }
    for (const kind of ["flush", "dispatch", "fold"] as const) {
      for (const node of this.#nodes.values()) if (node.wants.delete(kind)) node.input({ kind });
    }
  }

  #send(from: Peer, { to, batch, bytes }: { to: Peer; batch: number; bytes: Uint8Array }): void {
    this.counts.batches += 1;
    this.counts.bytes += bytes.length;
    this.#net.push({ from, to, batch, bytes });
  }

  #startCoordinator(): void {
    const machine = new CoordinatorMachine({ kernels: this.#kernels, generation: 1, stored: {} });
    const wants = new Set<CallBack>();
    const perform = (effects: readonly CoordinatorEffect[]): void => {
      for (const effect of effects) {
        if (effect.kind === "send") this.#send(COORDINATOR, effect);
        else if (effect.kind === "want-dispatch") wants.add("dispatch");
        else if (effect.kind === "wake") this.#wakeAt = Math.min(this.#wakeAt, Date.now() + effect.inMs);
      }
    };
    perform(machine.start(Date.now()));
    this.#nodes.set(COORDINATOR, {
      wants,
      input: (input) => perform(machine.step(input as Parameters<CoordinatorMachine["step"]>[0], Date.now())),
    });
  }

  #startPartition(app: AppDefinition, peer: Peer): void {
    const store = new ForgetfulStore();
    const wants = new Set<CallBack>();
    const perform = (effect: HostEffect): void => {
      switch (effect.kind) {
        case "persist":
          for (const op of effect.ops) {
            if (op.op === "record") {
              this.counts.records += 1;
              this.counts.recordBytes += op.bytes.length;
            }
            store.perform(op);
          }
          return;
        case "reply":
          return this.#answer(effect.body as Uint8Array);
        case "send":
          return this.#send(peer, effect);
        case "want-flush":
          return void wants.add("flush");
        case "want-dispatch":
          return void wants.add("dispatch");
        case "want-fold":
          return void wants.add("fold");
        default:
      }
    };
    const host: EngineHost = {
      perform,
      fatal: (error) => {
        throw error;
      },
      now: () => Date.now(),
      random: () => Math.random(),
      uuid: () => crypto.randomUUID(),
      enclose: (call) => call(),
    };
    const machine = new PartitionMachine({
      app,
      kernels: this.#kernels,
      reader: store,
      partition: peer,
      map: initialMap(app.partitions),
      incarnation: 1,
      nonce: crypto.randomUUID(),
      recovered: store.recovered(),
    });
    const engine = new Engine(machine, host);
    this.#engines.push(engine);
    this.#nodes.set(peer, { wants, input: (input) => engine.input(input) });
    engine.input({ kind: "start" });
  }
}
