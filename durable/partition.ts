/** The Durable Object of a partition: four methods in front of its shell. */
import { DurableObject } from "cloudflare:workers";
import type { AdminAsk, AdminReply } from "../protocol/backup/asks.ts";
import type { PartitionFigures } from "../protocol/observe/figures.ts";
import type { RecentFilter, RecentTransaction } from "../protocol/observe/observer.ts";
import type { TelemetryBindings } from "../protocol/observe/telemetry.ts";
import type { ViewReply, ViewRequest } from "../protocol/partition/effects.ts";
import type { PartitionStatus } from "../protocol/partition/setup.ts";
import type { AppDefinition } from "../sdk/app.ts";
import { PartitionShell } from "./partition-shell.ts";
import type { PeerRpc, PeerSession } from "./peers.ts";
import { guardGlobals } from "./sandbox.ts";
import type { UsageFigures } from "./usage.ts";

/** What the edge may call. Every method is safe to call twice with the same arguments. */
export interface PartitionRpc extends PeerRpc {
  /**
   * @param traceparent of the request, where it is traced
   * @throws CorruptError for a damaged frame
   */
  invoke(frame: Uint8Array, traceparent?: string): Promise<Uint8Array>;
  ingest(frame: Uint8Array): Promise<Uint8Array>;
  view(query: ViewRequest): Promise<ViewReply>;
  /** What the administration of the domain asks; see {@link AdminAsk}. */
  admin(ask: AdminAsk): Promise<Uint8Array | AdminReply>;
  /** Overwrites what deleted rows have left; see `PartitionShell.scrub`. */
  scrub(): Promise<boolean>;
  /** Figures for tests and metrics. */
  status(): Promise<PartitionStatus>;
  /** What `/metrics` tells of it. */
  figures(): Promise<PartitionFigures>;
  /** Transactions that have ended here, newest first, as far as they are remembered. */
  recent(of: RecentFilter, limit: number): Promise<RecentTransaction[]>;
  /** What this object has cost. */
  usage(): Promise<UsageFigures & { readonly alarmAt: number | null }>;
}

type PartitionClass = new (ctx: DurableObjectState, env: unknown) => DurableObject & PartitionRpc;

/** The class to export as `Partition` for an app. */
export function partitionClass(app: AppDefinition): PartitionClass {
  guardGlobals();
  return class Partition extends DurableObject implements PartitionRpc {
    readonly #shell: PartitionShell;

    constructor(ctx: DurableObjectState, env: unknown) {
      super(ctx, env as never);
      this.#shell = new PartitionShell(ctx, app, env as TelemetryBindings);
    }

    invoke(frame: Uint8Array, traceparent?: string): Promise<Uint8Array> {
      const input = (ticket: number) => ({ kind: "invoke" as const, ticket, frame });
      return this.#shell.request(input, frame.length, traceparent) as Promise<Uint8Array>;
    }

    ingest(frame: Uint8Array): Promise<Uint8Array> {
      return this.#shell.request((ticket) => ({ kind: "ingest", ticket, frame }), frame.length) as Promise<Uint8Array>;
    }

    view(query: ViewRequest): Promise<ViewReply> {
      return this.#shell.request((ticket) => ({ kind: "view", ticket, query }), 0) as Promise<ViewReply>;
    }

    admin(ask: AdminAsk): Promise<Uint8Array | AdminReply> {
      return this.#shell.admin(ask);
    }

    scrub(): Promise<boolean> {
      return this.#shell.scrub();
    }

    peerSession(): PeerSession {
      return this.#shell.session();
    }

    override async alarm(): Promise<void> {
      this.#shell.alarm();
    }

    async status(): Promise<PartitionStatus> {
      return this.#shell.status;
    }

    figures(): Promise<PartitionFigures> {
      return this.#shell.figures();
    }

    async recent(
      of: { readonly service?: string; readonly key?: string },
      limit: number,
    ): Promise<RecentTransaction[]> {
      return this.#shell.observer.recent(of, limit);
    }

    usage(): Promise<UsageFigures & { readonly alarmAt: number | null }> {
      return this.#shell.usage();
    }
  };
}
