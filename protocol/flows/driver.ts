/** Leads a batch through a flow: its operators in order, those that are keyed on their shares, then its sinks. All of it is one transaction. */
import { compile } from "../../dataflow/columns/expressions.ts";
import { cellAt } from "../../dataflow/columns/column.ts";
import { concatRows, NO_ROWS, Rows } from "../../dataflow/columns/rows.ts";
import { timedRows } from "../../dataflow/columns/frame.ts";
import { hashRows, splitRows } from "../../dataflow/keys.ts";
import { rowLines } from "../../dataflow/columns/lines.ts";
import type { LateRows } from "../../dataflow/operators/operator.ts";
import { chosen } from "../../dataflow/columns/chosen.ts";
import type { FlowProgram, Port, ProgramSink, SourceStep, VertexStep } from "../../dataflow/program.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { checkVersion, dropEnds } from "./changes.ts";
import { type FlowState, freshState } from "./flow-state.ts";
import { boundsOf, type FlowTime, nextTick, noteSilent, reachedBy, takeTick, type TimeBounds } from "./flow-time.ts";
import { callService, lookUp } from "./calls.ts";
import { EGRESS, type FlowContext, SHARD, STREAM, TICK } from "./internal.ts";
import { egressKey, type PushResult, REFUSED, type UndeliveredHead } from "./egress.ts";
import { DEAD, keepLog, LATE, lateLine } from "./log.ts";
import { type Payload, toBound } from "./payload.ts";
import { tellStreams } from "./place.ts";
import type { ShardHead, ShardResult } from "./shard.ts";
import { byPlace, callShares, type SharesResult } from "./shares.ts";

/**
 * A large batch comes in parts, one after the other in one transaction. Time goes on with the last of them, so that no event is late for what
 * came with it; that one comes even where it has no rows.
 */
export type BatchPart = "whole" | "more" | "last";
export interface BatchHead {
  readonly part?: BatchPart;
  /** How often the transaction was too large before, and has begun again. */
  readonly tooLarge?: number;
}
export interface FeedHead extends BatchHead {
  /** Null where only time has passed. */
  readonly stream: string | null;
}

/** Events that came too late, by flow. */
export type LateByFlow = Readonly<Record<string, number>>;
/** What a batch came to. */
export interface FedResult {
  /** With all its parts so far: for older code, which looks at nothing else. */
  readonly late: number;
  /** Of this part, and of flows behind this one too, which read the streams that it gives to; absent in what older code answers. */
  readonly lateBy?: LateByFlow;
}
/** What events that a flow gives to a stream came to there. */
export interface AppendResult {
  /** Of flows that had any: what the answer to a batch names does not depend on how it comes to them. */
  readonly lateBy: LateByFlow;
}

/** One batch on its way. */
interface Run {
  readonly ctx: FlowContext;
  readonly program: FlowProgram;
  readonly state: FlowState;
  /** By step. */
  readonly rows: Rows[];
  readonly part: BatchPart;
  readonly tooLarge: number;
  readonly time: FlowTime;
  /** How far it may go. */
  readonly bounds: TimeBounds;
  /** Time has come to where something had to be done. */
  hasEnded: boolean;
  late: number;
  /** Of this part, of flows behind this one. */
  readonly lateBehind: Record<string, number>;
}

