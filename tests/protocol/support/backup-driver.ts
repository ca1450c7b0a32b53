/** What the edge does for a backup, an ask at a time, each to be made when the test says so: anything may happen in between. */
import type { AdminAsk, AdminReply, FreezeAnswer, ThawAnswer } from "../../../protocol/backup/asks.ts";
import type { Peer } from "../../../protocol/wire/messages.ts";
import { createRandom, type Random } from "../../../sim/random.ts";
import type { Cluster } from "./cluster.ts";

type Phase = "freeze" | "pin" | "thaw" | "read" | "done" | "failed";

/** A backup of a cluster in which nothing is under way. */
export async function backedUp(cluster: Cluster, partitions: number): Promise<BackupDriver> {
  const driver = new BackupDriver(cluster, partitions, createRandom(1), "backup-1");
  for (let step = 0; driver.phase !== "done" && step < 1_000; step++) await driver.step();
  if (driver.phase !== "done") throw new Error(`there is no backup: ${driver.phase}`);
  return driver;
}

/** Takes it in as the edge does, up to the end: nobody serves it yet. */
export async function takeIn(cluster: Cluster, { id, tables }: BackupDriver): Promise<void> {
  for (const peer of tables.keys()) await asked(cluster, peer, { op: "restore", id });
  for (const [peer, own] of tables.entries())
    for (const bytes of own) await asked(cluster, peer, { op: "restore-table", id, bytes });
}

/** All of it: everybody serves what is restored. */
export async function restoreInto(cluster: Cluster, driver: BackupDriver): Promise<void> {
  await takeIn(cluster, driver);
  for (const peer of driver.tables.keys()) {
    await asked(cluster, peer, { op: "restore-end", id: driver.id });
    await cluster.restart(peer);
  }
  await cluster.settle();
}

/** What it is answered. @throws Error for a refusal */
export async function asked(cluster: Cluster, peer: Peer, ask: AdminAsk): Promise<AdminReply> {
  const answer = await cluster.admin(peer, ask);
  if (answer instanceof Uint8Array || answer.status !== 200) throw new Error(JSON.stringify(answer));
  return answer;
}

export class BackupDriver {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #partitions: number;
  readonly id: string;
  phase: Phase = "freeze";
  /** Of each partition, in order. */
  readonly tables: Uint8Array[][];
  /** Partitions that this phase has yet to ask. */
  #left: Peer[];
  #quiet = true;
  readonly #standstills = new Map<Peer, string>();
  #round = 0;

  constructor(cluster: Cluster, partitions: number, random: Random, id: string) {
    this.#cluster = cluster;
    this.#random = random;
    this.#partitions = partitions;
    this.id = id;
    this.tables = Array.from({ length: partitions }, () => []);
    this.#left = this.#all();
  }

  #all(): Peer[] {
    return Array.from({ length: this.#partitions }, (_, peer) => peer);
  }

  #begin(phase: Phase): void {
    this.phase = phase;
    this.#left = this.#all();
    this.#quiet = true;
  }

  /** Asks one partition. */
  async step(): Promise<void> {
    const peer = this.#random.pick(this.#left);
    switch (this.phase) {
      case "freeze": {
        const { quiet, standstill } = await this.#ask<FreezeAnswer>(peer, { op: "freeze", id: this.id });
        this.#quiet &&= quiet;
        this.#standstills.set(peer, standstill);
        return this.#asked(peer, this.#quiet ? "pin" : "freeze");
      }
      case "pin": {
        const standstill = this.#standstills.get(peer) ?? "";
        const ask = { op: "pin", id: this.id, service: null, standstill, round: this.#round } as const;
        const answer = (await this.#cluster.admin(peer, ask)) as AdminReply;
        if (answer.status === 200) return this.#asked(peer, "thaw");
        this.#round += 1;
        return this.#begin("freeze");
      }
      case "thaw": {
        const standstill = this.#standstills.get(peer) ?? "";
        const { held } = await this.#ask<ThawAnswer>(peer, { op: "thaw", id: this.id, standstill });
        return held ? this.#asked(peer, "read") : this.#begin("failed");
      }
      case "read":
        return this.#read(peer);
      default:
    }
  }

  /** Leaves nothing behind; another may begin. */
  async giveUp(): Promise<void> {
    for (const peer of this.#all()) {
      await this.#cluster.admin(peer, { op: "thaw", id: this.id, standstill: null });
      await this.#cluster.admin(peer, { op: "release", id: this.id });
    }
  }

  async #ask<T>(peer: Peer, ask: AdminAsk): Promise<T> {
    return JSON.parse(((await this.#cluster.admin(peer, ask)) as AdminReply).body) as T;
  }

  #asked(peer: Peer, next: Phase): void {
    this.#left = this.#left.filter((other) => other !== peer);
    if (this.#left.length === 0) this.#begin(next);
  }

  async #read(peer: Peer): Promise<void> {
    const tables = this.tables[peer] as Uint8Array[];
    const table = await this.#cluster.admin(peer, { op: "table", id: this.id, number: tables.length });
    if (!(table instanceof Uint8Array)) return this.#begin("failed");
    if (table.length > 0) tables.push(table);
    else this.#asked(peer, "done");
  }
}
