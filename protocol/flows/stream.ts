/** A stream: where batches come in, and where committed events are kept for those who read them. */
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import { nullColumn } from "../../dataflow/columns/column.ts";
import { fieldsRead } from "../../dataflow/reads.ts";
import type { Rows } from "../../dataflow/columns/rows.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { sortableWhole } from "../../dataflow/keys.ts";
import type { FlowProgram } from "../../dataflow/program.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import type { StreamDefinition } from "../../sdk/stream.ts";
import { LIMITS } from "../limits.ts";
import { PRODUCERS, producerTurn } from "../partition/producers.ts";
import type { Produced } from "../wire/ingest.ts";
import {
  addLate,
  again,
  type AppendResult,
  type BatchHead,
  type BatchPart,
  type FedResult,
  type FeedHead,
  type LateByFlow,
} from "./driver.ts";
import { type Frame, Frames } from "./frames.ts";
import { type FlowContext, flowService, type RootInput } from "./internal.ts";
import { dropOld, eventsFrom, keepEvents } from "./kept-events.ts";
import { type Payload, RawJson } from "./payload.ts";

/** The value under a stream's key. */
interface StreamState {
  /** Events kept so far: the number of the next. */
  next: number;
}

/** Ids of messages of a queue, and the same by time. */
const QUEUED = "q";
const QUEUED_AT = "a";
const FORGOTTEN_AT_ONCE = 500;
/** Characters of a time as `sortableWhole` has it. */
const SORTABLE = 16;
const encoder = new TextEncoder();

export class Streams {
  readonly #app: AppDefinition;
  readonly #kernels: Kernels;
  /** Flows by a stream that they read. */
  readonly #readers = new Map<string, FlowProgram[]>();
  readonly #frames: Frames;
  /** Fields that are read, by stream. */
  readonly #read = new Map<string, readonly string[]>();

  constructor(app: AppDefinition, kernels: Kernels, programs: Iterable<FlowProgram>) {
    this.#app = app;
    this.#kernels = kernels;
    this.#frames = new Frames(kernels);
    for (const program of programs) {
      for (const { name } of program.definition.streams)
        this.#readers.set(name, [...(this.#readers.get(name) ?? []), program]);
    }
  }

