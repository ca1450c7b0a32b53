/** Runs the simulated world for as long as somebody waits for it, and not a step further: between two awaits of a test no time passes. */
import type { World } from "../../sim/world/world.ts";

/** The real one: a test that has timers of its own, such as `vi.useFakeTimers()`, would never come to it. */
const immediately = setImmediate;

interface Waiter {
  readonly reject: (error: Error) => void;
}

export class Pump {
  readonly #world: World;
  readonly #waiting = new Set<Waiter>();
  /** What takes real time: simulated time stands still until it is done. */
  readonly #held = new Set<Promise<void>>();
  #running = false;
  /** Somebody's wait has ended: they go on before anything else happens. */
  #ended = false;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Waits for something of the world.
   * @param begin schedules it, and is given what to call when it has come
   * @throws when the world has found something wrong with the engine, or nothing happens any more
   */
  wait<T>(begin: (come: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { reject };
      this.#waiting.add(waiter);
      begin((value) => {
        if (!this.#waiting.delete(waiter)) return;
        this.#ended = true;
        resolve(value);
      });
      void this.#run();
    });
  }

  /** Nothing happens in the world until this has settled. */
  hold(work: Promise<void>): void {
    const held = work.finally(() => this.#held.delete(held));
    this.#held.add(held);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      // Whoever else begins at this moment of the test begins at this moment of the world.
      await macrotask();
      while (this.#waiting.size > 0) await this.#step();
    } catch (error) {
      this.#rejectAll(error as Error);
    } finally {
      this.#running = false;
    }
  }

  async #step(): Promise<void> {
    const world = this.#world;
    await Promise.all(this.#held);
    this.#ended = false;
    const came = await world.run(() => this.#ended || this.#held.size > 0, Number.POSITIVE_INFINITY);
    if (world.failures.length > 0) throw new Error(`the simulated domain failed: ${world.failures.join("\n")}`);
    if (!came) throw new Error("nothing happens any more in the simulated domain, and somebody still waits");
    await macrotask();
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}

/** Every microtask, and what timers and streams of this process have ready, comes before the next of these. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => immediately(resolve));
}
