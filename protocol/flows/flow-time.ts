/**
 * How far a flow's time goes with a batch or by itself: as far as its events and the clock say. Where what ends with that is too much for one
 * transaction, the batch is taken with time standing still, and time comes after it in ticks, each a step of it.
 */
import type { FlowProgram, SourceStep, VertexStep } from "../../dataflow/program.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { FlowState } from "./flow-state.ts";

/** A flow, as of the server time of a transaction. */
export interface FlowTime {
  readonly program: FlowProgram;
  readonly state: FlowState;
  readonly now: number;
}

/** What time may reach in a transaction: event time, and the server's. */
export interface TimeBounds {
  readonly event: number;
  readonly processing: number;
  /** Should it be too much, less of it can be tried. */
  readonly canBeLess: boolean;
}
const UNBOUNDED: TimeBounds = { event: Infinity, processing: Infinity, canBeLess: true };
const STANDING: TimeBounds = { event: -Infinity, processing: -Infinity, canBeLess: false };

/** By how much less a step is each time that it was too much. */
const SMALLER = 8;

/** What comes to a flow. */
export interface Coming {
  /** Else only time passes. */
  readonly isBatch: boolean;
  /** More of the batch comes behind it. */
  readonly isPart: boolean;
  /** How often the transaction was too large before. */
  readonly tooLarge: number;
}

/** Notes in the state whether time is behind. */
export function boundsOf(time: FlowTime, { isBatch, isPart, tooLarge }: Coming): TimeBounds {
  const { state, now } = time;
  if (isPart) return STANDING;
  if (!isBatch) return stepOf(time, tooLarge);
  // What ends at one time alone is too much: whoever sends has to hear of it.
  const isStuck = state.behind !== undefined && now - state.behind.since > LIMITS.behindMs;
  if (!isStuck && (tooLarge > 0 || state.behind !== undefined)) {
    state.behind ??= { since: now, stride: null };
    return STANDING;
  }
  Reflect.deleteProperty(state, "behind");
  return isStuck ? { ...UNBOUNDED, canBeLess: false } : UNBOUNDED;
}

/** With each step of which all is taken the next one may be twice as long. */
function stepOf(time: FlowTime, tooLarge: number): TimeBounds {
  const { state, now } = time;
  if (state.behind === undefined && tooLarge === 0) return UNBOUNDED;
  const event = stepIn(time, false, tooLarge);
  const processing = stepIn(time, true, tooLarge);
  if (event.isAll && processing.isAll) Reflect.deleteProperty(state, "behind");
  else {
    const taken = Math.max(1, event.taken, processing.taken);
    state.behind = { since: now, stride: tooLarge === 0 ? 2 * taken : taken };
  }
  return { event: event.bound, processing: processing.bound, canBeLess: event.taken > 0 || processing.taken > 0 };
}

/** Goes on behind the first time at which there is something to do. The same for all vertices: what they give to one stream comes there in order. */
function stepIn(time: FlowTime, processing: boolean, tooLarge: number) {
  let first = Infinity;
  let reached = -Infinity;
  for (const step of time.program.steps) {
    if (step.kind !== "vertex" || step.processing !== processing) continue;
    const reaches = reachedBy(time, step, UNBOUNDED);
    reached = Math.max(reached, reaches);
    const next = firstDue(time.state, step);
    if (next <= reaches) first = Math.min(first, next);
  }
  if (first === Infinity) return { bound: Infinity, isAll: true, taken: 0 };
  const most = Math.min(time.state.behind?.stride ?? Infinity, reached - first);
  const taken = tooLarge >= LIMITS.maxTooLarge ? 0 : Math.floor(most / SMALLER ** tooLarge);
  if (first + taken >= reached) return { bound: Infinity, isAll: true, taken };
  return { bound: first + taken, isAll: false, taken };
}

/** How far time comes for a vertex; never back. */
export function reachedBy(time: FlowTime, step: VertexStep, bounds: TimeBounds): number {
  const before = time.state.marks[step.name] ?? -Infinity;
  const wanted = step.processing
    ? Math.min(time.now, bounds.processing)
    : Math.min(watermarkOf(time, step), bounds.event);
  return Math.max(before, wanted);
}

/** As far as in the slowest of its sources that is not idle; where all are, nobody is waited for, and it is as far as in the quickest. */
function watermarkOf(time: FlowTime, step: VertexStep): number {
  const { program, state, now } = time;
  let least = Infinity;
  let greatest = -Infinity;
  for (const at of step.sources) {
    const source = program.steps[at];
    invariant(source?.kind === "source", "a vertex has a source that is none");
    const reached = state.sources[source.name]?.reached ?? -Infinity;
    greatest = Math.max(greatest, reached);
    const silence = now - lastHeard(time, source);
    if (source.idle === null || silence <= source.idle) least = Math.min(least, reached);
  }
  return least === Infinity ? greatest : least;
}

/** When some share of a vertex has something to do. */
function firstDue(state: FlowState, { name }: VertexStep): number {
  return (state.next[name] ?? []).reduce<number>((least, at) => Math.min(least, at ?? Infinity), Infinity);
}

/** The tick that was asked for is due. While time is behind batches wait for it, unless it is gone. */
export function takeTick({ state, now }: FlowTime, isTick: boolean): void {
  if (state.tick === null || state.tick > now) return;
  const isAwaited = !isTick && state.behind !== undefined && now - state.tick < LIMITS.tickLostMs;
  if (!isAwaited) state.tick = null;
}

/** Goes on by itself where time comes further without events: windows of processing time end, sources fall idle, and what is behind comes after. Null where nothing new is to be asked for. */
export function nextTick(time: FlowTime): number | null {
  const { program, state, now } = time;
  let wanted = state.behind === undefined ? Infinity : now;
  for (const step of program.steps) {
    if (step.kind !== "vertex") continue;
    const next = firstDue(state, step);
    if (next === Infinity) continue;
    if (step.processing) wanted = Math.min(wanted, next);
    else wanted = Math.min(wanted, ...step.sources.map((at) => idleAt(time, at)));
  }
  if (wanted === Infinity || (state.tick !== null && state.tick <= wanted)) return null;
  return Math.max(Math.ceil(wanted), now);
}

/** A source that a version adds has not been silent for as long as the flow is there. */
export function noteSilent({ program, state, now }: FlowTime): void {
  const since: Record<string, number> = {};
  for (const step of program.steps) {
    if (step.kind !== "source" || step.idle === null || state.sources[step.name] !== undefined) continue;
    since[silentAs(step)] = state.since?.[silentAs(step)] ?? now;
  }
  if (Object.keys(since).length > 0) state.since = since;
  else Reflect.deleteProperty(state, "since");
}

/** Names count sources in their order, which may be another in the next version. */
function silentAs({ name, stream }: SourceStep): string {
  return `${name} of ${stream.name}`;
}

/** Server time of its last event, or since when it could have had one. */
function lastHeard({ state, now }: FlowTime, source: SourceStep): number {
  return state.sources[source.name]?.at ?? state.since?.[silentAs(source)] ?? state.begun ?? now;
}

/** When a source will have been silent for long enough to hold back nobody; Infinity when it is already, or never is. */
function idleAt(time: FlowTime, at: number): number {
  const source = time.program.steps[at];
  if (source?.kind !== "source" || source.idle === null) return Infinity;
  const idle = lastHeard(time, source) + source.idle + 1;
  return idle > time.now ? idle : Infinity;
}