  /** A batch from outside. */
  async take(ctx: FlowContext, { bytes, text = "" }: RootInput): Promise<RawJson> {
    const stream = this.#stream(ctx.key);
    if (text !== "") {
      const turn = await ctx.ask(PRODUCERS.service, ctx.key, "turn", { head: JSON.parse(text), rows: [] });
      if (turn.head !== null) return new RawJson(turn.head as string);
    }
    const frame = this.#frames.open(stream, bytes ?? new Uint8Array());
    this.#requireColumns(stream, frame);
    const parts = Math.max(1, Math.min(frame.length, Math.ceil((bytes?.length ?? 0) / LIMITS.flowPartBytes)));
    const told: Record<string, number> = {};
    const smaller = smallerOf(ctx);
    const enter = async (rows: Rows, part: BatchPart): Promise<void> => {
      addLate(told, await this.#enter(ctx, stream, rows, { part, ...smaller }));
    };
    // One after the other: what is made of one is no longer in memory when the next is looked at, but for what it writes.
    for (let part = 1; part <= parts; part++) {
      const [from, to] = [part - 1, part].map((at) => Math.floor((at * frame.length) / parts)) as [number, number];
      await enter(frame.rows(from, to), parts === 1 ? "whole" : "more");
    }
    // By itself: a flow may be given events by several ways, and on none of them may time go on before all have come on the others.
    if (parts > 1) await enter(frame.rows(frame.length, frame.length), "last");
    return new RawJson(JSON.stringify({ accepted: frame.length, late: told }));
  }

  /** An event that a function emitted, as a message. */
  async emitted(ctx: FlowContext, { text = "" }: RootInput): Promise<RawJson> {
    const stream = this.#app.streams.get(ctx.key);
    // A failure that counts: should the stream never come back, it is a dead letter in the end.
    if (stream === undefined) throw new Error(`this version of the code knows no stream "${ctx.key}"`);
    const parsed = this.#kernels.parseEvents(encoder.encode(text), stream.columns);
    // The stream may have had other fields when it was sent: whoever looks after the flow has to know, and nothing else waits for it.
    if (!parsed.ok) throw new TidegateError("invalid-event", `an emitted event does not fit stream "${stream.name}"`);
    await this.#enter(ctx, stream, this.#frames.read(stream, parsed.frame), smallerOf(ctx));
    return new RawJson("null");
  }

  /** Messages of a queue: those that were taken before are left out. */
  async queued(ctx: FlowContext, { text = "" }: RootInput): Promise<RawJson> {
    const stream = this.#stream(ctx.key);
    const { messages } = JSON.parse(text) as { readonly messages: ReadonlyArray<readonly [id: string, event: string]> };
    const now = ctx.now();
    forgetQueued(ctx.store, now - LIMITS.queuedIdMs);
    // One that is in the queue twice may come twice in one batch.
    const fresh = [...new Map(messages)].filter(([id]) => ctx.store.get(QUEUED, id) === null);
    for (const [id] of fresh) {
      ctx.store.put(QUEUED, id, String(now));
      ctx.store.put(QUEUED_AT, `${sortableWhole(now)}${id}`, "1");
    }
    if (fresh.length > 0) {
      const parsed = this.#kernels.parseEvents(
        encoder.encode(fresh.map(([, event]) => event).join("\n")),
        stream.columns,
      );
      if (!parsed.ok) throw new TidegateError("invalid-event", `a message does not fit stream "${stream.name}"`);
      await this.#enter(ctx, stream, this.#frames.read(stream, parsed.frame), smallerOf(ctx));
    }
    return new RawJson(JSON.stringify({ accepted: fresh.length }));
  }

  /** The edge sends what flows read, as far as its version of the code knows them. @throws CorruptError when that is not enough: it sends all then */
  #requireColumns({ name, columns }: StreamDefinition, { lacks }: Frame): void {
    if (lacks.size === 0) return;
    if (!this.#read.has(name)) this.#read.set(name, fieldsRead(this.#app, name) ?? namesOf({ columns }));
    const missing = this.#read.get(name)?.find((field) => lacks.has(field));
    if (missing !== undefined) throw new CorruptError("kind", `the events lack the field "${missing}", which is read`);
  }

  /** What a flow gives. */
  async append(ctx: FlowContext, { head, rows }: Payload): Promise<Payload> {
    const stream = this.#stream(ctx.key);
    const lateBy: Record<string, number> = {};
    for (const batch of rows)
      addLate(lateBy, await this.#enter(ctx, stream, withAllColumns(stream, batch), (head as BatchHead | null) ?? {}));
    const some = Object.fromEntries(Object.entries(lateBy).filter(([, late]) => late > 0));
    return { head: { lateBy: some } satisfies AppendResult, rows: [] };
  }

  /** Whether it is a numbered batch's turn. The head of the answer is null, or the body for one that was taken before. */
  turn(ctx: FlowContext, { head }: Payload): Payload {
    const { store } = ctx;
    const { collection } = PRODUCERS;
    const table = {
      known: () => Number(ctx.state ?? 0),
      get: (producer: string) => store.get(collection, producer),
      all: () => store.range(collection, { limit: LIMITS.maxProducers }),
    };
    const turn = producerTurn(table, head as Produced, ctx.now());
    if (turn.kind === "taken") return { head: turn.body, rows: [] };
    if (turn.kind === "refused")
      throw new TidegateError(turn.type, turn.detail, turn.members === undefined ? {} : { members: turn.members });
    for (const { producer, text } of turn.changes) {
      if (producer === null) ctx.state = Number(text);
      else store.put(collection, producer, text);
    }
    return { head: null, rows: [] };
  }

  #stream(name: string): StreamDefinition {
    const stream = this.#app.streams.get(name);
    // Whoever asks knows it: the edge, or a flow on another partition. They may run another version of the code.
    if (stream === undefined)
      throw comeAgain(`this partition has another version of the code, which knows no stream "${name}"`);
    return stream;
  }

