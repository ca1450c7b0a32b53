/** What surrounds the edge: the partitions, the key-group map, the kernels, time and chance, as one injected interface. */
import type { Kernels } from "../core-wasm/types.ts";
import type { AdminAsk, AdminReply } from "../protocol/backup/asks.ts";
import type { RescaleStatus } from "../protocol/coordinator/rescaling.ts";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";
import type { CoordinatorFigures, PartitionFigures } from "../protocol/observe/figures.ts";
import type { RecentFilter, RecentTransaction } from "../protocol/observe/observer.ts";
import type { Span } from "../protocol/observe/spans.ts";
import type { Bucket } from "./admin/bucket.ts";
import type { ProblemType } from "../sdk/problems.ts";

export type { KeyGroupMap };

/** What is asked of a materialised view. */
export interface ViewQuery {
  readonly view: string;
  /** Only this key's rows; undefined for all. */
  readonly key: string | undefined;
  /** Rows at most. */
  readonly limit: number;
  /** Opaque: the `next` of an earlier answer; undefined for the first rows. */
  readonly after: string | undefined;
}

export interface ViewAnswer {
  /** 200, or the status of the problem that `body` is. */
  readonly status: number;
  /** JSON text: `{"rows":[…],"watermark":…,"next"?:…}`, or a problem document. */
  readonly body: string;
  /** For `Tidegate-Epoch`; empty when there is none. */
  readonly epoch: string;
  /** The view's stream is kept by another partition: nothing else of this counts. */
  readonly staleMap?: boolean;
}

/**
 * One partition as the edge sees it. Calls may throw the platform's errors (`retryable`, `overloaded`, `remote`); a port is not used
 * again after one. Every message is safe to send twice: request ids make it so.
 */
export interface PartitionPort {
  /** An invocation frame in, an answer frame with as many rows out. Rows with one key run in row order. */
  invoke(frame: Uint8Array, traceparent?: string): Promise<Uint8Array>;
  /** An ingest envelope in, an answer frame with one row out. */
  ingest(frame: Uint8Array): Promise<Uint8Array>;
  view(query: ViewQuery): Promise<ViewAnswer>;
}

/** One partition as the administration of its domain sees it. Every ask is safe to send twice. */
export interface AdminPort {
  admin(ask: AdminAsk): Promise<Uint8Array | AdminReply>;
  scrub(): Promise<boolean>;
}

/** One object as those see it who ask what it does. */
export interface ObservedPort {
  figures(): Promise<PartitionFigures>;
  recent(of: RecentFilter, limit: number): Promise<RecentTransaction[]>;
}

/** What shows a domain's work. */
export interface ObservedBackend {
  partition(index: number): ObservedPort;
  coordinator(): Promise<CoordinatorFigures>;
}

/** Where the edge's spans go. */
export interface Tracing {
  /** Share of requests that are traced though nobody asked for it. */
  readonly ratio: number;
  /** Returns at once. */
  send(spans: readonly Span[]): void;
}

export interface AdminBackend {
  /** The secret that administrators must present; undefined when none is configured, and then there is no administration. */
  readonly token: string | undefined;
  partition(index: number): AdminPort;
  /** Where backups may be kept. */
  readonly bucket?: Bucket | undefined;
}

export interface Backend {
  readonly admin?: AdminBackend;
  readonly observed?: ObservedBackend;
  /** Undefined when no collector is configured. */
  readonly tracing?: Tracing | undefined;
  /** A fresh port each call is fine; after an error the edge asks for another. */
  partition(index: number): PartitionPort;
  /** The map as last fetched, or fetched now. @throws ConfigurationError */
  keyGroupMap(): Promise<KeyGroupMap>;
  /** Forgets the map, so that the next `keyGroupMap` fetches it. */
  refreshMap(): void;
  /** There are to be so many partitions. Returns at once. */
  rescale(partitions: number): Promise<RescaleStatus>;
  rescaleStatus(): Promise<RescaleStatus>;
  /** Used synchronously only: nothing is awaited between writing into it and reading from it. */
  kernels(): Kernels;
  /** The owner's secret; undefined when none is configured. */
  readonly token: string | undefined;
  /** The binding with the static keys' hashes, JSON text; undefined when there is none. */
  readonly keys?: string | undefined;
  /** The same for the domain of a tenant, "" being that of none. */
  inDomain(tenant: string): Backend;
  /** Milliseconds since 1970. */
  now(): number;
  /** A random UUID (version 4). */
  uuid(): string;
}

/** The application as deployed cannot run: its message says what to change, its type is the problem that every request gets. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly type: ProblemType;
  constructor(type: ProblemType, detail: string) {
    super(detail);
    this.type = type;
  }
}
