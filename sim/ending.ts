/** The end of a run: everything drains, what nobody else ends is ended, and what is left is read, before and after a reset of everything. */
import { AT_REST, findLeaks, type Status } from "./checkers/leaks.ts";
import type { ClientSetup } from "./clients/client.ts";
import { FAILS_MS } from "./clients/clocks.ts";
import type { Ground } from "./clients/generate.ts";
import { differences, type Final, readFinal } from "./final.ts";
import { servicesWithLetters } from "./listed.ts";
import { Operator } from "./operator.ts";
import type { CoordinatorInstance } from "./world/coordinator-object.ts";
import type { PartitionInstance } from "./world/partition-instance.ts";
import { findStrays } from "./strays.ts";
import type { World } from "./world/world.ts";

/** Later than this no message comes. */
const LATE_MS = 3_000;
/** How long clients may wait, and things may take to drain, once faults have stopped. */
export const PATIENCE_MS = 120_000;
/** How often an operator looks for what has not ended, and how long it waits in between. */
const MOST_ROUNDS = 20;
const ROUND_MS = 1_000;
/** What must be nothing before what waits for long is ended. */
export const UNTIMED = AT_REST.filter((name) => name !== "timers");

export class Ending {
  readonly #setup: ClientSetup;
  readonly #world: World;
  readonly #ground: Ground;
  readonly #operator: Operator;
  readonly #counters: readonly string[];

  /** @param counters what is nothing at rest */
  constructor(setup: ClientSetup, ground: Ground, counters: readonly string[] = AT_REST) {
    this.#counters = counters;
    this.#setup = setup;
    this.#world = setup.world;
    this.#ground = ground;
    this.#operator = new Operator(setup);
  }

