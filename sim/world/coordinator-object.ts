/** The coordinator as an object: its storage is a few names with texts, its incarnation the generation. */
import type { Kernels } from "../../core-wasm/types.ts";
import { ClockSetBack } from "../../protocol/clock.ts";
import { decodeMap, initialMap, type KeyGroupMap } from "../../protocol/keygroups/map.ts";
import { CoordinatorMachine } from "../../protocol/coordinator/machine.ts";
import type { CoordinatorEffect, CoordinatorInput } from "../../protocol/coordinator/effects.ts";
import { COORDINATOR } from "../../protocol/wire/messages.ts";
import { CLOCK_SET_BACK } from "../faults/manner.ts";
import { type CallBack, Fenced, Instance } from "./instance.ts";
import { SimObject } from "./object.ts";
import type { Rpc } from "./rpc.ts";
import type { World } from "./world.ts";

export interface NamedText {
  readonly name: string;
  readonly value: string;
}

export class CoordinatorObject extends SimObject<NamedText> {
  readonly kernels: Kernels;
  /** How many partitions the configuration names. */
  readonly partitions: number;
  /** What survives a crash. */
  readonly disk = new Map<string, string>();
  declare current: CoordinatorInstance | null;
  /** As it was read last, and from what. */
  #map: KeyGroupMap | null = null;
  #mapText: string | undefined;

  constructor(world: World, kernels: Kernels, partitions: number) {
    super(world, COORDINATOR, "C");
    this.kernels = kernels;
    this.partitions = partitions;
  }

  protected override start(): CoordinatorInstance {
    return new CoordinatorInstance(this, Number(this.disk.get("generation") ?? 0) + 1);
  }

  /** The map as anybody is told it who asks: what is durable. */
  get map(): KeyGroupMap {
    const stored = this.disk.get("map");
    if (this.#map === null || stored !== this.#mapText) {
      this.#map = stored === undefined ? initialMap(this.partitions) : decodeMap(stored);
      this.#mapText = stored;
    }
    return this.#map;
  }

  /** An operator says how many partitions there are to be. */
  rescale(partitions: number): void {
    (this.route(true) as CoordinatorInstance | null)?.rescale(partitions);
  }

  override durable(ops: readonly NamedText[]): void {
    for (const { name, value } of ops) this.disk.set(name, value);
    this.world.observer.durable?.(this as unknown as SimObject<unknown>, ops);
  }
}

export class CoordinatorInstance extends Instance<NamedText> {
  readonly machine: CoordinatorMachine;

  constructor(object: CoordinatorObject, generation: number) {
    super(object.world, object, generation);
    const { disk, kernels, partitions } = object;
    const stored = Object.fromEntries(disk);
    this.machine = new CoordinatorMachine({ kernels, generation, stored, partitions, reads: this.reads });
    this.turn(() => {
      this.persist([{ name: "generation", value: String(generation) }]);
      this.#handle(() => this.machine.start(this.object.now()));
    });
  }

  rescale(partitions: number): void {
    this.turn(() => this.#handle(() => this.machine.rescale(partitions, this.object.now())));
  }

  /** Says something of what is durable, behind a read, as the shell does. */
  tell(say: () => void): void {
    if (this.state !== "zombie") return this.gate.leave(say);
    this.world.count("replaced instance fenced at a read");
    this.die();
  }

  protected override deliver(ticket: number, bytes: Uint8Array): void {
    this.#input({ kind: "deliver", ticket, bytes });
  }

  protected override sent({ to, batch }: Pick<Rpc, "to" | "batch">, incarnation: number | null): void {
    this.#input({ kind: "sent", to, batch, incarnation });
  }

  protected override calledBack(kind: CallBack): void {
    if (kind === "dispatch" || kind === "wake") this.#input({ kind });
  }

  override get phase(): string {
    const { phase, closing } = this.machine.status;
    if (phase === "recovering") return phase;
    return this.machine.rescaleStatus?.phase === "frozen" ? "frozen" : (closing?.phase ?? "open");
  }

  /** What the machine says of itself, by name. */
  get status(): Readonly<Record<string, unknown>> {
    const moving = Number(this.machine.rescaleStatus?.phase !== "still");
    return { ...this.machine.status, moving } as unknown as Readonly<Record<string, unknown>>;
  }

  get counters(): Readonly<Record<string, unknown>> {
    return this.status;
  }

  /** Nothing is read after the start. */
  protected override see(): void {}

  #input(input: CoordinatorInput): void {
    this.#handle(() => this.machine.step(input, this.object.now()));
  }

  #handle(step: () => readonly CoordinatorEffect[]): void {
    if (this.state === "dead") return;
    try {
      for (const effect of step()) this.#perform(effect);
    } catch (error) {
      if (error instanceof ClockSetBack) return this.doom(CLOCK_SET_BACK);
      if (error instanceof Fenced) return;
      if (this.state === "zombie") this.world.note(`${this.name} stopped: ${String(error)}`);
      else this.world.fail(`${this.name} stopped: ${String(error)}`, error);
      this.die();
    }
  }

  #perform(effect: CoordinatorEffect): void {
    if (!this.performs(effect.kind)) return;
    switch (effect.kind) {
      case "persist":
        return this.persist(effect.ops);
      case "start-over":
        return this.gate.leave(() =>
          this.doom({ keep: "all", zombie: false, bootMs: null, kind: "coordinator starts over" }),
        );
      case "send":
        return this.sends(effect.to, effect.batch, effect.bytes);
      case "delivered":
        return this.delivered(effect.ticket, effect.incarnation);
      case "want-dispatch":
        return this.callBack("dispatch");
      case "wake":
        return this.callBack("wake", effect.inMs);
    }
  }
}
