/** A back end in memory: partitions that echo what they are sent, record it, and fail as they are told. */
import type { Kernels, Table } from "../../../core-wasm/types.ts";
import { createReferenceKernels } from "../../../core-wasm/reference/kernels.ts";
import { initialMap, type KeyGroupMap } from "../../../protocol/keygroups/map.ts";
import type { RescaleStatus } from "../../../protocol/coordinator/rescaling.ts";
import { ANSWER_FLAG, encodeAnswers, type Answer } from "../../../protocol/wire/answer.ts";
import { INGEST_COLUMN, INGEST_FIELD, ingestSpec, producedOf, type Produced } from "../../../protocol/wire/ingest.ts";
import { INVOKE, INVOKE_COLUMN, INVOKE_FIELD } from "../../../protocol/wire/invoke.ts";
import { problemOf, refusalProblem } from "../../../sdk/problems.ts";
import type { Backend, PartitionPort, ViewAnswer, ViewQuery } from "../../../worker/backend.ts";

export const TOKEN = "a-secret-token";

/** One row that a partition executed: replays are not in the list. */
export interface Executed {
  readonly partition: number;
  readonly line: number;
  readonly flags: number;
  readonly fingerprint: string;
  readonly requestId: string;
  readonly service: string;
  readonly key: string;
  readonly function: string;
  readonly input: string;
}

/** One message that reached a partition. */
export interface Arrival {
  readonly partition: number;
  /** How many messages this partition got before. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

const STILL: RescaleStatus = {
  version: 1,
  partitions: 4,
  known: 4,
  wanted: 4,
  phase: "still",
  transfers: 0,
  copied: 0,
  done: 0,
  lastPauseMs: null,
};

export class FakeBackend implements Backend {
  token: string | undefined = TOKEN;
  map: KeyGroupMap = initialMap(4);
  /** The map that partitions go by, when it differs from what the edge was told; `refreshMap` brings it to the edge. */
  trueMap: KeyGroupMap | undefined;
  refreshes = 0;
  readonly executed: Executed[] = [];
  readonly arrivals: Arrival[] = [];
  readonly ingested: {
    requestId: string;
    fingerprint: string;
    stream: string;
    rows: number;
    flags: number;
    tail: Uint8Array;
    produced: Produced | null;
    partition: number;
  }[] = [];
  readonly viewed: { partition: number; query: ViewQuery }[] = [];
  maxInFlightPerPartition = 0;
  /** Runs when a message arrives, before anything is done; a throw means that it never was. */
  arrive: (arrival: Arrival) => void | Promise<void> = () => undefined;
  /** Runs when an answer leaves; a throw loses it, other bytes replace it. */
  leave: (answer: Uint8Array, arrival: Arrival) => Uint8Array | Promise<Uint8Array> = (answer) => answer;
  /** Overrides the answer of a row. */
  answer: (row: Executed) => Partial<Answer> | undefined = () => undefined;
  viewAnswer: ViewAnswer = { status: 200, body: '{"rows":[],"watermark":0}', epoch: "9" };

  readonly #kernels: Kernels;
  readonly #results = new Map<string, { fingerprint: string; answer: Answer }>();
  readonly #busy = new Map<number, number>();
  #uuids = 0;

  constructor(kernels: Kernels = createReferenceKernels()) {
    this.#kernels = kernels;
  }