  /** Keeps the events where they can be read, and leads them through every flow. Returns late ones by flow, of flows behind those too. */
  async #enter(
    ctx: FlowContext,
    stream: StreamDefinition,
    rows: Rows,
    { part = "whole", tooLarge = 0 }: BatchHead,
  ): Promise<LateByFlow> {
    const retention = this.#app.kept.get(stream.name);
    if (retention !== undefined && rows.length > 0) keep(ctx, stream, rows, retention);
    const late: Record<string, number> = {};
    for (const { name, home } of this.#readers.get(stream.name) ?? []) {
      const head: FeedHead = { stream: stream.name, part, ...again(tooLarge) };
      const fed = await ctx.ask(flowService(name), home, "feed", { head, rows: [rows] });
      const { late: ofFlow, lateBy } = fed.head as FedResult;
      if (lateBy !== undefined) addLate(late, lateBy);
      // Older code counts with all parts so far: what it says of the last is all.
      else if (part !== "more") addLate(late, { [name]: ofFlow });
    }
    return late;
  }

  /** Committed events behind a number, as JSON lines with that of the first. */
  read(ctx: FlowContext, { text = "" }: RootInput): RawJson {
    const { after, limit } = JSON.parse(text) as { readonly after: number | null; readonly limit: number };
    const { next } = (ctx.state as StreamState | undefined) ?? { next: 0 };
    const first = after === null ? next : after + 1;
    return new RawJson(
      JSON.stringify({ ...eventsFrom(ctx.store, namesOf(this.#stream(ctx.key)), first, limit), end: next }),
    );
  }
}

/** A batch that is too much with all that ends by it is tried once more with nothing ending. */
function smallerOf(ctx: FlowContext): Pick<BatchHead, "tooLarge"> {
  return again(ctx.tooLarge(1));
}

/** Who gives them may run an earlier version of the code, which does not know some fields. @throws TidegateError when one of these is not optional */
function withAllColumns({ name, fields }: StreamDefinition, rows: Rows): Rows {
  const known = new Set(rows.names);
  const lacks = rows.length === 0 ? [] : Object.entries(fields).filter(([field]) => !known.has(field));
  if (lacks.length === 0) return rows;
  const needed = lacks.find(([, { optional }]) => optional !== true);
  if (needed !== undefined)
    throw comeAgain(
      `stream "${name}" is being changed: it is given events of a version without the field "${needed[0]}"`,
    );
  const columns = new Map(rows.names.map((field) => [field, () => rows.column(field)] as const));
  for (const [field, { kind }] of lacks) columns.set(field, () => nullColumn(kind, rows.length));
  return rows.withColumns(columns);
}

/** Some of the ids that are older than any queue would deliver again. */
function forgetQueued(store: ShardStore, before: number): void {
  for (const [key] of store.range(QUEUED_AT, { to: sortableWhole(before), limit: FORGOTTEN_AT_ONCE })) {
    store.put(QUEUED_AT, key, null);
    store.put(QUEUED, key.slice(SORTABLE), null);
  }
}

/** Keeps events, and drops old ones. */
function keep(ctx: FlowContext, stream: StreamDefinition, rows: Rows, retention: number): void {
  const state = (ctx.state as StreamState | undefined) ?? { next: 0 };
  const now = ctx.now();
  const written = keepEvents(ctx.store, { begin: state.next, at: now, names: namesOf(stream) }, rows);
  dropOld(ctx.store, now - retention, written);
  ctx.state = { next: state.next + rows.length } satisfies StreamState;
}

const namesOf = ({ columns }: Pick<StreamDefinition, "columns">): string[] => columns.map(({ name }) => name);