export async function feed(ctx: FlowContext, program: FlowProgram, { head, rows }: Payload): Promise<Payload> {
  const { stream, part = "whole", tooLarge = 0 } = head as FeedHead;
  const known = (ctx.state as FlowState | undefined) ?? freshState();
  const { state, dropped } = checkVersion(program, known);
  const gone = dropped.map((key) => ctx.ask(SHARD, key, "clear", { head: null, rows: [] }));
  await Promise.all(gone);
  await dropEnds(ctx, program, state);
  await tellStreams(ctx, program, state);
  state.begun ??= ctx.now();
  const time: FlowTime = { program, state, now: ctx.now() };
  noteSilent(time);
  state.placed = true;
  takeTick(time, stream === null);
  const bounds = boundsOf(time, { isBatch: stream !== null, isPart: part === "more", tooLarge });
  // It would only be the same once more.
  if (stream === null && !bounds.canBeLess) ctx.tooLarge(tooLarge);
  const run: Run = {
    ctx,
    program,
    state,
    rows: [],
    part,
    tooLarge,
    time,
    bounds,
    hasEnded: false,
    late: state.partLate ?? 0,
    lateBehind: {},
  };
  const [given] = rows;
  // The last part may have no rows, and no columns then.
  const batch = part !== "whole" && given?.length === 0 ? undefined : given;
  for (const [at, step] of program.steps.entries()) {
    switch (step.kind) {
      case "source":
        run.rows.push(step.stream.name === stream ? take(run, step, batch) : NO_ROWS);
        break;
      case "inline": {
        const inputs = step.inputs.map((input) => run.rows[input] as Rows);
        run.rows.push(inputs.every(({ length }) => length === 0) ? NO_ROWS : step.run(inputs));
        break;
      }
      case "lookup": {
        const input = run.rows[step.inputs[0] ?? 0] as Rows;
        run.rows.push(input.length === 0 ? NO_ROWS : await lookUp(ctx, step, input));
        break;
      }
      case "vertex":
        run.rows.push(await applyVertex(run, step, at));
    }
  }
  for (const sinks of program.ends) await deliver(run, sinks);
  state.events += batch?.length ?? 0;
  const lateBy = addLate({ ...run.lateBehind }, { [program.name]: run.late - (state.partLate ?? 0) });
  if (part === "more") state.partLate = run.late;
  else {
    if (stream !== null) state.batches += 1;
    state.late += run.late;
    Reflect.deleteProperty(state, "partLate");
    const tick = nextTick(time);
    if (tick !== null) ctx.later(TICK, (state.tick = tick));
  }
  ctx.state = state;
  return { head: { late: run.late, lateBy } satisfies FedResult, rows: [] };
}

/** What a source has come to by parts counts when its own last one is here: that of another one may come first, behind which there are more of this. */
function take({ ctx, state, part }: Run, step: SourceStep, batch: Rows | undefined): Rows {
  const { stream, time, outOfOrderness } = step;
  const known = state.sources[step.name];
  if (batch === undefined && known?.pending === undefined) return NO_ROWS;
  const rows =
    batch === undefined
      ? NO_ROWS
      : timedRows(new Map(batch.names.map((name) => [name, () => batch.column(name)] as const)), time);
  const before = known?.reached ?? -Infinity;
  let reached = Math.max(before, known?.pending ?? -Infinity);
  for (const each of rows.time) if (each - outOfOrderness > reached) reached = each - outOfOrderness;
  const at = rows.length > 0 ? ctx.now() : (known?.at ?? ctx.now());
  const come =
    part === "more" ? { reached: toBound(before), pending: toBound(reached) } : { reached: toBound(reached) };
  state.sources[step.name] = { ...come, at, stream: stream.name, time, outOfOrderness };
  return rows;
}

async function applyVertex(run: Run, step: VertexStep, vertex: number): Promise<Rows> {
  const { ctx, program, state } = run;
  const before = state.marks[step.name] ?? -Infinity;
  const clock = Math.max(before, ctx.now());
  const after = reachedBy(run.time, step, run.bounds);
  state.marks[step.name] = toBound(after);
  const begins = isToSay(state, step);
  const next = (state.next[step.name] ??= new Array<number | null>(step.shards).fill(null));
  const parts = step.ports.map((port) => split(run.rows[port.input] as Rows, port, step, clock));
  const called: number[] = [];
  for (let shard = 0; shard < step.shards; shard++) {
    const due = next[shard] ?? Infinity;
    run.hasEnded ||= due > before && due <= after;
    if (begins || due <= after || parts.some((part) => countOf(part, shard) > 0)) called.push(shard);
  }
  const bounds = { before: toBound(before), after: toBound(after) };
  const told = { ...(begins ? { begins } : {}), ...(run.part === "more" ? { more: true } : {}) };
  const head: ShardHead = { flow: program.name, vertex, id: step.id, ...bounds, ...told };
  const groups = byPlace(ctx, head, called);
  const answers = await Promise.all(
    groups.map((shards) => {
      const counts = parts.map((part) => shards.map((shard) => countOf(part, shard)));
      return callShares(
        ctx,
        { ...head, shards, counts },
        parts.map((part) => rowsFor(part, shards)),
      );
    }),
  );
  const out: Rows[] = [];
  for (const [group, answer] of answers.entries()) {
    const { results } = answer.head as SharesResult;
    for (const [at, shard] of (groups[group] as number[]).entries()) {
      const result = results[at] as ShardResult;
      next[shard] = result.next;
      for (const late of result.late) setAside(run, step, late, parts[late.input]?.index?.[shard]);
    }
    out.push(...answer.rows);
  }
  run.hasEnded ||= step.windowed && out.length > 0;
  return out.length === 0 ? NO_ROWS : concatRows(out);
}

