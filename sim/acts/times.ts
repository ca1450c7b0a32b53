/**
 * What is exact only where nothing goes wrong, played once everything is answered and all clocks are right: schedules miss no time, those that were
 * missed while nobody was up come together, and a message that ends whoever runs it is given up, and no other.
 */
import type { DeadlyHistory } from "../checkers/deadly.ts";
import { AT_REST } from "../checkers/leaks.ts";
import type { Span } from "../checkers/ticks.ts";
import { Asker } from "../clients/asker.ts";
import type { ClientSetup } from "../clients/client.ts";
import type { ClockState, Later } from "../clients/clock-service.ts";
import { LAST_VERSION } from "../clients/deployed-service.ts";
import { MINUTE_MS } from "../clients/tick-service.ts";
import { endings } from "../clients/ticks.ts";
import type { Ask } from "../clients/transaction.ts";
import { type Ending, PATIENCE_MS, UNTIMED } from "../ending.ts";
import { drawManner } from "../faults/manner.ts";
import { ALL_LETTERS } from "../operator.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { CoordinatorObject } from "../world/coordinator-object.ts";
import { EPOCH_MS } from "../world/object.ts";
import type { World } from "../world/world.ts";

/** What was played, for the verdict. */
export interface Played {
  readonly quiet: readonly Span[];
  readonly dark: readonly Span[];
  readonly deadly: DeadlyHistory;
  /** When nobody had another version of the code than the one before the last any more, and when all had the last; true time, ms. */
  readonly deployedMs: readonly [number, number];
}

/** Numbers of transactions that nobody else has. */
const FIRST = 60_000;
/** Starting again, and what was late, is over by then. */
const SETTLE_MS = 1_500;
/** Every schedule has a time in it. */
const QUIET_MS = 3 * MINUTE_MS;
const DARK_MINUTES = 5;
/** Behind the beginning of a minute: what fires then has fired. */
const FIRED_MS = 300;
/** Of all losses, the first of which comes so long after everybody may be up again. */
const LOSSES_MS = 600;
const UP_MS = 300;
/** How often it is looked at who gives or takes key groups. */
const WATCH_MS = 4;
/** For so long a message ends whoever runs it: it must have been given up long before. */
const DEADLY_MS = 40_000;
const BESIDE = 4;
/** It takes some seconds until it is given up. */
const LOOK_MS = 500;

export class TimesAct {
  readonly #world: World;
  readonly #keys: readonly string[];
  readonly #ending: Ending;
  readonly #skewMs: number;
  readonly #deploy: (version: number) => void;
  readonly #random: Random;
  readonly #asker: Asker;
  readonly #quiet: Span[] = [];
  readonly #dark: Span[] = [];

  /**
   * @param skewMs how far clocks were off, each way
   * @param deploy whoever begins from now on has this version of the code
   */
  constructor(
    setup: ClientSetup,
    keys: readonly string[],
    ending: Ending,
    skewMs: number,
    deploy: (version: number) => void,
  ) {
    this.#deploy = deploy;
    this.#world = setup.world;
    this.#keys = keys;
    this.#ending = ending;
    this.#skewMs = skewMs;
    this.#random = createRandom(deriveSeed(setup.world.seed, 55));
    this.#asker = new Asker(setup, FIRST);
  }

