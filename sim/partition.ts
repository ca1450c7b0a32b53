/** One partition in the simulator: the real machine and engine over a store of maps, with a disk that confirms late and a crash at any moment. */
import type { Kernels } from "../core-wasm/types.ts";
import { invariant } from "../protocol/assert.ts";
import { CoordinatorMachine } from "../protocol/coordinator/machine.ts";
import { Engine, type EngineHost, type HostEffect } from "../protocol/execution/engine.ts";
import { initialMap } from "../protocol/keygroups/map.ts";
import type { OutsideCall, OutsideEnd } from "../protocol/outside/work.ts";
import type { StorageOp, ViewReply } from "../protocol/partition/effects.ts";
import { PartitionMachine } from "../protocol/partition/machine.ts";
import type { AppDefinition } from "../sdk/index.ts";
import { MapStore } from "./map-store.ts";
import type { Random } from "./random.ts";

export type Reply = Uint8Array | ViewReply;

export interface SimSetup {
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly random: Random;
  /** An answer has left: everything persisted before it is durable. */
  left(ticket: number, reply: Reply): void;
  /** These operations are durable now, in this order over all incarnations. */
  durable(ops: readonly StorageOp[]): void;
}

export class SimPartition {
  readonly #setup: SimSetup;
  /** What survives a crash, whatever happens. */
  readonly #disk = new MapStore();
  /** What the machine reads: the disk and all that was persisted since. */
  #seen = new MapStore();
  /** Groups of operations that may or may not survive a crash, in order; each is atomic. */
  #unconfirmed: Array<readonly StorageOp[]> = [];
  #confirmed = 0;
  #held: Array<{ ticket: number; reply: Reply; after: number }> = [];
  /** Attempts of effects that are to run; each leaves like a reply. */
  #outside: Array<{ call: OutsideCall; after: number }> = [];
  #incarnation = 0;
  #engine: Engine | undefined;
  readonly #coordinator: CoordinatorMachine;
  #flushWanted = false;
  #foldWanted = false;
  /** Each is another, as chance would have it: by them shares know what memory is theirs. */
  #uuids = 0;
  /** Milliseconds since 1970. */
  clock = 1_800_000_000_000;
  /** Why it stopped, if it did. */
  failure: unknown;

  constructor(setup: SimSetup) {
    this.#setup = setup;
    this.#coordinator = new CoordinatorMachine({ kernels: setup.kernels, generation: 1, stored: {} });
    this.#coordinator.start(this.clock);
    this.#start();
  }

