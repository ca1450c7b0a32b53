/** Which messages were handled in which state, and whether a crash was near: cells that are counted over many seeds. */
import type { Instance } from "./world/instance.ts";
import type { Rpc } from "./world/rpc.ts";

/** `kind | state | crash`. */
export type Cell = string;

/** A crash within this counts as near. */
const NEAR_MS = 30;

interface Handled {
  readonly kind: string;
  readonly state: string;
  readonly time: number;
}

export class Coverage {
  /** By crash, state and kind: a name for each message would be most of what this costs. */
  readonly #counts = new Map<string, Map<string, Map<string, number>>>();
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
      this.#count(kind, state, crash);
      recent.push({ kind, state, time: now });
    }
    if (recent.length > 200) this.#recent.set(instance, recent.slice(-100));
  }

  crashed(instance: Instance<unknown>): void {
    const { now } = instance.world.scheduler;
    for (const { kind, state, time } of this.#recent.get(instance) ?? []) {
      if (now - time < NEAR_MS) this.#count(kind, state, "before a crash");
    }
    this.#recent.delete(instance);
    this.#started.delete(instance);
  }

  get cells(): ReadonlyMap<Cell, number> {
    const cells = new Map<Cell, number>();
    for (const [crash, states] of this.#counts)
      for (const [state, kinds] of states)
        for (const [kind, count] of kinds) cells.set(`${kind} | ${state} | ${crash}`, count);
    return cells;
  }

  #count(kind: string, state: string, crash: string): void {
    const states = childOf(this.#counts, crash);
    const kinds = childOf(states, state);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
}

function childOf<T extends Map<string, unknown>>(parent: Map<string, T>, name: string): T {
  let child = parent.get(name);
  if (!child) parent.set(name, (child = new Map() as T));
  return child;
}

/** Adds up counts by name. */
export function addCounts(total: Map<string, number>, counts: Iterable<readonly [string, number]>): void {
  for (const [name, count] of counts) total.set(name, (total.get(name) ?? 0) + count);
}
