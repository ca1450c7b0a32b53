/**
 * Time passes until results expire: until then a repeated request is answered the same, whatever is lost, and after that they are not stored any
 * more; but what became of a message is known for as long as its sender has not heard of it.
 */
import { readHead, SPACE } from "../../protocol/state/blocks/block.ts";
import { partitionOfHash } from "../../protocol/keygroups/map.ts";
import { checkRetention, type KeptResults } from "../checkers/retention.ts";
import { Client, type ClientSetup } from "../clients/client.ts";
import type { Ground } from "../clients/generate.ts";
import { type Entry, isKept } from "../clients/ledger.ts";
import { repeat } from "../clients/repeater.ts";
import { appendsOf, type Place, type Step } from "../clients/steps.ts";
import type { Ask, Transaction } from "../clients/transaction.ts";
import { type Ending, PATIENCE_MS } from "../ending.ts";
import { drawManner } from "../faults/manner.ts";
import { SMALL_LIMITS } from "../planted/small-limits.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { EPOCH_MS } from "../world/object.ts";
import type { World } from "../world/world.ts";

/** As the app declares it where there is this act: the least that it may be. */
export const RETENTION = "1m" as const;
const RETENTION_MS = 60_000;
/** Numbers of transactions that nobody else has. */
const FIRST = 70_000;
/** Requests that are repeated, at most. */
const REPEATED = 16;
const MARGIN_MS = 1_000;
/** Writes to each key: enough for a fold. */
const WRITES = 10;
const SETTLE_MS = 2_000;
/** Messages of which their senders do not hear, each to another partition. */
const UNHEARD = 3;

/** In every third seed that has what depends on time. */
export function hasRetention(seed: number): boolean {
  return createRandom(deriveSeed(seed, 56)).oneIn(3);
}

export class RetentionAct {
  readonly #setup: ClientSetup;
  readonly #world: World;
  readonly #ground: Ground;
  readonly #ending: Ending;
  readonly #skewMs: number;
  readonly #random: Random;
  #asked = 0;

  /** @param skewMs how far clocks were off, each way */
  constructor(setup: ClientSetup, ground: Ground, ending: Ending, skewMs: number) {
    this.#setup = setup;
    this.#world = setup.world;
    this.#ground = ground;
    this.#ending = ending;
    this.#skewMs = skewMs;
    this.#random = createRandom(deriveSeed(setup.world.seed, 57));
  }

