/** A client: asks for one group of transactions after the other, and asks again until all of a group are answered. */
import type { Kernels } from "../../core-wasm/types.ts";
import { type KeyGroupMap, partitionOfHash } from "../../protocol/keygroups/map.ts";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { OUTSIDE } from "../world/network.ts";
import type { DurableLog } from "../durable-log.ts";
import type { World } from "../world/world.ts";
import { answersOf, type Carried, carriedBy } from "./carried.ts";
import type { Answer, Row } from "./frames.ts";
import type { Ledger, Request } from "./ledger.ts";
import { encodeAsk, isInternal } from "./asks.ts";
import { edgeId } from "./edge-id.ts";
import type { ClientPlan, Transaction } from "./transaction.ts";

/** The edge gives up after this; whoever has a client's id never does. */
const EDGE_PATIENCE_MS = 30_000;

export interface ClientSetup {
  readonly world: World;
  readonly kernels: Kernels;
  readonly ledger: Ledger;
  /** As it is told to who asks for it. */
  readonly map: () => KeyGroupMap;
  readonly durable: DurableLog;
}

/**
 * How long an answer may take once nothing goes wrong. What waits for something that does not come, and goes on when a deadline has passed, takes
 * longer. Twice what was seen: a clock that was set back, and by how much instances bear with it, has most of that.
 */
const SLOWEST_MS = 12_000;
/** What a client waits before it asks again doubles up to so many times the first pause. */
const LONGEST_PAUSE = 8;

export class Client {
  readonly #setup: ClientSetup;
  readonly #number: number;
  readonly #plan: ClientPlan;
  readonly #random: Random;
  readonly #done: () => void;
  #group = 0;
  /** As it was told last: groups may have moved since. */
  #map: KeyGroupMap;
  /** Rows of the present group that have no answer. */
  #open: Request[] = [];
  #sendings = 0;
  /**
   * The sending of each request that follows the map: one at a time. A partition that has not heard of the map yet says so each time, and if every
   * copy of that answer were followed, what is sent would double with each copy.
   */
  readonly #following = new Map<Request, number>();

  /** @param done is called when all is answered */
  constructor(setup: ClientSetup, number: number, plan: ClientPlan, done: () => void = () => undefined) {
    this.#done = done;
    this.#setup = setup;
    this.#number = number;
    this.#plan = plan;
    this.#map = setup.map();
    this.#random = createRandom(deriveSeed(setup.world.seed, 4, number));
  }

  /** All that it asks for is answered. */
  get isDone(): boolean {
    return this.#group >= this.#plan.length && this.#open.length === 0;
  }

  next(): void {
    const group = this.#plan[this.#group];
    if (!group) return this.#done();
    this.#setup.world.scheduler.in(group[0]?.after ?? 0, () => this.#begin(group));
  }

