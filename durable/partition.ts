/** The Durable Object of a partition: holds the machine and does its I/O. */
import { DurableObject } from "cloudflare:workers";
import core from "../core-wasm/build/core.wasm";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import { CorruptError } from "../core-wasm/types.ts";
import { Engine, type EngineHost, type HostEffect } from "../protocol/execution/engine.ts";
import { decodeMap, encodeMap } from "../protocol/keygroups/map.ts";
import type { ViewReply, ViewRequest } from "../protocol/partition/effects.ts";
import { PartitionMachine } from "../protocol/partition/machine.ts";
import type { AppDefinition } from "../sdk/app.ts";
import { FlushSchedule } from "./flush-schedule.ts";
import { fetchMap } from "./map.ts";
import { enclose, guardGlobals, platformTimers } from "./sandbox.ts";
import { PartitionStore } from "./store.ts";

interface Waiting {
  resolve(body: Uint8Array | ViewReply): void;
  reject(error: unknown): void;
}

/** What the edge may call. Every method is safe to call twice with the same arguments. */
export interface PartitionRpc {
  /** @throws CorruptError for a damaged frame */
  invoke(frame: Uint8Array): Promise<Uint8Array>;
  ingest(frame: Uint8Array): Promise<Uint8Array>;
  view(query: ViewRequest): Promise<ViewReply>;
}

/** Names of partition objects end in their number. */
export const PARTITION_NAME = /^partition-(\d+)$/;

/** The class to export as `Partition` for an app. */
export function partitionClass(app: AppDefinition): new (ctx: DurableObjectState, env: unknown) => DurableObject & PartitionRpc {
  return class Partition extends DurableObject implements PartitionRpc, EngineHost {
    #engine: Engine | undefined;
    #schedule: FlushSchedule;
    #store: PartitionStore;
    #nextTicket = 1;
    readonly #waiting = new Map<number, Waiting>();

    constructor(ctx: DurableObjectState, env: unknown) {
      super(ctx, env as never);
      guardGlobals();
      this.#store = new PartitionStore(ctx.storage.sql);
      this.#schedule = new FlushSchedule(
        () => this.#engine?.input({ kind: "flush" }),
        () => ctx.storage.sync(),
      );
      void ctx.blockConcurrencyWhile(() => this.#start());
    }

    async #start(): Promise<void> {
      const partition = Number(PARTITION_NAME.exec(this.ctx.id.name ?? "")?.[1] ?? Number.NaN);
      if (Number.isNaN(partition)) throw new Error(`a partition object needs a name like partition-0, not ${this.ctx.id.name}`);
      const stored = this.#store.meta("map");
      const map = stored === undefined ? await fetchMap(app.partitions) : decodeMap(stored);
      if (stored === undefined) this.#store.perform({ op: "put-meta", name: "map", value: encodeMap(map) });
      const machine = new PartitionMachine({
        app,
        kernels: createKernels(core),
        reader: this.#store,
        partition,
        map,
        incarnation: this.#store.nextIncarnation(),
        recovered: this.#store.recovered(),
      });
      this.#engine = new Engine(machine, this);
    }

    invoke(frame: Uint8Array): Promise<Uint8Array> {
      return this.#request((ticket) => this.#input().input({ kind: "invoke", ticket, frame })) as Promise<Uint8Array>;
    }

    ingest(frame: Uint8Array): Promise<Uint8Array> {
      return this.#request((ticket) => this.#input().input({ kind: "ingest", ticket, frame })) as Promise<Uint8Array>;
    }

    view(query: ViewRequest): Promise<ViewReply> {
      return this.#request((ticket) => this.#input().input({ kind: "view", ticket, query })) as Promise<ViewReply>;
    }

    #input(): Engine {
      if (!this.#engine) throw new Error("the partition has not started");
      return this.#engine;
    }

    #request(feed: (ticket: number) => void): Promise<Uint8Array | ViewReply> {
      const ticket = this.#nextTicket++;
      return new Promise((resolve, reject) => {
        this.#waiting.set(ticket, { resolve, reject });
        try {
          feed(ticket);
        } catch (error) {
          this.#waiting.delete(ticket);
          if (error instanceof CorruptError) console.error(`refused a damaged frame: ${error.message}`);
          reject(error);
        }
      });
    }

    perform(effect: HostEffect): void {
      switch (effect.kind) {
        case "persist":
          for (const op of effect.ops) this.#store.perform(op);
          return;
        case "reply":
          // The output gate holds the answer until every write of this and earlier turns is confirmed.
          this.#waiting.get(effect.ticket)?.resolve(effect.body);
          this.#waiting.delete(effect.ticket);
          return;
        case "want-flush":
          this.#schedule.want();
          return;
        case "want-fold":
          platformTimers.setTimeout(() => this.#engine?.input({ kind: "fold" }), 0);
          return;
        case "report":
          console[effect.level](effect.message, effect.error);
          return;
        case "reset":
          this.fatal(new Error(effect.reason));
      }
    }

    /** Drops this instance, this turn's writes included; the platform starts the next from storage. */
    fatal(error: unknown): void {
      console.error(`partition ${this.ctx.id.name} starts over:`, error);
      this.ctx.abort(error instanceof Error ? error.message : String(error));
    }

    enclose<T>(call: () => T): T {
      return enclose(call);
    }
    now(): number {
      return Date.now();
    }
    random(): number {
      return Math.random();
    }
    uuid(): string {
      return crypto.randomUUID();
    }
  };
}
