/** One instance of an object, from its start until it is gone: takes inputs in turns, and what it asks for passes its gate. */
import { Carrier, type Receipt } from "../../protocol/link/carrier.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { decodeBatch, formatOf, NEWEST_FORMAT, type PeerFormat, SOLE_FORMAT } from "../../protocol/wire/codec.ts";
import { COORDINATOR } from "../../protocol/wire/messages.ts";
import type { Random } from "../random.ts";
import { Gate } from "./gate.ts";
import { type CrashManner, EPOCH_MS, type SimObject } from "./object.ts";
import type { Rpc } from "./rpc.ts";
import type { World } from "./world.ts";

/** Thrown at an instance that touches storage after it was replaced. */
export class Fenced extends Error {
  override readonly name = "Fenced";
}

/** An answer to a batch. */
interface Answer {
  readonly rpc: Rpc;
  readonly incarnation: number;
  left: boolean;
}

/** What a sole member and its participants say to each other, and it to the coordinator. */
const SOLE_KINDS: ReadonlySet<string> = new Set(["prepare", "prepared", "refuse", "decide", "decided"]);

/** How long nothing gets through: what is sent at once, when it is durable, is lost. */
const NAMESAKE_MS = 15;

export abstract class Instance<Op = unknown> {
  readonly world: World;
  readonly object: SimObject<Op>;
  /** Of a partition its incarnation, of the coordinator its generation. */
  readonly incarnation: number;
  /** A zombie was replaced and does not know it. */
  state: "live" | "zombie" | "dead" = "live";
  /** No client reaches it, should it be a zombie. */
  peersOnly = false;
  /** User functions that were called and have not returned: their promises must settle before the turn ends. */
  functions = 0;
  called = false;
  readonly gate: Gate<Op>;
  /** The highest version of batches that its code reads. */
  readonly reads: PeerFormat;
  protected readonly random: Random;
  /** Received and not acknowledged, by ticket. */
  readonly #tickets = new Map<number, Rpc>();
  readonly #carrier: Carrier<Answer>;
  /** Whether its code takes answers that carry something, and gives such. */
  readonly #carries: boolean;
  /** What is answered in this turn: which answers wait is known when it ends. */
  #answers: Answer[] = [];
  #nextTicket = 1;
  #persistedBefore = 0;
  #inTurn = false;
  /** It crashes at the end of this turn, of which nothing more happens. */
  #doom: CrashManner | null = null;
  /** This turn has had an effect. */
  #performed = false;
  /** Something that it asked for after that did not happen. */
  #dropped = false;
  /** When the wakes are due that it has asked for and that have not come; simulated ms. */
  readonly #wakes: number[] = [];
  /** This turn follows from a wake that came once before. */
  #wokenAgain = false;

  constructor(world: World, object: SimObject<Op>, incarnation: number) {
    this.world = world;
    this.object = object;
    this.incarnation = incarnation;
    this.random = object.random;
    this.reads = world.readsOf(object.number);
    this.gate = new Gate<Op>(world.profile.atomicity);
    this.#carries = world.profile.carries && this.reads === NEWEST_FORMAT;
    this.#carrier = new Carrier(object.number, () => world.scheduler.now);
  }

  /** The machine takes a batch of a peer, a word on a batch that it sent, or a call back. */
  protected abstract deliver(ticket: number, bytes: Uint8Array): void;
  protected abstract sent(batch: Pick<Rpc, "to" | "batch">, incarnation: number | null): void;
  protected abstract calledBack(kind: CallBack): void;
  /** What it is doing, in a word: for coverage. */
  abstract get phase(): string;
  /** Makes ops visible to this instance's own reads. */
  protected abstract see(ops: readonly Op[]): void;

  get name(): string {
    return `${this.object.name}.${this.incarnation}${this.state === "zombie" ? "z" : ""}`;
  }

