/** The Durable Object of the coordinator: owns the key-group map and decides epochs. */
import { DurableObject } from "cloudflare:workers";
import core from "../core-wasm/build/core.wasm";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import { CorruptError } from "../core-wasm/types.ts";
import type { CoordinatorEffect, CoordinatorInput } from "../protocol/coordinator/effects.ts";
import { decideMap } from "../protocol/coordinator/key-group-map.ts";
import { CoordinatorMachine } from "../protocol/coordinator/machine.ts";
import type { CoordinatorStatus } from "../protocol/coordinator/status.ts";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";
import { LinkShell } from "./link-shell.ts";
import type { PeerRpc, PeerSession } from "./peers.ts";
import { SqlMeter } from "./sql-meter.ts";
import { type Usage, type UsageFigures, usageOf } from "./usage.ts";

export type MapAnswer = { readonly map: KeyGroupMap } | { readonly refused: string };

export interface CoordinatorRpc extends PeerRpc {
  /** The domain's map; made now if it has none. Refused when the configured count differs from the stored one. */
  keyGroupMap(configured: number): Promise<MapAnswer>;
  /** Figures for tests and metrics. */
  status(): Promise<CoordinatorStatus>;
  /** What this object has cost. */
  usage(): Promise<UsageFigures>;
}

const TABLE = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

class CoordinatorShell {
  readonly #ctx: DurableObjectState;
  readonly #usage: Usage;
  readonly #sql: SqlMeter;
  readonly #links: LinkShell;
  readonly #machine: CoordinatorMachine;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    this.#usage = usageOf(ctx.id.name ?? "");
    this.#usage.started();
    this.#sql = new SqlMeter(ctx.storage.sql, this.#usage);
    this.#sql.exec(TABLE);
    const host = { input: (input: CoordinatorInput) => this.#input(input), settled: () => ctx.storage.sync() };
    this.#links = new LinkShell(host, this.#usage);
    const generation = Number(this.meta("generation") ?? 0) + 1;
    this.putMeta("generation", String(generation));
    this.#machine = new CoordinatorMachine({
      kernels: createKernels(core),
      generation,
      stored: { registered: this.meta("registered"), aborted: this.meta("aborted") },
    });
    this.#perform(this.#machine.start(Date.now()));
  }

  meta(name: string): string | undefined {
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM meta WHERE name = ?", name).toArray();
    return row?.value;
  }

  putMeta(name: string, value: string): void {
    this.#sql.exec("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value);
  }

  session(): PeerSession {
    return this.#links.session((bytes) => this.#links.deliver(bytes));
  }

  get status(): CoordinatorStatus {
    return this.#machine.status;
  }

  get usage(): UsageFigures {
    this.#sql.settle();
    return this.#usage.figures;
  }

  /** The map was asked for: a call beside those that links count. */
  asked(): void {
    this.#usage.request(0);
  }

  /** An error other than that of a damaged batch is a failed assertion: the next instance starts from storage. */
  #input(input: CoordinatorInput): void {
    try {
      this.#perform(this.#machine.step(input, Date.now()));
    } catch (error) {
      if (error instanceof CorruptError) throw error;
      console.error("the coordinator starts over:", error);
      this.#ctx.abort(error instanceof Error ? error.message : String(error));
    }
  }

  #perform(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "persist") for (const { name, value } of effect.ops) this.putMeta(name, value);
      else this.#links.perform(effect);
    }
  }
}

/** The class to export as `Coordinator`. */
export function coordinatorClass(): new (ctx: DurableObjectState, env: unknown) => DurableObject & CoordinatorRpc {
  return class Coordinator extends DurableObject implements CoordinatorRpc {
    readonly #shell: CoordinatorShell;

    constructor(ctx: DurableObjectState, env: unknown) {
      super(ctx, env as never);
      this.#shell = new CoordinatorShell(ctx);
    }

    async keyGroupMap(configured: number): Promise<MapAnswer> {
      this.#shell.asked();
      const decision = decideMap(this.#shell.meta("map"), configured);
      if (decision.kind === "refused") return { refused: decision.detail };
      if (decision.kind === "made") this.#shell.putMeta("map", decision.stored);
      return { map: decision.map };
    }

    peerSession(): PeerSession {
      return this.#shell.session();
    }

    async status(): Promise<CoordinatorStatus> {
      return this.#shell.status;
    }

    async usage(): Promise<UsageFigures> {
      return this.#shell.usage;
    }
  };
}
