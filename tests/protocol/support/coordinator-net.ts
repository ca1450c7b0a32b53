/** A coordinator's machine and partitions that do only what a test says, over real links and a network without faults. */
import { createReferenceKernels } from "../../../core-wasm/reference/kernels.ts";
import type { CoordinatorEffect } from "../../../protocol/coordinator/effects.ts";
import { CoordinatorMachine } from "../../../protocol/coordinator/machine.ts";
import type { LinkEffect } from "../../../protocol/link/effects.ts";
import { Links } from "../../../protocol/link/links.ts";
import type { LinkOwner } from "../../../protocol/link/owner.ts";
import type { PeerFormat } from "../../../protocol/wire/codec.ts";
import {
  COORDINATOR,
  type Epoch,
  type OrderMessage,
  type Peer,
  type PeerMessage,
  type ReportMessage,
} from "../../../protocol/wire/messages.ts";

const kernels = createReferenceKernels();

export class Stub implements LinkOwner {
  readonly peer: Peer;
  readonly incarnation: number;
  readonly links: Links;
  effects: LinkEffect[] = [];
  /** What it was told since it was last asked. */
  #orders: OrderMessage[] = [];
  era: Epoch = 0;

  constructor(peer: Peer, incarnation: number, generation: number) {
    this.peer = peer;
    this.incarnation = incarnation;
    this.links = new Links(peer, incarnation, kernels, this);
    this.links.seedIncarnation(COORDINATOR, generation);
  }
  orders(): OrderMessage[] {
    return this.#orders.splice(0);
  }
  emit(effect: LinkEffect): void {
    this.effects.push(effect);
  }
  ready(): boolean {
    return true;
  }
  receive(_from: Peer, message: PeerMessage): void {
    if (message.kind === "era") this.era = message.base;
    this.#orders.push(message as OrderMessage);
  }
  peerRestarted(): void {}
}

export class Domain {
  machine!: CoordinatorMachine;
  generation = 0;
  now = 1_000;
  readonly stored: { registered?: string; aborted?: string } = {};
  readonly stubs = new Map<Peer, Stub>();
  /** Names persisted, and peers sent to, in order. */
  log: string[] = [];
  wakes = 0;
  /** It has asked to be replaced by its next generation. */
  startsOver = false;
  readonly #reads: PeerFormat;
  #tickets = 0;
  #answers = new Map<number, number>();

  /** @param reads the highest version of batches that partitions say they read */
  constructor(reads: PeerFormat = 1) {
    this.#reads = reads;
    this.restartCoordinator();
  }

  /** Returns the machine that is replaced. */
  restartCoordinator(): CoordinatorMachine {
    const replaced = this.machine;
    this.machine = new CoordinatorMachine({ kernels, generation: ++this.generation, stored: this.stored });
    this.#carryOut(this.machine.start(this.now));
    return replaced;
  }

  /** Starts a partition, again or for the first time; it says hello. */
  restart(peer: Peer, recorded: Epoch = 0, reads = this.#reads): Stub {
    const stub = new Stub(peer, (this.stubs.get(peer)?.incarnation ?? 0) + 1, this.generation);
    this.stubs.set(peer, stub);
    this.say(peer, { kind: "hello", reads, recorded });
    return stub;
  }

  say(peer: Peer, message: ReportMessage, era = this.stub(peer).era): void {
    const stub = this.stub(peer);
    stub.links.send(COORDINATOR, message, era);
    this.#pump(stub);
  }

  stub(peer: Peer): Stub {
    return this.stubs.get(peer)!;
  }

  orders(peer: Peer): OrderMessage[] {
    return this.stub(peer).orders();
  }

  wake(afterMs: number): void {
    this.now += afterMs;
    this.#carryOut(this.machine.step({ kind: "wake" }, this.now));
  }

  #pump(stub: Stub): void {
    for (let effect = stub.effects.shift(); effect !== undefined; effect = stub.effects.shift()) {
      if (effect.kind === "want-dispatch") stub.links.dispatch(this.now);
      if (effect.kind !== "send") continue;
      const ticket = ++this.#tickets;
      this.#carryOut(this.machine.step({ kind: "deliver", ticket, bytes: effect.bytes }, this.now));
      stub.links.sent(COORDINATOR, effect.batch, this.#answers.get(ticket) ?? null, this.now);
    }
  }

  #carryOut(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "persist") this.#persist(effect.ops);
      else if (effect.kind === "delivered") this.#answers.set(effect.ticket, effect.incarnation);
      else if (effect.kind === "wake") this.wakes++;
      else if (effect.kind === "start-over") this.startsOver = true;
      else if (effect.kind === "want-dispatch") this.#carryOut(this.machine.step({ kind: "dispatch" }, this.now));
      else if (effect.kind === "send") this.#bring(effect.to, effect.batch, effect.bytes);
    }
  }

  #persist(ops: ReadonlyArray<{ readonly name: string; readonly value: string }>): void {
    for (const { name, value } of ops) {
      this.log.push(name);
      Object.assign(this.stored, { [name]: value });
    }
  }

  #bring(to: Peer, batch: number, bytes: Uint8Array): void {
    this.log.push(`to ${to}`);
    const stub = this.stub(to);
    const answered = stub.links.deliver(1, bytes) === "answered";
    const incarnation = answered ? stub.incarnation : null;
    this.#carryOut(this.machine.step({ kind: "sent", to, batch, incarnation }, this.now));
  }
}