  #begin(group: readonly Transaction[]): void {
    this.#group += 1;
    this.#open = group.map((transaction, line) => this.#request(transaction, line + 1));
    for (const request of this.#open) {
      this.#setup.ledger.invoked(request, `client ${this.#number}.${request.transaction.number}`);
      this.#setup.durable.asked(request);
    }
    this.#ask();
    for (const request of this.#open) {
      for (const ms of request.transaction.again ?? []) this.#setup.world.scheduler.in(ms, () => this.#send([request]));
    }
  }

  #request(transaction: Transaction, line: number): Request {
    const { world } = this.#setup;
    const { at, name, input: body } = encodeAsk(transaction.ask, (of) => this.#setup.ledger.answerTo(of));
    const input = transaction.delay === undefined ? body : `+${transaction.delay}\n${body}`;
    const flags =
      (transaction.clientId ? INVOKE_FLAG.clientId : 0) |
      (transaction.snapshot ? INVOKE_FLAG.snapshot : 0) |
      (transaction.oneWay ? INVOKE_FLAG.oneWay : 0) |
      (transaction.delay === undefined ? 0 : INVOKE_FLAG.delayed) |
      (isInternal(transaction.ask) ? INVOKE_FLAG.internal : 0) |
      (transaction.ask.kind === "erase" ? INVOKE_FLAG.erase : 0);
    const { clientId, number } = transaction;
    const id = clientId ? `c${(number + 1).toString(16).padStart(31, "0")}` : edgeId(world.scheduler.now, number, line);
    const row: Row = { id, at, name, input, flags, fingerprint: transaction.number };
    return { transaction, row, began: world.scheduler.now };
  }

  /** Sends what is unanswered, and does so again after a while. */
  #ask(pause = 1): void {
    const { world } = this.#setup;
    this.#giveUp();
    if (this.#open.length === 0) return;
    const group = this.#group;
    this.#send([...this.#open], true);
    world.scheduler.in(pause * (100 + this.#random.next() * 250), () => {
      if (this.#group !== group || this.#open.length === 0) return;
      world.count("request repeated");
      this.#ask(Math.min(2 * pause, LONGEST_PAUSE));
    });
  }

  #giveUp(): void {
    const { world, ledger } = this.#setup;
    for (const request of [...this.#open]) {
      if (request.transaction.clientId || world.scheduler.now - request.began < EDGE_PATIENCE_MS) continue;
      ledger.givenUp(request);
      this.#close(request);
    }
  }

  /** By the map, in a frame for each partition. */
  #send(requests: readonly Request[], follows = false): void {
    const sending = ++this.#sendings;
    const frames = new Map<number, Request[]>();
    for (const request of requests) {
      if (follows) this.#following.set(request, sending);
      const partition = partitionOfHash(this.#map, this.#setup.kernels.hashKey(request.row.at[1]));
      frames.set(partition, [...(frames.get(partition) ?? []), request]);
    }
    for (const [partition, rows] of frames)
      for (const carried of carriedBy(this.#setup.kernels, rows)) this.#sendTo(partition, carried, sending);
  }

  #sendTo(partition: number, { requests, input }: Carried, sending: number): void {
    const { world, kernels } = this.#setup;
    const { network } = world;
    network.carry(OUTSIDE, partition, () => {
      const object = world.partitions[partition];
      object?.routeAsk(input, (body) => {
        const answers = answersOf(kernels, body);
        this.#left(requests, answers);
        network.carry(partition, OUTSIDE, () => this.#answered(requests, answers, sending));
      });
    });
  }

  #left(requests: readonly Request[], answers: readonly Answer[]): void {
    for (const answer of answers) {
      const request = requests[answer.line - 1];
      if (request) this.#setup.durable.left(request, answer);
    }
  }

  #answered(requests: readonly Request[], answers: readonly Answer[], sending: number): void {
    const { ledger, world } = this.#setup;
    const moved: Request[] = [];
    for (const answer of answers) {
      const request = requests[answer.line - 1];
      if (request && answer.staleMap) {
        if (this.#following.get(request) === sending) moved.push(request);
        continue;
      }
      if (!request) {
        this.#setup.world.fail(`an answer for line ${answer.line}, which was not asked`);
        continue;
      }
      if (ledger.answered(request, answer)) this.#close(request);
    }
    if (moved.length === 0) return;
    world.count("request sent elsewhere");
    for (const request of moved) this.#following.delete(request);
    this.#map = this.#setup.map();
    world.scheduler.in(1 + this.#random.next() * 5, () => this.#send(moved, true));
  }

  #close(request: Request): void {
    const at = this.#open.indexOf(request);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.#seeHowLong(request);
    // Some ask again although they were answered: the answer must be the same.
    if (this.#random.oneIn(15)) this.#setup.world.scheduler.in(this.#random.next() * 300, () => this.#send([request]));
    if (this.#open.length === 0) this.next();
  }

  #seeHowLong({ began, transaction }: Request): void {
    const { world } = this.#setup;
    const ms = world.scheduler.now - Math.max(began, world.calmSince);
    if (ms > SLOWEST_MS) world.fail(`too slow: transaction ${transaction.number} had no answer for ${ms} ms of calm`);
  }
}