  /** Nothing is left, and what is there is still there when every object has lost its memory. */
  async end(): Promise<Final | null> {
    // A late copy of a request that was answered with a failure may still run: failures are not recorded.
    await this.#world.run(() => false, this.#world.scheduler.now + LATE_MS);
    // With one partition left nobody may ever call another object again, and then it tells nothing of itself.
    // One after the other: an event is about one instance.
    for (const object of this.#world.objects) {
      if (object.isNew || object.current) continue;
      this.#world.scheduler.in(0, () => void object.boot());
      await this.#world.run(() => false, this.#world.scheduler.now + 1);
    }
    // Before anything is asked for, too: reading leaves records, and with them what a restart knows.
    const waiters = this.#ground.waiters ?? [];
    if (!(await this.drain(waiters.length > 0 ? UNTIMED : this.#counters))) return null;
    if (waiters.length > 0 && !(await this.#endWaiting(waiters))) return null;
    if (this.#hasLetters && !(await this.#redrive())) return null;
    if (this.#ground.ends !== undefined && !(await this.#redriveEnds())) return null;
    this.#resetAll();
    const first = await this.#drainAndRead(0);
    if (!first) return null;
    const waiting = this.#countersByName();
    this.#resetAll();
    this.#world.scheduler.in(2, () => this.#seeNothingKept(waiting));
    const second = await this.#drainAndRead(1);
    for (const stray of second ? findStrays(this.#world) : []) this.#world.fail(`left behind by a move: ${stray}`);
    const changed = second ? differences(first, second) : [];
    if (changed.length > 0)
      this.#world.fail(`after a reset of all objects the state is another: ${changed.join("; ")}`);
    return second;
  }

  /** Some are sure to be there where messages are sent that fail; elsewhere a message may have been under way in too many losses. */
  get #hasLetters(): boolean {
    return (this.#ground.clocks ?? []).length > 0 || servicesWithLetters(this.#world).length > 0;
  }

  /** What failed for good while everything went wrong goes through now. */
  async #redrive(): Promise<boolean> {
    await this.pass(Math.max(1, FAILS_MS - this.#world.scheduler.now));
    if (!(await this.drain())) return false;
    for (let round = 0; round < 2; round++) {
      const count = await this.#operator.redrive(
        [...new Set(["tc", ...servicesWithLetters(this.#world)])],
        PATIENCE_MS,
      );
      if (count === null) this.#world.fail(`an operator is not answered\n${this.statuses}`);
      if (count === null || !(await this.drain())) return false;
      if (round > 0 && count > 0) this.#failAnew(count);
      for (let n = 0; n < count; n++) this.#world.count("dead letter sent again");
    }
    return true;
  }

  /** What ends of a flow did not take they take now, or when it comes once more: some of it came to nobody before. */
  async #redriveEnds(): Promise<boolean> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const count = await this.#operator.redriveEnds(PATIENCE_MS);
      if (count === null) this.#world.fail(`an operator is not answered\n${this.statuses}`);
      if (count === null || !(await this.drain())) return false;
      if (count === 0) return true;
      for (let n = 0; n < count; n++) this.#world.count("event sent to its end again");
    }
    // What is left is the checkers' to say.
    return true;
  }

  /** What waits for an event is told one, and what has come to a standstill goes on: nobody else will do either. */
  async #endWaiting(keys: readonly string[]): Promise<boolean> {
    await this.pass(Math.max(1, FAILS_MS - this.#world.scheduler.now));
    for (let round = 0; round < MOST_ROUNDS; round++) {
      // What was to begin a saga or to be told to one may be among them.
      const redriven = await this.#operator.redrive(servicesWithLetters(this.#world), PATIENCE_MS);
      if (redriven !== null && redriven > 0 && round > 1) this.#failAnew(redriven);
      const count = redriven === null ? null : await this.#operator.endWaiting(keys, PATIENCE_MS);
      if (count === 0 && redriven === 0) return true;
      if (count === null) {
        this.#world.fail(`an operator is not answered\n${this.statuses}`);
        return false;
      }
      this.#world.count("ended by an operator");
      await this.pass(ROUND_MS);
    }
    // What is left is the checkers' to say.
    return true;
  }

  #failAnew(messages: number): void {
    this.#world.fail(`${messages} messages fail though nothing is wrong with them`);
  }

  /**
   * A message that was delivered is forgotten for good: no restart finds it again.
   * @param waiting what was there before: where timers may wait, one of them may have come due just now, and be a message
   */
  #seeNothingKept(waiting: Record<string, Status>): void {
    const areTimersEnded = this.#counters.includes("timers");
    for (const [name, { outbox = 0, timers = 0 }] of Object.entries(this.#countersByName())) {
      const { outbox: left = 0, timers: set = 0 } = waiting[name] ?? {};
      const kept = areTimersEnded ? outbox + timers : outbox - Math.max(0, left + set - timers);
      if (kept > 0) this.#world.fail(`kept for ever: ${name} finds ${kept} messages after a restart at rest`);
    }
  }

  #resetAll(): void {
    for (const object of this.#world.objects) {
      object.crash({ keep: "all", zombie: false, bootMs: 1, kind: "reset at the end" });
    }
  }

  async #drainAndRead(round: number): Promise<Final | null> {
    const world = this.#world;
    if (!(await this.drain())) return null;
    const final = await readFinal(this.#setup, this.#ground, round, PATIENCE_MS);
    if (!final && world.failures.length === 0) world.fail(`final reads are not answered\n${this.statuses}`);
    return final;
  }

  /** Looks now and then whether everything is at rest: what that is of some takes long to find out. That it never comes to rest is a failure. */
  async drain(counters = this.#counters, everyMs = 50): Promise<boolean> {
    const world = this.#world;
    const deadline = world.scheduler.now + PATIENCE_MS;
    let rests = 0;
    do {
      await this.pass(everyMs);
      // Twice: what is to be written next may be nothing that is counted.
      rests = this.#isAtRest(counters) ? rests + 1 : 0;
      if (rests === 2) return true;
    } while (world.scheduler.now < deadline && world.failures.length === 0);
    if (world.failures.length > 0) return false;
    const leaks = findLeaks(this.#countersByName(), counters).filter(({ anomaly }) => anomaly === "left-over");
    world.fail(`it does not drain: ${leaks.map(({ explanation }) => explanation).join("; ")}\n${this.statuses}`);
    return false;
  }

  async pass(ms: number): Promise<void> {
    let passed = false;
    this.#world.scheduler.in(ms, () => (passed = true));
    await this.#world.run(() => passed, Infinity);
  }

  #isAtRest(counters: readonly string[]): boolean {
    const up = this.#world.objects.every(({ current, isNew }) => isNew || current?.gate.isClean === true);
    if (!up || this.#world.coordinator?.current?.phase === "recovering") return false;
    return findLeaks(this.#countersByName(), counters).every(({ anomaly }) => anomaly !== "left-over");
  }

  #countersByName(): Record<string, Status> {
    return Object.fromEntries(
      this.#world.objects.flatMap(({ name, current }) =>
        current ? [[name, countersOf(current as PartitionInstance | CoordinatorInstance)]] : [],
      ),
    );
  }

  get statuses(): string {
    return this.#world.objects
      .map(
        ({ name, current }) =>
          `${name}: ${JSON.stringify((current as PartitionInstance | CoordinatorInstance | null)?.status ?? "down")}`,
      )
      .join("\n");
  }
}

/** Also what its links have from the shell. */
function countersOf(instance: PartitionInstance | CoordinatorInstance): Status {
  return { ...instance.counters, carrying: instance.carrying } as unknown as Status;
}
