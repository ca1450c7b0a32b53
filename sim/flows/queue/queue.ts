/**
 * A queue and its consumer. The queue keeps each message until it was acknowledged, and delivers it at least once: in batches as they come, in any
 * order, again when it does not hear of one, and now and then though it did, but never later than it keeps messages. The consumer does what
 * worker/queue.ts does: a batch is one request, and each message one of its own where that fails.
 */
import { partitionOfHash } from "../../../protocol/keygroups/map.ts";
import { INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import type { ClientSetup } from "../../clients/client.ts";
import { answersOf, carriedBy } from "../../clients/carried.ts";
import { edgeId } from "../../clients/edge-id.ts";
import type { Answer } from "../../clients/frames.ts";
import type { Request } from "../../clients/ledger.ts";
import { SMALL_LIMITS } from "../../planted/small-limits.ts";
import { createRandom, type Random } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { OUTSIDE } from "../../world/network.ts";
import { encodeQueueAsk, type QueueAsk } from "./asks.ts";
import { FIRST_DELIVERY, type SentMessage } from "./draw.ts";

const MOST_AT_ONCE = 3;
const MOST_IN_BATCH = 6;
const PAUSE_MS = 160;
/** The consumer asks again after this, and is given up after that. */
const AGAIN_MS = 200;
const PATIENCE_MS = 900;
const OVERLOADED = 503;
/** Between the last delivery of a message and the time at which its id may be forgotten. */
const MARGIN_MS = 4_000;

interface Kept extends SentMessage {
  /** Batches with it that are under way. */
  under: number;
  acknowledged: boolean;
  /** When it was delivered first, ms; null before. */
  firstAt: number | null;
}

/** A delivery that is under way. */
interface Delivery {
  readonly messages: readonly Kept[];
  readonly request: Request;
  readonly ended: () => void;
  isOver: boolean;
}

export class Queue {
  readonly #setup: ClientSetup;
  readonly #random: Random;
  readonly #messages: readonly Kept[];
  #requests = 0;
  readonly #keptMs: number;
  #under = 0;

  /**
   * @param messages in the order in which they are sent
   * @param skewMs how far clocks may be off, each way
   */
  constructor(setup: ClientSetup, messages: readonly SentMessage[], skewMs: number) {
    this.#setup = setup;
    this.#keptMs = SMALL_LIMITS.queuedIdMs - 2 * skewMs - MARGIN_MS;
    this.#random = createRandom(deriveSeed(setup.world.seed, 75));
    this.#messages = messages.map((message) => ({ ...message, under: 0, acknowledged: false, firstAt: null }));
  }

  get isDone(): boolean {
    return this.#under === 0 && this.#messages.every(({ acknowledged }) => acknowledged);
  }

  start(): void {
    this.#setup.world.scheduler.in(this.#random.int(PAUSE_MS), () => {
      if (this.#messages.every(({ acknowledged }) => acknowledged)) return;
      if (this.#under < MOST_AT_ONCE) this.#deliverSome();
      this.start();
    });
  }

  /** The last time at which the queue still has all of them, as far as it delivers any again; ms. */
  get lastAt(): number {
    return Math.min(...this.#messages.map(({ firstAt }) => firstAt ?? Infinity)) + this.#keptMs;
  }

  /** Everything that it still has once more, in other batches than before, as if nothing had been heard of it. */
  deliverAgain(): void {
    const { now } = this.#setup.world.scheduler;
    const kept = this.#messages.filter((message) => this.#keeps(message, now));
    for (let at = 0; at < kept.length; at += MOST_IN_BATCH) {
      this.#setup.world.count("messages delivered again late");
      this.#deliver(kept.slice(at, at + MOST_IN_BATCH).toReversed());
    }
  }

  #keeps({ firstAt }: Kept, now: number): boolean {
    return firstAt === null || now <= firstAt + this.#keptMs;
  }

  #deliverSome(): void {
    const { now } = this.#setup.world.scheduler;
    // One that has not been taken in all that time is given up by the queue.
    for (const message of this.#messages) if (!this.#keeps(message, now)) message.acknowledged = true;
    const sent = this.#messages.filter((message) => message.at <= now && this.#keeps(message, now));
    const some = sent.filter(({ acknowledged, under }) =>
      acknowledged || under > 0 ? this.#random.oneIn(12) : this.#random.oneIn(2),
    );
    const batch = shuffled(this.#random, some).slice(0, 1 + this.#random.int(MOST_IN_BATCH));
    const [first] = batch;
    if (first === undefined) return;
    if (batch.some(({ acknowledged }) => acknowledged)) this.#setup.world.count("message delivered again");
    // One that is in the queue twice.
    this.#deliver(this.#random.oneIn(5) ? [...batch, first] : batch);
  }

  #deliver(messages: readonly Kept[], ended: () => void = () => undefined): void {
    const { world, durable, ledger } = this.#setup;
    const request = this.#requestOf(messages);
    ledger.invoked(request, "queue");
    durable.asked(request);
    for (const message of messages) {
      message.under += 1;
      message.firstAt ??= world.scheduler.now;
    }
    this.#under += 1;
    const delivery: Delivery = { messages, request, ended, isOver: false };
    world.scheduler.in(PATIENCE_MS * (0.3 + this.#random.next()), () => {
      if (!delivery.isOver) world.count("consumer of a queue given up");
      this.#end(delivery);
    });
    this.#send(delivery);
  }

  /** Another one each time: the stream knows every message by its id. */
  #requestOf(messages: readonly Kept[]): Request {
    const { now } = this.#setup.world.scheduler;
    const number = FIRST_DELIVERY + this.#requests++;
    const ask: QueueAsk = { kind: "queued", messages: messages.map(({ id, event }) => ({ id, event })) };
    const { at, name, input } = encodeQueueAsk(ask);
    const transaction = { number, ask, snapshot: false, clientId: false, after: 0 };
    const row = { id: edgeId(now, number), at, name, input, flags: INVOKE_FLAG.internal, fingerprint: number };
    return { transaction, row, began: now };
  }

  #send(delivery: Delivery): void {
    if (delivery.isOver) return;
    const { world, kernels, map } = this.#setup;
    const { network } = world;
    const [carried] = carriedBy(kernels, [delivery.request]);
    if (!carried) throw new Error("a delivery that is no request");
    const partition = partitionOfHash(map(), kernels.hashKey(delivery.request.row.at[1]));
    network.carry(OUTSIDE, partition, () =>
      world.partitions[partition]?.routeAsk(carried.input, (body) => {
        const answers = answersOf(kernels, body);
        for (const answer of answers) this.#setup.durable.left(delivery.request, answer);
        network.carry(partition, OUTSIDE, () => this.#answered(delivery, answers));
      }),
    );
    world.scheduler.in(AGAIN_MS * (0.5 + this.#random.next()), () => this.#send(delivery));
  }

  #answered(delivery: Delivery, answers: readonly Answer[]): void {
    const [answer] = answers;
    // The edge looks for the key elsewhere by itself.
    if (answer === undefined || answer.staleMap) return;
    const { request, messages } = delivery;
    this.#setup.ledger.answered(request, answer);
    if (delivery.isOver) return;
    if (answer.status === 200) {
      // What it says to the queue may be lost.
      if (this.#random.oneIn(8)) this.#setup.world.count("acknowledgement of messages lost");
      else for (const message of messages) message.acknowledged = true;
    } else if (answer.status !== OVERLOADED && messages.length > 1) {
      this.#setup.world.count("messages taken one by one");
      this.#oneByOne([...new Set(messages)], delivery.ended);
      return this.#end(delivery, false);
    }
    this.#end(delivery);
  }

  #oneByOne([first, ...others]: readonly Kept[], ended: () => void): void {
    if (first === undefined) return ended();
    this.#deliver([first], () => this.#oneByOne(others, ended));
  }

  #end(delivery: Delivery, isLast = true): void {
    if (delivery.isOver) return;
    delivery.isOver = true;
    for (const message of delivery.messages) message.under -= 1;
    this.#under -= 1;
    if (isLast) delivery.ended();
  }
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.int(left.length), 1)[0] as T);
}
