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
import { type PeerRpc, PeerSession } from "./peers.ts";

export type MapAnswer = { readonly map: KeyGroupMap } | { readonly refused: string };

export interface CoordinatorRpc extends PeerRpc {
  /** The domain's map; made now if it has none. Refused when the configured count differs from the stored one. */
  keyGroupMap(configured: number): Promise<MapAnswer>;
  /** Figures for tests and metrics. */
  status(): Promise<CoordinatorStatus>;
}

const TABLE = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

class CoordinatorShell {
  readonly #ctx: DurableObjectState;
  readonly #links: LinkShell;
  readonly #machine: CoordinatorMachine;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.storage.sql.exec(TABLE);
    this.#links = new LinkShell({ input: (input) => this.#input(input), settled: () => ctx.storage.sync() });
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
    const [row] = this.#ctx.storage.sql
      .exec<{ value: string }>("SELECT value FROM meta WHERE name = ?", name)
      .toArray();
    return row?.value;
  }

  putMeta(name: string, value: string): void {
    this.#ctx.storage.sql.exec(
      "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  deliver(bytes: Uint8Array): Promise<number> {
    return this.#links.deliver(bytes);
  }

  get status(): CoordinatorStatus {
    return this.#machine.status;
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
      const decision = decideMap(this.#shell.meta("map"), configured);
      if (decision.kind === "refused") return { refused: decision.detail };
      if (decision.kind === "made") this.#shell.putMeta("map", decision.stored);
      return { map: decision.map };
    }

    peerSession(): PeerSession {
      return new PeerSession((bytes) => this.#shell.deliver(bytes));
    }

    async status(): Promise<CoordinatorStatus> {
      return this.#shell.status;
    }
  };
}
