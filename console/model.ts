/** What the app answers, as far as the page looks at it. A test of types holds it to what the engine and the edge make. */

export interface Histogram {
  /** By powers of two, not cumulative; the last has no bound. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface Partition {
  readonly status: {
    readonly phase: string;
    readonly waiting: number;
    readonly attempts: number;
    readonly locks: number;
    readonly undecided: number;
    readonly unacknowledged: number;
    readonly held: number;
    readonly outbox: number;
    /** Messages that wait for their time. */
    readonly timers: number;
    readonly moving: number;
    readonly unfoldedBytes: number;
    readonly unfoldedKeys: number;
    readonly cachedBytes: number;
    readonly seq: number;
  };
  readonly observed: {
    /** In the order of {@link OUTCOMES}. */
    readonly outcomes: readonly number[];
    readonly latency: Histogram;
    readonly restarts: number;
    readonly replays: number;
    readonly epochSize: Histogram;
  };
  readonly used: { readonly starts: number; readonly alarms: number; readonly rowsWritten: number };
  readonly records: { readonly count: number; readonly bytes: number };
  readonly databaseBytes: number;
  readonly alarmAt: number | null;
}

export const OUTCOMES = ["committed", "accepted", "refused", "invalid", "failed", "unavailable", "expired"] as const;

export interface Coordinator {
  readonly status: {
    readonly phase: string;
    readonly generation: number;
    readonly aborts: number;
    readonly members: readonly number[];
  };
  readonly epochs: {
    readonly committed: number;
    readonly aborted: number;
    readonly duration: Histogram;
    readonly size: Histogram;
    readonly participants: Histogram;
  } | null;
}

export interface Service {
  readonly name: string;
  readonly version: number;
  readonly collections: readonly string[];
  readonly functions: readonly { readonly name: string; readonly kind: "fn" | "query" }[];
}

export interface Flow {
  readonly name: string;
  /** Streams. */
  readonly reads: readonly string[];
  readonly writes: readonly {
    readonly kind: "view" | "stream" | "service" | "queue" | "webhook";
    readonly name: string;
  }[];
}

export interface Overview {
  /** ms since 1970. */
  readonly at: number;
  readonly map: { readonly version: number; readonly partitions: number };
  readonly app: {
    readonly services: readonly Service[];
    readonly streams: readonly string[];
    readonly flows: readonly Flow[];
    readonly tenants: boolean;
  };
  /** Null for one that did not answer. */
  readonly partitions: readonly (Partition | null)[];
  readonly coordinator: Coordinator | null;
}

export interface CallSpan {
  readonly service: string;
  readonly key: string;
  readonly function: string;
  readonly partition: number | null;
  readonly parent: number | null;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly ok: boolean;
}

export interface Transaction {
  readonly id: string;
  readonly partition: number;
  readonly service: string;
  readonly key: string;
  readonly function: string;
  readonly at: number;
  readonly endedAt: number;
  readonly status: number;
  readonly epoch: number;
  readonly attempts: number;
  readonly trace: {
    readonly traceparent: string;
    readonly startedAt: number;
    readonly taggedAt: number;
    readonly preparedAt: number;
    readonly calls: readonly CallSpan[];
    readonly dropped: number;
  } | null;
}

/** Of the partitions that have answered. */
export interface Recent {
  readonly transactions: readonly Transaction[];
  /** Those that have not. */
  readonly silent: readonly number[];
}

export interface State {
  readonly partition: number;
  readonly value?: unknown;
  readonly version?: number;
  readonly entries: readonly {
    readonly collection: string;
    readonly entry: string | number;
    readonly value: unknown;
  }[];
  readonly next?: string;
}

export interface ViewPage {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly watermark?: unknown;
  readonly events?: number;
  readonly late?: number;
  readonly batches?: number;
}

/** All of it is shown as it comes. */
export interface DeadLetter {
  readonly id: string;
}

export interface LetterPage {
  readonly letters: readonly DeadLetter[];
  /** Cursor of the next page, when there may be one. */
  readonly next?: string;
}

/** What a flow has set aside, each with its number. */
export interface AsidePage<E> {
  readonly events: readonly E[];
  /** The number that the next one will have. */
  readonly end: number;
}

export interface FlowLetter {
  readonly id: number;
  readonly event: {
    /** ms since 1970. */
    readonly at: number;
    /** The end that did not take it. */
    readonly sink: string;
    readonly key?: string;
    readonly refusal?: { readonly name: string; readonly data?: unknown };
    readonly error?: { readonly type: string; readonly message: string };
    readonly event: unknown;
  };
}

export interface LateEvent {
  readonly id: number;
  readonly event: {
    readonly at: number;
    readonly operator: string;
    readonly input: number;
    readonly time: number;
    readonly event: unknown;
  };
}

/** JSON Schema, as far as forms are made of it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly post?: {
          readonly description?: string;
          readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
        };
      }
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