  kernels(): Kernels {
    return this.#kernels;
  }
  keyGroupMap(): Promise<KeyGroupMap> {
    return Promise.resolve(this.map);
  }
  keys: string | undefined;
  /** Back ends of tenants, made when they are asked for. */
  readonly domains = new Map<string, FakeBackend>();
  inDomain(tenant: string): FakeBackend {
    if (tenant === "") return this;
    const known = this.domains.get(tenant) ?? new FakeBackend(this.#kernels);
    this.domains.set(tenant, known);
    return known;
  }
  refreshMap(): void {
    this.refreshes++;
    if (this.trueMap !== undefined) this.map = this.trueMap;
  }
  rescaled: RescaleStatus = STILL;
  rescale(partitions: number): Promise<RescaleStatus> {
    this.rescaled = { ...STILL, wanted: partitions, phase: "copying" };
    return this.rescaleStatus();
  }
  rescaleStatus(): Promise<RescaleStatus> {
    return Promise.resolve(this.rescaled);
  }
  now(): number {
    return Date.now();
  }
  uuid(): string {
    return `${(++this.#uuids).toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  }
  partition(partition: number): PartitionPort {
    return {
      invoke: (bytes) => this.#message(partition, bytes, () => this.#invoke(partition, bytes)),
      ingest: (bytes) => this.#message(partition, bytes, () => this.#ingest(partition, bytes)),
      view: async (query) => {
        await this.arrive({ partition, index: this.viewed.length, bytes: new Uint8Array(0) });
        this.viewed.push({ partition, query });
        return this.viewAnswer;
      },
    };
  }

  async #message(partition: number, bytes: Uint8Array, handle: () => Uint8Array): Promise<Uint8Array> {
    const index = this.arrivals.filter((arrival) => arrival.partition === partition).length;
    const arrival = { partition, index, bytes: bytes.slice() };
    this.arrivals.push(arrival);
    const busy = (this.#busy.get(partition) ?? 0) + 1;
    this.#busy.set(partition, busy);
    this.maxInFlightPerPartition = Math.max(this.maxInFlightPerPartition, busy);
    try {
      await this.arrive(arrival);
      return await this.leave(handle(), arrival);
    } finally {
      this.#busy.set(partition, busy - 1);
    }
  }

  #invoke(partition: number, bytes: Uint8Array): Uint8Array {
    const table = this.#kernels.unpack(INVOKE, bytes);
    const answers: Answer[] = [];
    for (let row = 0; row < table.rows; row++) answers.push(this.#run(rowOf(table, row, partition)));
    return encodeAnswers(this.#kernels, answers);
  }

  #run(row: Executed): Answer {
    const owner = (this.trueMap ?? this.map).groups[this.#kernels.hashKey(row.key) & 1023];
    if (owner !== row.partition)
      return { line: row.line, status: 503, flags: ANSWER_FLAG.staleMap, body: "", epoch: "" };
    const known = this.#results.get(row.requestId);
    if (known !== undefined) {
      if (known.fingerprint === row.fingerprint) {
        return { ...known.answer, line: row.line, flags: known.answer.flags | ANSWER_FLAG.replayed };
      }
      const body = JSON.stringify(problemOf("idempotency-conflict"));
      return { line: row.line, status: 422, flags: 0, body, epoch: "" };
    }
    const { service, key, function: name, input } = row;
    const refused = name === "transfer";
    const body = refused
      ? JSON.stringify(refusalProblem("account", "insufficient-funds", { balance: 1 }))
      : JSON.stringify({ service, key, function: name, input: input === "" ? null : JSON.parse(input) });
    const answer = { line: row.line, status: refused ? 409 : 200, flags: 0, body, epoch: "7", ...this.answer(row) };
    if ((answer.flags & ANSWER_FLAG.retryable) === 0) {
      this.executed.push(row);
      this.#results.set(row.requestId, { fingerprint: row.fingerprint, answer });
    }
    return answer;
  }

  #ingest(partition: number, bytes: Uint8Array): Uint8Array {
    const spec = ingestSpec(bytes);
    const table = this.#kernels.unpack(spec, bytes);
    const rows = table.column(0, INGEST_COLUMN.rows);
    const requestId = table.field(0, INGEST_FIELD.requestId);
    const flags = table.column(0, INGEST_COLUMN.flags);
    const known = this.ingested.find((batch) => batch.requestId === requestId);
    const replayed = known !== undefined;
    const fingerprint = `${table.column(0, INGEST_COLUMN.fingerprintLow)}/${table.column(0, INGEST_COLUMN.fingerprintHigh)}`;
    if (replayed && known.fingerprint !== fingerprint && ![known.fingerprint, fingerprint].includes("0/0")) {
      const body = JSON.stringify(problemOf("idempotency-conflict"));
      return encodeAnswers(this.#kernels, [{ line: 1, status: 422, flags: 0, body, epoch: "" }]);
    }
    if (!replayed) {
      this.ingested.push({
        requestId,
        fingerprint,
        stream: table.field(0, INGEST_FIELD.stream),
        rows,
        flags,
        tail: table.tail,
        produced: producedOf(table, spec),
        partition,
      });
    }
    const body = JSON.stringify({ accepted: rows, late: { "sales-per-minute": 0 } });
    return encodeAnswers(this.#kernels, [
      { line: 1, status: 200, flags: replayed ? ANSWER_FLAG.replayed : 0, body, epoch: "8" },
    ]);
  }
}

function rowOf(table: Table, row: number, partition: number): Executed {
  const low = table.column(row, INVOKE_COLUMN.fingerprintLow);
  const high = table.column(row, INVOKE_COLUMN.fingerprintHigh);
  return {
    partition,
    line: table.column(row, INVOKE_COLUMN.line),
    flags: table.column(row, INVOKE_COLUMN.flags),
    fingerprint: `${low}/${high}`,
    requestId: table.field(row, INVOKE_FIELD.requestId),
    service: table.field(row, INVOKE_FIELD.service),
    key: table.field(row, INVOKE_FIELD.key),
    function: table.field(row, INVOKE_FIELD.function),
    input: table.field(row, INVOKE_FIELD.input),
  };
}

/** An error as the platform throws it from a stub. */
export function platformError(message: string, properties: Record<string, boolean>): Error {
  return Object.assign(new Error(message), properties);
}
