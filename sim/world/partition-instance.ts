/** An instance of a partition: the real machine and engine over its view of storage. */
import { ClockSetBack } from "../../protocol/clock.ts";
import { Engine, type EngineHost, type HostEffect } from "../../protocol/execution/engine.ts";
import type { OutsideCall } from "../../protocol/outside/work.ts";
import type { Input, StorageOp, ViewReply } from "../../protocol/partition/effects.ts";
import { PartitionMachine } from "../../protocol/partition/machine.ts";
import { entityKey } from "../../protocol/state/state-key.ts";
import type { PartitionSetup } from "../../protocol/partition/setup.ts";
import { MapStore } from "../map-store.ts";
import { uuidFrom } from "../random.ts";
import { CLOCK_SET_BACK } from "../faults/manner.ts";
import { callFrom } from "./functions.ts";
import { type CallBack, Fenced, Instance } from "./instance.ts";
import type { PartitionObject } from "./partition-object.ts";
import type { Rpc } from "./rpc.ts";

/** An answer that has passed the gate. */
export type Answered = (body: Uint8Array | ViewReply) => void;
/** The input that a request is to a machine, by its ticket. */
export type RequestInput = (ticket: number) => Input;

/** Storage as this instance sees it: what was durable when it started, and what it has persisted since. */
class View extends MapStore {
  instance: Instance<StorageOp> | undefined;

  override touch(): void {
    super.touch();
    if (this.instance?.state === "zombie") throw new Fenced("this instance was replaced");
  }
}

export class PartitionInstance extends Instance<StorageOp> {
  declare readonly object: PartitionObject;
  readonly engine: Engine;
  readonly #view: View;
  readonly #requests = new Map<number, Answered>();

  constructor(object: PartitionObject, incarnation: number) {
    super(object.world, object, incarnation);
    this.#view = object.disk.copyInto(new View());
    this.#view.instance = this;
    const { kernels, map } = object.setup;
    const app = object.world.code;
    const setup: PartitionSetup = {
      app,
      kernels,
      reader: this.#view,
      partition: object.number,
      map,
      incarnation,
      recovered: this.#view.recovered(),
      reads: this.reads,
    };
    this.engine = new Engine(new PartitionMachine(setup), this.#host());
    this.turn(() => {
      this.persist([{ op: "put-meta", name: "incarnation", value: String(incarnation) }]);
      this.engine.input({ kind: "start" });
    });
  }

  /** Functions of flows are the engine's own and tell nobody when they go on: any turn may be one in which they do. */
  override turn(act: () => void): void {
    if (this.object.setup.app.flows.size > 0) this.called = true;
    super.turn(act);
  }

  /** A request from outside: a frame, a batch of events, a question to a view. */
  ask(request: RequestInput, answered: Answered): void {
    const ticket = this.nextTicket();
    this.#requests.set(ticket, answered);
    this.turn(() => this.engine.input(request(ticket)));
  }

  /** @throws when none runs there */
  requestOf(service: string, key: string): string {
    const entity = entityKey(service, key);
    for (const { root, live } of this.engine.machine.transactions.attempts.all()) {
      for (const [, { state, target }] of live.entries())
        if (root !== null && state === "running" && target.entity === entity) return root.requestId;
    }
    throw new Error(`no request of this partition runs on ${service}/${key}`);
  }

  kill(who: string): void {
    const { killed } = this.world;
    killed.set(who, (killed.get(who) ?? 0) + 1);
    this.doom({ keep: "some", zombie: false, bootMs: 1 + this.random.int(40), kind: "instance ended by a function" });
  }

  alarm(): void {
    this.turn(() => this.engine.input({ kind: "alarm" }));
  }

  protected override deliver(ticket: number, bytes: Uint8Array): void {
    this.engine.input({ kind: "deliver", ticket, bytes });
  }

  protected override sent({ to, batch }: Pick<Rpc, "to" | "batch">, incarnation: number | null): void {
    this.engine.input({ kind: "sent", to, batch, incarnation });
  }

  protected override calledBack(kind: CallBack): void {
    this.engine.input({ kind });
  }

  override get phase(): string {
    // Asked for with every message: the whole status would be most of what that costs.
    const { participation, transactions } = this.engine.machine;
    if (participation.phase !== "up") return participation.phase;
    if (participation.undecided > 0) return "undecided";
    return transactions.attempts.size > 0 ? "running" : "idle";
  }

  /** What the machine says of itself, by name. */
  get status(): Readonly<Record<string, unknown>> {
    return this.engine.machine.status as unknown as Readonly<Record<string, unknown>>;
  }

  /** What of that costs nothing to find out: all numbers are in it. */
  get counters(): Readonly<Record<string, unknown>> {
    return this.engine.machine.counters as unknown as Readonly<Record<string, unknown>>;
  }

  protected override see(ops: readonly StorageOp[]): void {
    for (const op of ops) this.#view.perform(op);
  }

  #host(): EngineHost {
    return {
      now: () => this.object.now(),
      random: () => this.random.next(),
      uuid: () => uuidFrom(this.random),
      enclose: (call) => callFrom(this, call),
      perform: (effect) => this.#perform(effect),
      fatal: (error) => this.#fatal(error),
    };
  }

  #fatal(error: unknown): void {
    if (this.state === "dead") return;
    if (error instanceof ClockSetBack) return this.doom(CLOCK_SET_BACK);
    if (error instanceof Fenced) this.world.count("replaced instance fenced at a read");
    else if (this.state === "zombie") this.world.note(`${this.name} stopped: ${String(error)}`);
    else this.world.fail(`${this.name} stopped: ${String(error)}`, error);
    this.die();
  }

  #perform(effect: HostEffect): void {
    if (!this.performs(effect.kind)) return;
    switch (effect.kind) {
      case "persist":
        return this.persist(effect.ops);
      case "reply":
        return this.#reply(effect.ticket, effect.body);
      case "send":
        return this.sends(effect.to, effect.batch, effect.bytes);
      case "delivered":
        return this.delivered(effect.ticket, effect.incarnation);
      case "run-outside":
        return this.#runOutside(effect.call);
      case "want-flush":
        return this.callBack("flush");
      case "want-fold":
        return this.callBack("fold");
      case "want-work":
        return this.callBack("work");
      case "want-dispatch":
        return this.callBack("dispatch");
      case "wake":
        return this.callBack("wake", effect.inMs);
      case "alarm":
        return this.gate.leave(() => this.object.setAlarm(effect.inMs));
      case "report":
    }
  }

  /** Its end is heard by whichever instance asked for it, if that lives. */
  #runOutside(call: OutsideCall): void {
    this.gate.leave(() =>
      this.world.runOutside(call, this.random, (end) => {
        if (this.state === "dead") return;
        this.world.trace.mix(9, this.object.number, this.world.scheduler.now);
        this.world.observer.outsideEnded?.(this);
        this.turn(() => this.engine.input({ kind: "outside-ended", id: call.id, end }));
      }),
    );
  }

  /** What is in memory is not what storage holds. */
  #startOver(): void {
    this.world.scheduler.in(0, () => {
      if (this.object.current === this)
        this.object.crash({
          keep: "all",
          zombie: false,
          bootMs: 1,
          kind: "started over to serve what it has restored",
        });
    });
  }

  #reply(ticket: number, body: Uint8Array | ViewReply): void {
    const answered = this.#requests.get(ticket);
    this.#requests.delete(ticket);
    if (answered) this.gate.leave(() => answered(body));
    if ("restart" in body && body.restart === true) this.gate.leave(() => this.#startOver());
  }
}