  get #keys(): readonly string[] {
    return this.#ground.times ?? [];
  }

  async play(): Promise<void> {
    const world = this.#world;
    const heal = await this.#sendUnheard();
    const isRepeated = world.failures.length === 0 && (await this.#repeatInTime());
    if (!isRepeated) return;
    await this.#write();
    await this.#passTo(world.scheduler.now + RETENTION_MS + SMALL_LIMITS.resultSlotMs + MARGIN_MS);
    // What has expired is dropped when something is written: of messages that nobody has heard of nothing may be, or they run again.
    if (!(await this.#write())) return;
    await this.#ending.pass(SETTLE_MS);
    this.#crashAll("crash before an unheard message comes again");
    heal();
    if (!(await this.#write()) || !(await this.#ending.drain())) return;
    await this.#ending.pass(SETTLE_MS);
    const now = EPOCH_MS + Math.floor(world.scheduler.now);
    for (const { anomaly, explanation } of checkRetention(this.#kept(), now, MARGIN_MS))
      world.fail(`${anomaly}: ${explanation}`);
  }

  /** Messages arrive, and whoever sent them does not hear of that. @returns what ends it */
  async #sendUnheard(): Promise<() => void> {
    const world = this.#world;
    const asks = this.#apart().map(([from, to]): Ask => {
      world.network.cutOneWay(to.partition, from.partition, Infinity);
      world.count("sender does not hear of its message");
      const steps: Step[] = [{ op: "send", at: to.at, steps: [] }];
      return { kind: "list", at: from.at, name: "run", steps, shape: "unheard", appends: appendsOf(from.at, steps) };
    });
    if (asks.length > 0) await this.#ask(asks);
    return () => world.network.heal();
  }

  /** Lists of two partitions each, as the map is now; the second ones are of those that are written to most. */
  #apart(): Array<[Kept, Kept]> {
    const partitionOf = (key: string): number => partitionOfHash(this.#setup.map(), this.#setup.kernels.hashKey(key));
    const written = this.#keys.map(partitionOf);
    const weightOf = ({ partition }: Kept): number => written.filter((other) => other === partition).length;
    const lists = this.#ground.lists.map(({ at }): Kept => ({ at, partition: partitionOf(at[1]) }));
    const sorted = lists.toSorted((a, b) => weightOf(b) - weightOf(a));
    const targets = sorted.filter(({ partition }, at) => sorted.findIndex((one) => one.partition === partition) === at);
    const pairs: Array<[Kept, Kept]> = [];
    for (const to of targets.slice(0, UNHEARD)) {
      // What is cut for one of them is no other's way.
      const isCut = (from: number): boolean =>
        pairs.some(([a, b]) => a.partition === to.partition && b.partition === from);
      const apart = lists.filter(({ partition }) => partition !== to.partition && !isCut(partition));
      if (apart.length > 0) pairs.push([this.#random.pick(apart), to]);
    }
    return pairs;
  }

  /** Just before the first results expire. */
  async #repeatInTime(): Promise<boolean> {
    const world = this.#world;
    const { now } = world.scheduler;
    const untilOf = ({ invokedMs }: Entry): number => invokedMs + RETENTION_MS - this.#skewMs - MARGIN_MS;
    const kept = [...this.#setup.ledger.entries.values()].filter(
      (entry) =>
        entry.request.transaction.clientId &&
        entry.answer &&
        isKept(entry.request, entry.answer) &&
        untilOf(entry) > now,
    );
    const some = kept.filter(() => this.#random.int(kept.length) < REPEATED);
    if (some.length === 0) return true;
    this.#crashAll("crash before results expire");
    await this.#passTo(Math.min(...some.map(untilOf)));
    world.count("request repeated just in time");
    const requests = some.map(({ request }) => request);
    if (await repeat(this.#setup, requests, PATIENCE_MS)) return true;
    if (world.failures.length === 0) world.fail(`without an answer: repeated requests\n${this.#ending.statuses}`);
    return false;
  }

  #crashAll(kind: string): void {
    for (const object of this.#world.objects)
      object.crash({ ...drawManner(this.#random, kind), zombie: false, bootMs: 1 });
  }

  async #passTo(ms: number): Promise<void> {
    await this.#ending.pass(Math.max(1, ms - this.#world.scheduler.now));
  }

  /** To every key, so that every partition folds. */
  #write(): Promise<boolean> {
    return this.#ask(
      this.#keys.flatMap((at) =>
        Array.from({ length: WRITES }, (): Ask => {
          // Its number is that of the transaction.
          return { kind: "use", at, name: "touch", input: { n: 0, pause: 0 } };
        }),
      ),
    );
  }

  async #ask(asks: readonly Ask[]): Promise<boolean> {
    const world = this.#world;
    const plan = asks.map((ask): Transaction[] => {
      const number = FIRST + this.#asked++;
      const own: Ask = ask.kind === "use" ? { ...ask, input: { ...ask.input, n: number } } : ask;
      return [{ number, ask: own, snapshot: false, clientId: true, after: 0 }];
    });
    const client = new Client(this.#setup, FIRST + this.#asked, plan);
    client.next();
    if (await world.run(() => client.isDone, world.scheduler.now + PATIENCE_MS)) return true;
    if (world.failures.length === 0)
      world.fail(`without an answer: what is asked as time passes\n${this.#ending.statuses}`);
    return false;
  }

  /** Results of clients that are stored, where there is something that makes a partition look. */
  #kept(): KeptResults[] {
    const { kernels, map } = this.#setup;
    const written = new Set(this.#keys.map((key) => partitionOfHash(map(), kernels.hashKey(key))));
    const partitions = this.#world.partitions.filter(({ number }) => written.has(number));
    return partitions.flatMap(({ name, disk }) =>
      [...disk.stateBlocks].flatMap(([id, { head }]): KeptResults[] => {
        const { space, expires, rows, first } = readHead(kernels, id, head);
        return space === SPACE.results && first.startsWith("c") ? [{ partition: name, expires, rows }] : [];
      }),
    );
  }
}

interface Kept {
  readonly at: Place;
  readonly partition: number;
}