  /** @returns null when something was wrong, which the world has been told */
  async play(): Promise<Played | null> {
    for (const object of this.#world.objects) object.skew = 0;
    const first = this.#redeploy(LAST_VERSION - 1);
    // What clocks that were ahead have set is for a time that is yet to come.
    await this.#ending.pass(this.#skewMs + SETTLE_MS);
    if (!(await this.#ending.drain(UNTIMED))) return null;
    await this.#quietly();
    await this.#inTheDark();
    if (!(await this.#loseAll())) return null;
    await this.#quietly();
    if ((await this.#ask(endings(this.#keys))) === null) return null;
    const deployedMs = [first, this.#redeploy(LAST_VERSION)] as const;
    const deadly = await this.#dieByMessage();
    return deadly && { quiet: this.#quiet, dark: this.#dark, deadly, deployedMs };
  }

  /** Everybody has this version of the code, at once. @returns when */
  #redeploy(version: number): number {
    this.#deploy(version);
    for (const object of this.#world.objects)
      object.crash({ keep: "all", zombie: false, bootMs: 1, kind: "deploy of another version to all" });
    return this.#trueMs;
  }

  get #trueMs(): number {
    return EPOCH_MS + Math.floor(this.#world.scheduler.now);
  }

  async #quietly(): Promise<void> {
    const from = this.#trueMs;
    await this.#ending.pass(QUIET_MS);
    this.#quiet.push([from, this.#trueMs - FIRED_MS]);
  }

  /** Everybody is down, and cannot be started, for some times of every schedule. */
  async #inTheDark(): Promise<void> {
    const world = this.#world;
    await this.#ending.pass(MINUTE_MS - (this.#trueMs % MINUTE_MS) + FIRED_MS);
    const from = this.#trueMs;
    world.darkUntil = world.scheduler.now + DARK_MINUTES * MINUTE_MS;
    world.count("nobody up for a while");
    for (const object of world.objects)
      object.crash({ keep: "all", zombie: false, bootMs: null, kind: "down for a while" });
    await this.#ending.pass(DARK_MINUTES * MINUTE_MS);
    this.#dark.push([from, this.#trueMs]);
  }

  /** Each is lost once more, at any time; and key groups move, and some are lost while nothing runs for that. */
  async #loseAll(): Promise<boolean> {
    const world = this.#world;
    const moveMs = UP_MS + this.#random.next() * (LOSSES_MS / 2);
    for (const object of world.objects)
      world.scheduler.in(UP_MS + this.#random.next() * LOSSES_MS, () => this.#lose(object));
    world.scheduler.in(moveMs, () => {
      world.count("number of partitions changed");
      const wanted = 1 + this.#random.int(world.partitions.length);
      (world.coordinator as unknown as CoordinatorObject).rescale(wanted);
      this.#loseInMove(world.scheduler.now + LOSSES_MS, new Set());
    });
    await this.#ending.pass(UP_MS + LOSSES_MS + SETTLE_MS);
    return this.#ending.drain(UNTIMED);
  }

  #lose(object: World["objects"][number]): void {
    object.crash({ ...drawManner(this.#random, "lost as schedules go on"), zombie: false, bootMs: 1 });
  }

  #loseInMove(until: number, lost: Set<number>): void {
    const { partitions, scheduler } = this.#world;
    for (const object of partitions) {
      if (object.current?.phase !== "moving" || lost.has(object.number) || !this.#random.oneIn(3)) continue;
      lost.add(object.number);
      this.#lose(object as unknown as World["objects"][number]);
    }
    if (scheduler.now < until) scheduler.in(WATCH_MS, () => this.#loseInMove(until, lost));
  }

  /** A message ends whoever runs it, and others are under way beside it each time. */
  async #dieByMessage(): Promise<DeadlyHistory | null> {
    const { killed } = this.#world;
    const before = await this.#letters();
    if (before === null || !(await this.#ending.drain())) return null;
    const counts = new Map(killed);
    const deadlyUntil = this.#trueMs + DEADLY_MS;
    const later = (how: Partial<Later>): Ask => {
      const input: Later = { to: this.#random.pick(this.#keys), delay: 200, count: 1, undo: false, ...how };
      return { kind: "clock", at: this.#random.pick(this.#keys), name: "later", input };
    };
    const beside = Array.from({ length: BESIDE }, () => later({ pause: 20 + this.#random.int(60) }));
    if ((await this.#ask([later({ deadlyUntil }), ...beside])) === null) return null;
    if (!(await this.#ending.drain(AT_REST, LOOK_MS))) return null;
    const after = await this.#letters();
    if (after === null) return null;
    const isOver = this.#trueMs < deadlyUntil;
    await this.#ending.pass(Math.max(1, deadlyUntil - this.#trueMs));
    const known = new Set(before.map(({ id }) => id));
    const letters = after.filter(({ id }) => !known.has(id));
    return {
      kills: [...killed]
        .map(([who, count]) => [who, count - (counts.get(who) ?? 0)] as const)
        .filter(([, count]) => count > 0),
      letters: letters.map(({ input }) => ({
        who: `${input.from}.${input.n}`,
        isDeadly: input.deadlyUntil === deadlyUntil,
      })),
      isOver,
    };
  }

  async #letters(): Promise<readonly Letter[] | null> {
    const listed = await this.#ask([{ kind: "dead", service: "tc", name: "list", input: ALL_LETTERS }]);
    return listed && (JSON.parse(listed[0] ?? "") as { readonly letters: readonly Letter[] }).letters;
  }

  async #ask(asks: readonly Ask[]): Promise<string[] | null> {
    const bodies = await this.#asker.ask(asks, PATIENCE_MS);
    if (bodies === null && this.#world.failures.length === 0)
      this.#world.fail(`without an answer: what is asked when nothing goes wrong\n${this.#ending.statuses}`);
    return bodies;
  }
}

interface Letter {
  readonly id: string;
  readonly input: ClockState["rung"][number];
}