/**
 * Whether results of a vertex that has state are read from now on, or have to end without events: its shares are asked when they have something to
 * do, which they did not say before.
 */
function isToSay(state: FlowState, { name, emits, woken }: VertexStep): boolean {
  const turns = [isNew(state, "read", name, emits), isNew(state, "woken", name, woken)];
  return turns.includes(true) && state.next[name] !== undefined;
}

function isNew(state: FlowState, list: "read" | "woken", name: string, isIn: boolean): boolean {
  const known = state[list]?.includes(name) === true;
  if (known === isIn) return false;
  const others = (state[list] ?? []).filter((each) => each !== name);
  state[list] = isIn ? [...others, name] : others;
  return isIn;
}

/** Late events are in no result, and not gone. @param index numbers of the share's rows among all; undefined when it has all of them */
function setAside(run: Run, step: VertexStep, late: LateRows, index: Uint32Array | undefined): void {
  const { ctx, state } = run;
  const input = step.ports[late.input]?.input ?? 0;
  const rows = (run.rows[input] as Rows).pick(Uint32Array.from(late.index, (at) => index?.[at] ?? at));
  const lines = rowLines(rows, rows.names).map((event, at) =>
    lateLine(ctx.now(), step.name, late.input, rows.time[at] as number, event),
  );
  keepLog(ctx.store, LATE, state.late + run.late, ctx.now(), lines);
  run.late += lines.length;
}

/** The rows of a vertex, with the columns that it looks at, and which of them are each share's. */
interface Split {
  readonly rows: Rows;
  /** By share, numbers of rows; null where there is but one share, which has all. */
  readonly index: readonly Uint32Array[] | null;
}

/** @param clock in windows of the server's time events are of the time that has been reached, which goes on if the clock is set back: nothing is late */
function split(rows: Rows, port: Port, step: VertexStep, clock: number): Split {
  if (rows.length === 0) return { rows: NO_ROWS, index: [] };
  const columns = new Map(port.names.map((name) => [name, () => rows.column(name)] as const));
  const time = step.processing ? new Float64Array(rows.length).fill(clock) : rows.time;
  const seen = new Rows(columns, time, rows.sign);
  return { rows: seen, index: step.shards === 1 ? null : splitRows(hashRows(rows, port.keys), step.shards) };
}

function countOf({ rows, index }: Split, shard: number): number {
  return index === null ? rows.length : (index[shard]?.length ?? 0);
}

/** The rows of some shares, one share's behind the other's. */
function rowsFor({ rows, index }: Split, shards: readonly number[]): Rows {
  if (index === null || rows.length === 0) return rows;
  const own = shards.map((shard) => index[shard] as Uint32Array);
  const all = new Uint32Array(own.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of own) {
    all.set(each, at);
    at += each.length;
  }
  return all.length === 0 ? NO_ROWS : rows.pick(all);
}

