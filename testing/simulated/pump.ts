/** Runs the simulated world for as long as somebody waits for it, and not a step further: between two awaits of a test no time passes. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { World } from "../../sim/world/world.ts";

/** The real one: a test that has timers of its own, such as `vi.useFakeTimers()`, would never come to it. */
const immediately = setImmediate;

interface Waiter {
  readonly reject: (error: Error) => void;
  /** What takes real time and waits here itself. */
  readonly by: Held | undefined;
}
/** What takes real time. */
interface Held {
  /** Its own waits that are not over. */
  waits: number;
  over: Promise<void>;
}
const current = new AsyncLocalStorage<Held>();

export class Pump {
  readonly #world: World;
  readonly #waiting = new Set<Waiter>();
  /** Simulated time stands still until these are done, but for what they wait for here themselves. */
  readonly #held = new Set<Held>();
  /** One of them begins to wait. */
  #waits: () => void = () => undefined;
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
      // An effect of another app stands still there.
      const by = [...this.#held].find((held) => held === current.getStore());
      const waiter: Waiter = { reject, by };
      this.#waiting.add(waiter);
      if (by) by.waits += 1;
      this.#waits();
      begin((value) => {
        if (!this.#waiting.delete(waiter)) return;
        if (by) by.waits -= 1;
        this.#ended = true;
        resolve(value);
      });
      void this.#run();
    });
  }

  /** Nothing happens in the world until this has settled, but while it waits for something of the world. */
  hold(work: () => Promise<void>): void {
    const held: Held = { waits: 0, over: Promise.resolve() };
    this.#held.add(held);
    held.over = current.run(held, work).finally(() => this.#held.delete(held));
  }

  get #still(): Held[] {
    return [...this.#held].filter(({ waits }) => waits === 0);
  }

  async #holdStill(): Promise<void> {
    for (let still = this.#still; still.length > 0; still = this.#still) {
      const waits = new Promise<void>((resolve) => (this.#waits = resolve));
      await Promise.race([waits, ...still.map(({ over }) => over)]);
    }
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
    await this.#holdStill();
    this.#ended = false;
    const came = await world.run(() => this.#ended || this.#still.length > 0, Number.POSITIVE_INFINITY);
    if (world.failures.length > 0) throw new Error(`the simulated domain failed: ${world.failures.join("\n")}`);
    if (!came) throw new Error("nothing happens any more in the simulated domain, and somebody still waits");
    await macrotask();
  }

  #rejectAll(error: Error): void {
    for (const { reject, by } of this.#waiting) {
      if (by) by.waits -= 1;
      reject(error);
    }
    this.#waiting.clear();
  }
}

/** Every microtask, and what timers and streams of this process have ready, comes before the next of these. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => immediately(resolve));
}