  /** Everything in `act` belongs to one turn, and so does what user functions do once it has returned. */
  turn(act: () => void): void {
    if (this.state === "dead") return;
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.#persistedBefore = this.gate.persisted;
      this.world.inTurn(this);
    }
    act();
  }

  /** All promises have settled. */
  endTurn(): void {
    this.#inTurn = false;
    this.#wokenAgain = false;
    this.called = false;
    if (!this.#doom) for (const answer of this.#answers.splice(0)) if (!this.#holds(answer)) this.#leave(answer);
    if (this.#doom) {
      // A machine whose effects were not performed cannot live on: it would speak of what it never wrote.
      const manner = this.#dropped ? { ...this.#doom, zombie: false } : this.#doom;
      this.#doom = null;
      if (this.state === "live") this.object.crash(manner);
      else this.die();
      return;
    }
    const group = this.gate.endTurn(this.#persistedBefore);
    if (this.#crashesHere()) return;
    if (group > 0) this.#confirmLater(group);
  }

  /** Whether it crashes when its turn is complete. */
  #crashesHere(): boolean {
    const performed = this.#performed;
    this.#performed = false;
    if (!performed || this.state !== "live" || this.object.current !== this) return false;
    const manner = this.world.observer.turnEnds?.(this);
    return manner !== undefined && this.object.crash(manner);
  }

  #confirmLater(group: number): void {
    const { world } = this;
    world.scheduler.in(world.confirmMs(this.object.number, this.random), () => {
      if (this.state !== "live" || this.object.current !== this) return;
      world.trace.mix(1, this.object.number, world.scheduler.now);
      this.gate.confirm(group, (ops) => this.object.durable(ops));
      world.observer.confirmed?.(this);
    });
  }

  /** The platform lets calls fail that an instance which ends has not answered, if it says anything. */
  die(): void {
    if (this.state === "dead") return;
    this.state = "dead";
    const { network, profile } = this.world;
    for (const { rpc } of [...this.#carrier.dispatched(), ...this.#answers.splice(0)])
      if (this.random.next() < profile.tellLoss) network.fail(rpc);
  }

  /** Answers and receipts that have not left. */
  get carrying(): number {
    return this.#carrier.waiting;
  }

  /** Crashes it where it is: nothing that it asks for from here on happens. */
  doom(manner: CrashManner): void {
    if (this.#inTurn) this.#doom ??= manner;
    else this.world.scheduler.in(0, () => void (this.state === "live" && this.object.crash(manner)));
  }

  /** Whether an effect is still performed. Each is a boundary at which it may crash. */
  protected performs(effect: string): boolean {
    if (this.state === "dead") return false;
    if (!this.#doom) this.#doom = this.world.observer.boundary?.(this, effect) ?? null;
    if (this.#doom) this.#dropped = true;
    else this.#performed = true;
    return this.#doom === null;
  }

  protected persist(ops: readonly Op[]): void {
    if (this.state === "zombie") {
      this.world.count("replaced instance fenced at a write");
      this.die();
      return;
    }
    this.world.trace.say(this.world.scheduler.now, () => `${this.name} persists ${ops.map(describeOp).join(", ")}`);
    this.see(ops);
    this.gate.persist(ops);
    this.world.observer.persisted?.(this, ops);
  }

  protected sends(to: number, batch: number, bytes: Uint8Array): void {
    const { network } = this.world;
    const plain: Rpc = { from: this, to, batch, bytes, kinds: this.world.kindsOf(bytes), settled: false };
    const answer = this.#carrier.carry(to, batch);
    const rpc: Rpc = answer
      ? { ...plain, carried: true }
      : { ...plain, ...(this.#carries ? { beside: this.#carrier.beside(to) } : {}) };
    if (answer) this.#once(answer);
    this.#loseNamesake(to, batch);
    this.gate.leave(() => {
      this.world.observer.sent?.(rpc);
      if (answer) network.reply(answer.rpc, this.object.number, answer.incarnation, rpc);
      else network.send(rpc);
    });
  }

  /** Half of the batches that have the number of one of which a receipt is still to come are lost: it must not count for them. */
  #loseNamesake(to: number, batch: number): void {
    const { world, object } = this;
    if (world.calm || !object.unheard.isOf(to, batch, this.incarnation) || this.random.oneIn(2)) return;
    world.count("lost with the number of an older batch");
    world.network.cutOneWay(object.number, to, world.scheduler.now + NAMESAKE_MS);
  }

  protected delivered(ticket: number, incarnation: number): void {
    const rpc = this.#tickets.get(ticket);
    if (!rpc) return;
    this.#tickets.delete(ticket);
    if (rpc.carried) return this.#brought(rpc, incarnation);
    this.#carrier.answering(incarnation);
    this.#answers.push({ rpc, incarnation, left: false });
  }

  #holds(answer: Answer): boolean {
    const { beside } = answer.rpc;
    return this.#carries && beside !== undefined && this.#carrier.hold(beside.from, answer);
  }

  #once(answer: Answer): void {
    if (answer.left) this.world.fail(`${this.name} answers a batch of ${answer.rpc.from.name} twice`);
    answer.left = true;
  }

  #leave(answer: Answer): void {
    if (this.state === "dead") return;
    // Nothing more of its turn happens.
    if (this.#doom) return void this.#answers.push(answer);
    this.#once(answer);
    const { rpc, incarnation } = answer;
    this.gate.leave(() => this.world.network.reply(rpc, this.object.number, incarnation));
  }

  /** A batch that came with an answer is received, or is not. */
  #brought({ from, batch }: Rpc, receiver: number | null): void {
    this.world.network.carried += 1;
    const receipt: Receipt = [batch, receiver, from.incarnation];
    from.object.unheard.carried(this.object.number, receipt);
    if (!this.#carrier.brought(from.object.number, receipt)) return;
    this.world.scheduler.in(LIMITS.receiptMs, () => {
      if (this.state === "dead") return;
      for (const to of this.#carrier.receiptsDue()) {
        const bare = { from: this, to, batch: 0, bytes: NOTHING, kinds: [], settled: true };
        const rpc = { ...bare, beside: this.#carrier.beside(to) };
        this.gate.leave(() => this.world.network.send(rpc));
      }
    });
  }

  protected callBack(kind: CallBack, inMs?: number): void {
    const { world } = this;
    const delay = inMs === undefined ? world.profile.soonMs(this.random) : inMs;
    if (kind === "dispatch") this.#carrier.dispatchWanted();
    if (kind !== "wake") {
      world.scheduler.in(delay, () => this.#calledBack(kind));
      return;
    }
    this.#wakeIn(delay);
    if (world.calm || this.random.next() >= world.profile.wakeTwice) return;
    world.count("alarm twice");
    world.scheduler.in(delay + this.random.next() * 200, () => this.#wake(() => (this.#wokenAgain = true)));
  }

  /**
   * A machine that was woken once more than it asked for asks for one wake more than it needs, and again in each that comes of that: the fault would
   * grow without bound, so that what only follows from it is left out.
   */
  #wakeIn(delay: number): void {
    const { scheduler } = this.world;
    const at = scheduler.now + delay;
    if (this.#wokenAgain && this.#wakes.some((other) => other <= at)) return;
    this.#wakes.push(at);
    scheduler.in(delay, () => this.#wake(() => this.#wakes.splice(this.#wakes.indexOf(at), 1)));
  }

  /** @param comes when it is not late */
  #wake(comes: () => void): void {
    if (this.state === "dead") return;
    const { world } = this;
    if (!world.calm && this.random.next() < world.profile.wakeLate) {
      world.count("alarm late");
      world.scheduler.in(this.random.next() * 1000, () => this.#wake(comes));
      return;
    }
    comes();
    this.#calledBack("wake");
  }

  #calledBack(kind: CallBack): void {
    if (this.state === "dead") return;
    const { world } = this;
    world.trace.mix(2, this.object.number, world.scheduler.now);
    this.turn(() => {
      if (kind === "dispatch") this.#carrier.dispatching();
      this.calledBack(kind);
      if (kind === "dispatch") for (const answer of this.#carrier.dispatched()) this.#leave(answer);
    });
  }

  /** Tickets of batches and of requests from outside are numbered together. */
  protected nextTicket(): number {
    return this.#nextTicket++;
  }

  /** A batch arrives. Without an acknowledgement by the end of the input the sender is to see a failure. */
  receive(rpc: Rpc): void {
    if (this.state === "dead") return rpc.carried ? undefined : this.world.network.fail(rpc);
    const ticket = this.nextTicket();
    this.#tickets.set(ticket, rpc);
    this.turn(() => {
      if (rpc.beside) this.object.unheard.heard(rpc.beside.from, rpc.beside.receipts);
      if (rpc.beside && this.#carries)
        for (const [batch, incarnation] of this.#carrier.receive(rpc.beside))
          this.sent({ to: rpc.beside.from, batch }, incarnation);
      if (rpc.bytes.length === 0) return void this.#tickets.delete(ticket);
      this.world.observer.receiving?.(this, rpc);
      this.#readable(rpc);
      this.deliver(ticket, rpc.bytes);
    });
    if (!this.#tickets.delete(ticket)) return;
    if (rpc.carried) this.#brought(rpc, null);
    else this.world.network.fail(rpc);
  }

  /** A batch of a newer version than this code reads can only have been meant for an incarnation before it, or behind it. */
  #readable(rpc: Rpc): void {
    const { from, bytes } = rpc;
    if (formatOf(bytes) <= this.reads) return this.#known(rpc);
    this.world.count("message of a version that the receiver does not read");
    const { receiverIncarnation } = decodeBatch(this.world.kernels, bytes);
    if (receiverIncarnation === 0 || receiverIncarnation === this.incarnation) {
      this.world.fail(`${from.name} wrote to ${this.name} in version ${formatOf(bytes)}, which it does not read`);
    }
  }

  /** What older code does not know it is sent in no version. */
  #known({ from, bytes, kinds }: Rpc): void {
    const isNew = this.reads < SOLE_FORMAT && kinds.some((kind) => SOLE_KINDS.has(kind));
    if (!isNew || from.object.number === COORDINATOR) return;
    const { receiverIncarnation } = decodeBatch(this.world.kernels, bytes);
    const isRead =
      this.object.number === COORDINATOR ? kinds.includes("decided") : receiverIncarnation === this.incarnation;
    if (isRead) this.world.fail(`${from.name} told ${this.name} what its code does not know: ${kinds.join(", ")}`);
  }

  /** What became of a batch that it sent. */
  told(rpc: Rpc, incarnation: number | null): void {
    this.turn(() => {
      this.#carrier.settled(rpc.to, rpc.batch);
      this.sent(rpc, incarnation);
    });
  }

  /** For user functions: anything may happen until it settles. */
  get trueMs(): number {
    return EPOCH_MS + Math.floor(this.world.scheduler.now);
  }

  nextOrder(): number {
    return this.world.nextOrder();
  }

  pause(ms: number): Promise<void> {
    const { scheduler } = this.world;
    return new Promise((resolve) => scheduler.in(ms, () => this.turn(resolve)));
  }
}

const NOTHING = new Uint8Array();

function describeOp(op: unknown): string {
  const { op: kind = "put", name, value, seq, through, key, text } = op as Record<string, string | undefined>;
  return [kind, name ?? key, value ?? text ?? seq ?? through].filter((part) => part !== undefined).join(" ");
}

export type CallBack = "flush" | "fold" | "work" | "dispatch" | "wake";
