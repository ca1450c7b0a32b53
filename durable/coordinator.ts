/** The Durable Object of the coordinator: owns the key-group map and decides epochs. */
import { DurableObject } from "cloudflare:workers";
import core from "../core-wasm/build/core.wasm";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import { CorruptError } from "../core-wasm/types.ts";
import type { CoordinatorEffect, CoordinatorInput } from "../protocol/coordinator/effects.ts";
import { CoordinatorMachine } from "../protocol/coordinator/machine.ts";
import type { RescaleStatus } from "../protocol/coordinator/rescaling.ts";
import type { CoordinatorStatus } from "../protocol/coordinator/status.ts";
import { logEntry } from "../protocol/observe/log-entry.ts";
import type { CoordinatorFigures } from "../protocol/observe/figures.ts";
import { readName } from "../protocol/keygroups/names.ts";
import { declaredSchedules } from "../protocol/timers/schedules.ts";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";
import { unstarted } from "../protocol/unstarted.ts";
import type { AppDefinition } from "../sdk/app.ts";
import { COORDINATOR } from "../protocol/wire/messages.ts";
import { Gathering } from "./gathering.ts";
import { LinkShell } from "./link-shell.ts";
import type { PeerRpc, PeerSession } from "./peers.ts";
import { SqlMeter } from "./sql-meter.ts";
import { type Usage, type UsageFigures, usageOf } from "./usage.ts";

export interface CoordinatorRpc extends PeerRpc {
  /** The domain's map. It changes when key groups move. */
  keyGroupMap(): Promise<KeyGroupMap>;
  /** There are to be so many partitions: returns at once, and key groups move from then on. @throws for a number that cannot be */
  rescale(partitions: number): Promise<RescaleStatus>;
  rescaleStatus(): Promise<RescaleStatus>;
  /** Figures for tests and metrics. */
  status(): Promise<CoordinatorStatus>;
  /** What `/metrics` tells of it. */
  figures(): Promise<CoordinatorFigures>;
  /** What this object has cost. */
  usage(): Promise<UsageFigures>;
}

const TABLE = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

/** Names of texts that the machine has stored. */
const STORED = ["registered", "aborted", "committed", "map", "next", "wanted", "configured"] as const;

/** Nobody is wrong: only the records of all partitions say now whether that epoch is committed. */
const SOLE_MEMBER_LOST = "the sole member of an epoch is lost or silent";

class CoordinatorShell {
  readonly #ctx: DurableObjectState;
  readonly #tenant: string;
  readonly #usage: Usage;
  readonly #sql: SqlMeter;
  readonly #links: LinkShell;
  readonly #machine: CoordinatorMachine;

  constructor(ctx: DurableObjectState, app: AppDefinition) {
    const { door } = app;
    const { tenant } = readName(ctx.id.name);
    this.#ctx = ctx;
    this.#tenant = tenant;
    this.#usage = usageOf(ctx.id.name ?? "");
    this.#usage.started();
    this.#sql = new SqlMeter(ctx.storage.sql, this.#usage);
    this.#sql.exec(TABLE);
    // No crowd: it knows of epochs and not how much is in them, and all partitions wait for it.
    const gathering = new Gathering({ isAlone: () => this.#machine.isAlone, settled: () => ctx.storage.sync() });
    const host = {
      input: (input: CoordinatorInput) => this.#input(input),
      gathered: (apart: boolean) => gathering.over(apart),
    };
    this.#links = new LinkShell(host, this.#usage, { tenant, placement: door.placement(tenant) }, COORDINATOR);
    const generation = Number(this.meta("generation") ?? 0) + 1;
    this.putMeta("generation", String(generation));
    this.#machine = new CoordinatorMachine({
      kernels: createKernels(core),
      generation,
      partitions: app.partitions,
      scheduled: declaredSchedules(app).keys(),
      stored: Object.fromEntries(STORED.map((name) => [name, this.meta(name)])),
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
    return this.#links.session((bytes, beside) => this.#links.deliver(bytes, beside));
  }

  get machine(): CoordinatorMachine {
    return this.#machine;
  }

  rescale(partitions: number): void {
    this.#perform(this.#machine.rescale(partitions, Date.now()));
  }

  get usage(): UsageFigures {
    this.#sql.settle();
    return this.#usage.figures;
  }

  /** The map was asked for: a call beside those that links count. */
  asked(): void {
    this.#usage.request(0);
  }

  /** Reads storage, which fails where this object has been replaced: what it then says of the map would be of the past. */
  touch(): void {
    this.meta("generation");
  }

  /** An error other than that of a damaged batch is a failed assertion: the next instance starts from storage. */
  #input(input: CoordinatorInput): void {
    try {
      this.#perform(this.#machine.step(input, Date.now()));
    } catch (error) {
      if (error instanceof CorruptError) throw error;
      this.#startOver("error", error);
    }
  }

  async #startOverWhenDurable(): Promise<void> {
    // A write that fails ends the object, too.
    await this.#ctx.storage.sync().catch(() => undefined);
    this.#startOver("warn", SOLE_MEMBER_LOST);
  }

  #startOver(level: "error" | "warn", error: unknown): void {
    console[level](logEntry("the coordinator starts over", { error, ...ofTenant(this.#tenant) }));
    this.#ctx.abort(error instanceof Error ? error.message : String(error));
  }

  #perform(effects: readonly CoordinatorEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "persist") for (const { name, value } of effect.ops) this.putMeta(name, value);
      else if (effect.kind === "start-over") void this.#startOverWhenDurable();
      else this.#links.perform(effect);
    }
  }
}

/** @throws what tells callers that it does not start; the next event begins anew */
function startShell(ctx: DurableObjectState, app: AppDefinition): CoordinatorShell {
  try {
    return new CoordinatorShell(ctx, app);
  } catch (error) {
    console.error(logEntry("the coordinator does not start", { error, ...ofTenant(readName(ctx.id.name).tenant) }));
    throw unstarted(error);
  }
}

/** What log entries of a tenant's coordinator say beside the rest. */
function ofTenant(tenant: string): { readonly tenant?: string } {
  return tenant === "" ? {} : { tenant };
}

/** The class to export as `Coordinator` for an app. */
export function coordinatorClass(
  app: AppDefinition,
): new (ctx: DurableObjectState, env: unknown) => DurableObject & CoordinatorRpc {
  return class Coordinator extends DurableObject implements CoordinatorRpc {
    readonly #shell: CoordinatorShell;

    constructor(ctx: DurableObjectState, env: unknown) {
      super(ctx, env as never);
      this.#shell = startShell(ctx, app);
    }

    async keyGroupMap(): Promise<KeyGroupMap> {
      this.#shell.asked();
      this.#shell.touch();
      return this.#shell.machine.map as KeyGroupMap;
    }

    async rescale(partitions: number): Promise<RescaleStatus> {
      this.#shell.rescale(partitions);
      return this.rescaleStatus();
    }

    async rescaleStatus(): Promise<RescaleStatus> {
      this.#shell.touch();
      return this.#shell.machine.rescaleStatus as RescaleStatus;
    }

    peerSession(): PeerSession {
      return this.#shell.session();
    }

    async status(): Promise<CoordinatorStatus> {
      return this.#shell.machine.status;
    }

    async usage(): Promise<UsageFigures> {
      return this.#shell.usage;
    }

    async figures(): Promise<CoordinatorFigures> {
      const { machine, usage } = this.#shell;
      return { status: machine.status, epochs: machine.epochFigures, used: usage };
    }
  };
}
