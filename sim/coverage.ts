/** Which messages were handled in which state, and whether a crash was near: cells that are counted over many seeds. */
import type { Instance } from "./world/instance.ts";
import type { Rpc } from "./world/rpc.ts";

/** `kind | state | crash`. */
export type Cell = string;

/** A crash within this counts as near. */
const NEAR_MS = 30;

interface Handled {
  readonly cell: string;
  readonly time: number;
}

export class Coverage {
  readonly cells = new Map<Cell, number>();
  readonly #started = new Map<Instance<unknown>, number>();
  readonly #recent = new Map<Instance<unknown>, Handled[]>();

  started(instance: Instance<unknown>): void {
    if (instance.incarnation > 1) this.#started.set(instance, instance.world.scheduler.now);
  }

  handled(instance: Instance<unknown>, { kinds }: Rpc): void {
    if (kinds.length === 0) return;
    const { now } = instance.world.scheduler;
    const state = instance.state === "zombie" ? "replaced" : instance.phase;
    const started = this.#started.get(instance);
    const crash = started !== undefined && now - started < NEAR_MS ? "after a crash" : "no crash";
    let recent = this.#recent.get(instance);
    if (!recent) this.#recent.set(instance, (recent = []));
    for (const kind of kinds) {
      const cell = `${kind} | ${state}`;
      this.#count(`${cell} | ${crash}`);
      recent.push({ cell, time: now });
    }
    if (recent.length > 200) this.#recent.set(instance, recent.slice(-100));
  }

  crashed(instance: Instance<unknown>): void {
    const { now } = instance.world.scheduler;
    for (const { cell, time } of this.#recent.get(instance) ?? []) {
      if (now - time < NEAR_MS) this.#count(`${cell} | before a crash`);
    }
    this.#recent.delete(instance);
    this.#started.delete(instance);
  }

  #count(cell: Cell): void {
    this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
  }
}

/** Adds up counts by name. */
export function addCounts(total: Map<string, number>, counts: Iterable<readonly [string, number]>): void {
  for (const [name, count] of counts) total.set(name, (total.get(name) ?? 0) + count);
}