/** What goes to one stream is one batch there, of which nothing is late for the rest. */
async function deliver(run: Run, sinks: readonly ProgramSink[]): Promise<void> {
  const { ctx, state, program, rows, tooLarge } = run;
  const part = partBehind(run);
  const [sink] = sinks;
  invariant(sink !== undefined, "an end is none");
  const given = concatRows(sinks.map(({ from }) => withoutWithdrawn(rows[from] as Rows)));
  // Who reads the stream has to know of the end of what came before.
  if (given.length === 0 && !(part === "last" && sink.kind === "stream")) return;
  switch (sink.kind) {
    case "stream": {
      const answer = await ctx.ask(STREAM, sink.stream.name, "append", {
        head: { part, ...again(tooLarge) } satisfies BatchHead,
        rows: [given],
      });
      // Older code says nothing.
      addLate(run.lateBehind, (answer.head as AppendResult | null)?.lateBy ?? {});
      break;
    }
    case "egress":
      bury(ctx, state, await push(ctx, program, sink, given));
      break;
    case "call": {
      if (sink.as === "call" && run.hasEnded && run.bounds.canBeLess && given.length > LIMITS.steppedCalls)
        throw new TidegateError("transaction-too-large", `more than ${LIMITS.steppedCalls} results go to a service`);
      const key = compile(sink.key)([given], given.length);
      const keys = Array.from({ length: given.length }, (_, row) => String(cellAt(key, row)));
      bury(ctx, state, await callService(ctx, sink, given, keys));
    }
  }
}

/** A flow that is given a batch in several ways comes to several ends of it: there is more behind all but the last. */
function partBehind({ part, state }: Run): BatchPart {
  const isMore = part === "last" && Object.values(state.sources).some(({ pending }) => pending !== undefined);
  return isMore ? "more" : part;
}

export function addLate(to: Record<string, number>, more: LateByFlow): Record<string, number> {
  for (const [flow, late] of Object.entries(more)) to[flow] = (to[flow] ?? 0) + late;
  return to;
}

/** What goes on with a batch of which the transaction was too large before. */
export function again(tooLarge: number): Pick<BatchHead, "tooLarge"> {
  return tooLarge === 0 ? {} : { tooLarge };
}

/** Dead letters. */
function bury(ctx: FlowContext, state: FlowState, lines: readonly string[]): void {
  keepLog(ctx.store, DEAD, state.dead, ctx.now(), lines);
  state.dead += lines.length;
}

/** What an end in the outside world could not deliver. */
export function setUndeliveredAside(ctx: FlowContext, { head }: Payload): Payload {
  const { sink, error, events } = head as UndeliveredHead;
  const state = (ctx.state as FlowState | undefined) ?? freshState();
  const begin = `{"at":${ctx.now()},"sink":${JSON.stringify(sink)},"error":${JSON.stringify(error)},"event":`;
  bury(
    ctx,
    state,
    events.map((event) => `${begin}${event}}`),
  );
  ctx.state = state;
  return { head: null, rows: [] };
}

/** Gives events to an end in the outside world. Returns those that it does not take, for the dead letters. */
async function push(
  ctx: FlowContext,
  program: FlowProgram,
  sink: Extract<ProgramSink, { readonly kind: "egress" }>,
  rows: Rows,
): Promise<string[]> {
  const answer = await ctx.ask(EGRESS, egressKey(program.name, sink.name), "push", { head: null, rows: [rows] });
  const { refused } = answer.head as PushResult;
  if (refused.length === 0) return [];
  const given = rows.pick(Uint32Array.from(refused, ([row]) => row));
  return rowLines(given, Object.keys(sink.input.fields), sink.input.json).map((event, at) => {
    const error = { type: refused[at]?.[1], message: REFUSED[refused[at]?.[1] ?? "full"] };
    return `{"at":${ctx.now()},"sink":${JSON.stringify(sink.name)},"error":${JSON.stringify(error)},"event":${event}}`;
  });
}
/** A stream or a service is given results; that an earlier one is withdrawn they are not told. */
function withoutWithdrawn(rows: Rows): Rows {
  const { sign } = rows;
  return sign === null ? rows : rows.pick(chosen(Uint8Array.from(sign, (one) => (one > 0 ? 1 : 0))));
}
