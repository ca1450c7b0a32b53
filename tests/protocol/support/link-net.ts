/** Instances of peers that talk over links, and a network between them that loses, repeats, reorders and delays, all by seed. */
import { createReferenceKernels } from "../../../core-wasm/reference/kernels.ts";
import type { LinkEffect } from "../../../protocol/link/effects.ts";
import { Links } from "../../../protocol/link/links.ts";
import type { LinkOwner } from "../../../protocol/link/owner.ts";
import type { Epoch, Peer, PeerMessage } from "../../../protocol/wire/messages.ts";
import { createRandom, type Random } from "../../../sim/random.ts";

const kernels = createReferenceKernels();

export interface Heard {
  readonly from: Peer;
  /** Incarnation of the sender. */
  readonly incarnation: number;
  readonly payload: number;
}

/** One incarnation of a peer. Its messages are numbers, counted per receiver. */
export class Instance implements LinkOwner {
  readonly links: Links;
  readonly peer: Peer;
  readonly incarnation: number;
  readonly heard: Heard[] = [];
  readonly restarts: Array<readonly [peer: Peer, incarnation: number, previous: number]> = [];
  /** By receiver: number of the first message of the present channel, and of the last one sent. */
  readonly sent = new Map<Peer, { first: number; last: number }>();
  era: Epoch = 0;
  effects: LinkEffect[] = [];

  constructor(peer: Peer, incarnation: number) {
    this.peer = peer;
    this.incarnation = incarnation;
    this.links = new Links(peer, incarnation, kernels, this);
  }

  say(to: Peer): void {
    const sent = this.sent.get(to) ?? { first: 1, last: 0 };
    this.sent.set(to, sent);
    this.links.send(to, { kind: "want", epoch: ++sent.last }, this.era);
  }
  emit(effect: LinkEffect): void {
    this.effects.push(effect);
  }
  ready(_from: Peer, _message: PeerMessage, era: Epoch): boolean {
    return era <= this.era;
  }
  receive(from: Peer, message: PeerMessage): void {
    if (message.kind !== "want") return;
    this.heard.push({ from, incarnation: this.links.incarnationOf(from), payload: message.epoch });
  }
  peerRestarted(peer: Peer, incarnation: number, previous: number): void {
    this.restarts.push([peer, incarnation, previous]);
    const sent = this.sent.get(peer);
    if (sent !== undefined) sent.first = sent.last + 1;
  }
}

interface Pending {
  readonly at: number;
  readonly run: () => void;
}

export class Net {
  readonly random: Random;
  readonly current = new Map<Peer, Instance>();
  readonly all: Instance[] = [];
  /** Replaced instances that do not know it yet. */
  zombies: Instance[] = [];
  faulty = true;
  now = 0;
  #pending: Pending[] = [];
  #tickets = 0;
  readonly #replies = new Map<number, (incarnation: number) => void>();

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  start(peer: Peer): Instance {
    const old = this.current.get(peer);
    if (old !== undefined && this.random.oneIn(2)) this.zombies.push(old);
    const made = new Instance(peer, (old?.incarnation ?? 0) + 1);
    this.current.set(peer, made);
    this.all.push(made);
    return made;
  }

  alive(instance: Instance): boolean {
    return this.current.get(instance.peer) === instance || this.zombies.includes(instance);
  }

  /** Carries out what an instance wants. */
  pump(instance: Instance): void {
    for (const effect of instance.effects.splice(0)) {
      if (effect.kind === "send") this.#carry(instance, effect.to, effect.batch, effect.bytes);
      else if (effect.kind === "delivered") this.#replies.get(effect.ticket)?.(effect.incarnation);
      else if (effect.kind === "want-dispatch") this.#later(2, instance, () => instance.links.dispatch(this.now));
    }
  }

  /** One step of time: runs what is due. */
  step(ms: number): void {
    this.now += ms;
    const due = this.#pending.filter(({ at }) => at <= this.now);
    this.#pending = this.#pending.filter(({ at }) => at > this.now);
    for (const { run } of due) run();
    for (const instance of this.all) {
      if (!this.alive(instance)) continue;
      instance.links.tick(this.now);
      this.pump(instance);
    }
  }

  #carry(from: Instance, to: Peer, batch: number, bytes: Uint8Array): void {
    const told = (incarnation: number | null) =>
      this.#later(30, from, () => from.links.sent(to, batch, incarnation, this.now));
    const chance = this.faulty ? this.random.int(10) : 9;
    if (chance === 0) return this.random.oneIn(2) ? told(null) : undefined;
    this.#arrive(to, bytes, chance === 1 ? () => told(null) : told, () => told(null));
    if (chance === 2) this.#arrive(to, bytes, told, () => {});
  }

  #arrive(to: Peer, bytes: Uint8Array, answered: (incarnation: number) => void, failed: () => void): void {
    const zombies = this.zombies.filter(({ peer }) => peer === to);
    const target = zombies.length > 0 && this.random.oneIn(3) ? this.random.pick(zombies) : this.current.get(to);
    if (target === undefined) return failed();
    this.#later(40, target, () => {
      const ticket = ++this.#tickets;
      this.#replies.set(ticket, answered);
      if (target.links.deliver(ticket, bytes) !== "answered") failed();
    });
  }

  #later(most: number, instance: Instance, act: () => void): void {
    const run = () => {
      if (!this.alive(instance)) return;
      act();
      this.pump(instance);
    };
    this.#pending.push({ at: this.now + this.random.int(most), run });
  }
}