  #start(): void {
    this.#seen = this.#disk.copy();
    const { app, kernels } = this.#setup;
    const map = initialMap(1);
    const recovered = this.#seen.recovered();
    const machine = new PartitionMachine({
      app,
      kernels,
      reader: this.#seen,
      partition: 0,
      map,
      incarnation: ++this.#incarnation,
      nonce: crypto.randomUUID(),
      recovered,
    });
    this.#engine = new Engine(machine, this.#host(this.#incarnation));
    this.#engine.input({ kind: "start" });
  }

  get engine(): Engine {
    invariant(this.#engine !== undefined, "the partition has not started");
    return this.#engine;
  }

  invoke(ticket: number, frame: Uint8Array): void {
    this.engine.input({ kind: "invoke", ticket, frame });
  }

  ingest(ticket: number, frame: Uint8Array): void {
    this.engine.input({ kind: "ingest", ticket, frame });
  }

  /** What the shell could do next besides delivering requests. */
  moves(): Array<() => void> {
    const moves: Array<() => void> = [];
    if (this.#flushWanted) moves.push(() => this.#flush());
    if (this.#foldWanted) moves.push(() => this.#fold());
    if (this.#unconfirmed.length > 0)
      moves.push(() => this.#confirm(1 + this.#setup.random.int(this.#unconfirmed.length)));
    return moves;
  }

  #flush(): void {
    this.#flushWanted = false;
    this.engine.input({ kind: "flush" });
  }

  #fold(): void {
    this.#foldWanted = false;
    this.engine.input({ kind: "fold" });
  }

  #confirm(count: number): void {
    this.#write(count);
    const leaving = this.#held.filter(({ after }) => after <= this.#confirmed);
    this.#held = this.#held.filter(({ after }) => after > this.#confirmed);
    for (const { ticket, reply } of leaving) this.#setup.left(ticket, reply);
  }

  #write(count: number): void {
    for (const ops of this.#unconfirmed.splice(0, count)) {
      for (const op of ops) this.#disk.perform(op);
      this.#setup.durable(ops);
      this.#confirmed += 1;
    }
  }

  /** Attempts of effects that have left: everything persisted before them is durable. */
  takeOutside(): OutsideCall[] {
    const left = this.#outside.filter(({ after }) => after <= this.#confirmed);
    this.#outside = this.#outside.filter(({ after }) => after > this.#confirmed);
    return left.map(({ call }) => call);
  }

  outsideEnded(id: string, end: OutsideEnd): void {
    this.engine.input({ kind: "outside-ended", id, end });
  }

  /** So much time passes, and whatever waits for it is called. */
  pass(ms: number): void {
    this.clock += ms;
    this.engine.input({ kind: "wake" });
    this.engine.input({ kind: "alarm" });
  }

  /**
   * Memory is lost; any first part of what is unconfirmed has reached the disk. Answers that had not left never will.
   * @param kept how much of it has
   */
  crash(kept = this.#setup.random.int(this.#unconfirmed.length + 1)): void {
    this.#write(kept);
    this.#confirmed += this.#unconfirmed.length;
    this.#unconfirmed = [];
    this.#held = [];
    this.#outside = [];
    this.#flushWanted = false;
    this.#foldWanted = false;
    this.#start();
  }

  /** What surrounds one incarnation. Its functions may go on after a crash, as promises do here: what they ask for is lost. */
  #host(incarnation: number): EngineHost {
    const alive = () => incarnation === this.#incarnation;
    return {
      perform: (effect) => (alive() ? this.#perform(effect) : undefined),
      fatal: (error) => void (alive() ? (this.failure ??= error) : undefined),
      now: () => this.clock,
      random: () => this.#setup.random.next(),
      uuid: () => `00000000-0000-4000-8000-${(++this.#uuids).toString(16).padStart(12, "0")}`,
      enclose: (call) => call(),
    };
  }

  /** Its only partition never crosses to another: what the coordinator says arrives at once. */
  #sendToCoordinator(bytes: Uint8Array, batch: number, to: number): void {
    const effects = this.#coordinator.step({ kind: "deliver", ticket: 0, bytes }, this.clock);
    effects.push(...this.#coordinator.step({ kind: "dispatch" }, this.clock));
    this.engine.input({ kind: "sent", to, batch, incarnation: 1 });
    for (const effect of effects) {
      if (effect.kind !== "send") continue;
      this.engine.input({ kind: "deliver", ticket: 0, bytes: effect.bytes });
      const sent = { kind: "sent", to: effect.to, batch: effect.batch, incarnation: this.#incarnation } as const;
      const more = [
        ...this.#coordinator.step(sent, this.clock),
        ...this.#coordinator.step({ kind: "dispatch" }, this.clock),
      ];
      effects.push(...more);
    }
  }

  #perform(effect: HostEffect): void {
    switch (effect.kind) {
      case "want-dispatch":
        this.engine.input({ kind: "dispatch" });
        return;
      case "send":
        this.#sendToCoordinator(effect.bytes, effect.batch, effect.to);
        return;
      case "persist":
        for (const op of effect.ops) this.#seen.perform(op);
        this.#unconfirmed.push(effect.ops);
        return;
      case "reply":
        this.#reply(effect.ticket, effect.body);
        return;
      case "run-outside":
        this.#outside.push({ call: effect.call, after: this.#confirmed + this.#unconfirmed.length });
        return;
      case "want-flush":
        this.#flushWanted = true;
        return;
      case "want-fold":
        this.#foldWanted = true;
        return;
      case "report":
    }
  }

  #reply(ticket: number, reply: Reply): void {
    const after = this.#confirmed + this.#unconfirmed.length;
    if (after === this.#confirmed) this.#setup.left(ticket, reply);
    else this.#held.push({ ticket, reply, after });
  }
}
