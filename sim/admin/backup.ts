/** Takes a backup as `POST /admin/backup` does, while everything goes wrong: the whole domain as it was at one moment, or nothing. */
import type { FreezeAnswer, ThawAnswer } from "../../protocol/backup/asks.ts";
import type { KeyGroupMap } from "../../protocol/keygroups/map.ts";
import type { Peer } from "../../protocol/wire/messages.ts";
import type { ClientSetup } from "../clients/client.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { type AdminAnswer, AdminLine } from "./line.ts";

/** What was taken, and between which events of clients. */
export interface Taken {
  readonly id: string;
  readonly map: KeyGroupMap;
  /** Of each partition, in order. */
  readonly tables: ReadonlyArray<readonly Uint8Array[]>;
  readonly invoked: number;
  readonly completed: number;
  /** When everybody stood still; simulated ms. */
  readonly at: number;
}

/** One try at it. */
interface Try {
  readonly id: string;
  readonly map: KeyGroupMap;
  readonly invoked: number;
  /** When it gives up waiting until nothing is under way; ms. */
  readonly deadline: number;
  readonly standstills: string[];
  round: number;
}

const PAUSE_MS = 8;
const PATIENCE_MS = 4_000;
const OK = 200;

export class Backup {
  readonly #setup: ClientSetup;
  readonly #line: AdminLine;
  readonly #random: Random;
  #tries = 0;
  taken: Taken | null = null;

  constructor(setup: ClientSetup) {
    this.#setup = setup;
    this.#random = createRandom(deriveSeed(setup.world.seed, 30));
    this.#line = new AdminLine(setup.world, this.#random);
  }

  get isDone(): boolean {
    return this.taken !== null;
  }

  start(): void {
    const { world, map, ledger } = this.#setup;
    world.count("backup begun");
    const id = `backup-${++this.#tries}`;
    const deadline = world.scheduler.now + PATIENCE_MS;
    this.#freeze({ id, map: map(), invoked: ledger.mark(), deadline, standstills: [], round: 0 });
  }

  /** Asks all partitions at once, and goes on with all answers. */
  #all(
    { map }: Try,
    ask: (peer: Peer) => Parameters<AdminLine["ask"]>[1],
    then: (answers: AdminAnswer[]) => void,
  ): void {
    const answers: AdminAnswer[] = [];
    let left = map.partitions;
    for (let peer = 0; peer < map.partitions; peer++) {
      this.#line.ask(peer, ask(peer), (answer) => {
        answers[peer] = answer;
        left -= 1;
        if (left === 0) then(answers);
      });
    }
  }

  #freeze(one: Try): void {
    this.#all(
      one,
      () => ({ op: "freeze", id: one.id }),
      (answers) => {
        const frozen = answers.map(valueOf<FreezeAnswer>);
        if (frozen.some((each) => each === null || each.map !== one.map.version)) return this.#giveUp(one);
        const all = frozen as FreezeAnswer[];
        one.standstills.splice(0, Infinity, ...all.map(({ standstill }) => standstill));
        if (all.every(({ quiet }) => quiet)) return this.#pin(one);
        this.#again(one);
      },
    );
  }

  #again(one: Try): void {
    const { scheduler } = this.#setup.world;
    if (scheduler.now > one.deadline) return this.#giveUp(one);
    one.round += 1;
    scheduler.in(this.#random.next() * PAUSE_MS, () => this.#freeze(one));
  }

  #pin(one: Try): void {
    const { id, round, standstills } = one;
    const ask = (peer: Peer) =>
      ({ op: "pin", id, service: null, standstill: standstills[peer] as string, round }) as const;
    this.#all(one, ask, (answers) => {
      const types = answers.map((answer) => (answer instanceof Uint8Array ? "" : answer.type));
      if (types.every((type) => type === "")) return this.#thaw(one);
      if (types.every((type) => type === "" || type === "/problems/backup-interrupted")) return this.#again(one);
      this.#giveUp(one);
    });
  }

  #thaw(one: Try): void {
    const { id, standstills, map, invoked } = one;
    const { world, ledger } = this.#setup;
    // From here on some go on, though not all have been told to.
    const at = world.scheduler.now;
    const ask = (peer: Peer) => ({ op: "thaw", id, standstill: standstills[peer] as string }) as const;
    this.#all(one, ask, (answers) => {
      if (!answers.every((answer) => valueOf<ThawAnswer>(answer)?.held === true)) return this.#giveUp(one);
      const tables = Array.from({ length: map.partitions }, (): Uint8Array[] => []);
      const read = { id, map, tables, invoked, completed: ledger.mark(), at };
      let left = map.partitions;
      const done = (): void => {
        left -= 1;
        if (left === 0) this.#end(one, read);
      };
      for (const [peer, own] of tables.entries()) this.#read(one, peer, own, done);
    });
  }

  #read(one: Try, peer: Peer, own: Uint8Array[], done: () => void): void {
    this.#line.ask(peer, { op: "table", id: one.id, number: own.length }, (table) => {
      if (!(table instanceof Uint8Array)) return this.#giveUp(one);
      if (table.length === 0) return done();
      own.push(table);
      this.#read(one, peer, own, done);
    });
  }

  #end(one: Try, taken: Taken): void {
    this.#setup.world.count("backup taken");
    this.taken = taken;
    this.#all(
      one,
      () => ({ op: "release", id: one.id }),
      () => undefined,
    );
  }

  /** Leaves nothing behind, and tries again. Several answers may lead here: the first counts. */
  #giveUp(one: Try): void {
    if (one.round < 0) return;
    one.round = -1;
    this.#setup.world.count("backup interrupted");
    this.#all(
      one,
      () => ({ op: "thaw", id: one.id, standstill: null }),
      () =>
        this.#all(
          one,
          () => ({ op: "release", id: one.id }),
          () => this.#setup.world.scheduler.in(50 + this.#random.next() * 100, () => this.start()),
        ),
    );
  }
}

function valueOf<T>(answer: AdminAnswer): T | null {
  return answer instanceof Uint8Array || answer.status !== OK ? null : (answer.value as T);
}
