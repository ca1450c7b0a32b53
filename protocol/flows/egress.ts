/**
 * Ends of flows in the outside world. What a batch gives to one is kept under a key of its own, in the batch's transaction; effects deliver it, so
 * many at a time, and the end of each, which is told once, makes room for the next. So a slow receiver fills neither memory nor the outbox, and
 * holds up nobody but those who give it more than is kept.
 *
 *   value  EgressState
 *   entry  "e" / the events as lines of JSON (lines.ts)
 */
import { rowLines } from "../../dataflow/columns/lines.ts";
import type { Rows } from "../../dataflow/columns/rows.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import type { FlowProgram } from "../../dataflow/program.ts";
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import type { EgressSink } from "../../sdk/index.ts";
import type { Outcome } from "../../sdk/outcome.ts";
import { decodeValue } from "../../sdk/values.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { utf8Length } from "../../sdk/utf8.ts";
import { EGRESS, type FlowContext, flowService, type RootInput } from "./internal.ts";
import { dropLines, entriesOf, linesFrom } from "./lines.ts";
import { type Payload, RawJson } from "./payload.ts";

/** Numbers of rows that were not taken, and why. */
export interface PushResult {
  readonly refused: ReadonlyArray<readonly [row: number, why: keyof typeof REFUSED]>;
}
/** An event that was set aside and is to be delivered after all: its JSON. */
export interface AgainHead {
  readonly line: string;
}
/** What could not be delivered, for the flow's dead letters. */
export interface UndeliveredHead {
  readonly sink: string;
  readonly error: { readonly type: string; readonly message: string };
  /** As JSON. */
  readonly events: readonly string[];
}

/** The value under an end's key. Events are numbered from 0. */
interface EgressState {
  /** Number of the next event. */
  next: number;
  /** Number of the first event that is in no delivery yet. */
  asked: number;
  /** Deliveries under way: their first event and how many, in order. */
  under: Array<[first: number, count: number]>;
  /** Characters of the entries. */
  units: number;
  delivered: number;
  failed: number;
}

export interface EgressStatus {
  readonly waiting: number;
  readonly delivered: number;
  readonly failed: number;
}

/** Why an event is not taken. */
export const REFUSED = {
  "too-large": "the event is larger than what is delivered at a time",
  full: "too many events waited for their delivery",
} as const;

const KEPT = "e";

/** Its key: names have no slash. */
export function egressKey(flow: string, sink: string): string {
  return `${flow}/${sink}`;
}

export class Egress {
  readonly #programs: ReadonlyMap<string, FlowProgram>;

  constructor(programs: ReadonlyMap<string, FlowProgram>) {
    this.#programs = programs;
  }

  /** Keeps events. @throws TidegateError `overloaded` when so many wait that the batch is to come again */
  push(ctx: FlowContext, { rows: [rows] }: Payload): Payload {
    const { sink } = this.#sinkOf(ctx.key);
    const state = stateOf(ctx);
    const refused: Array<PushResult["refused"][number]> = [];
    const lines: string[] = [];
    let units = 0;
    for (const [row, line] of linesOf(rows, sink).entries()) {
      if (utf8Length(line) + sink.most.overhead > sink.most.eventBytes) refused.push([row, "too-large"]);
      else {
        lines.push(line);
        units += line.length;
      }
    }
    // One batch finds room in any case: it may be more than what is kept.
    if (state.units > 0 && state.units + units > LIMITS.maxEgressUnits) {
      if (sink.onFull === "abort-batch") throw full(sink, "; nothing was taken");
      return { head: { refused: Array.from(rows?.time ?? [], (_, row) => [row, "full"]) }, rows: [] };
    }
    keep(ctx.store, state, lines, ctx.now());
    deliver(ctx, sink, state);
    ctx.state = state;
    return { head: { refused } satisfies PushResult, rows: [] };
  }

  /** Keeps one that was a dead letter. @throws TidegateError when there is no room, or it can never be delivered */
  again(ctx: FlowContext, { head }: Payload): Payload {
    const { line } = head as AgainHead;
    const { sink } = this.#sinkOf(ctx.key);
    const state = stateOf(ctx);
    if (utf8Length(line) + sink.most.overhead > sink.most.eventBytes)
      throw new TidegateError("body-too-large", REFUSED["too-large"]);
    if (state.units > 0 && state.units + line.length > LIMITS.maxEgressUnits) throw full(sink);
    keep(ctx.store, state, [line], ctx.now());
    deliver(ctx, sink, state);
    ctx.state = state;
    return { head: null, rows: [] };
  }

  /** A delivery has ended. It is told once. */
  async ended(ctx: FlowContext, { text = "" }: RootInput): Promise<RawJson> {
    const end = decodeValue(text) as Outcome;
    const state = stateOf(ctx);
    const delivery = state.under.find(([first]) => first === Number(end.about));
    if (delivery !== undefined) {
      const { program, sink } = this.#sinkOf(ctx.key);
      const [first, count] = delivery;
      if (end.ok) state.delivered += count;
      else {
        const { lines: events } = linesFrom(ctx.store, KEPT, first, (_, taken) => taken < count);
        invariant(events.length === count, "5: an event of a delivery is gone before it was settled");
        const head: UndeliveredHead = { sink: sink.name, error: end.error, events };
        await ctx.ask(flowService(program.name), program.home, "setAside", { head, rows: [] });
        state.failed += count;
      }
      state.under = state.under.filter((each) => each !== delivery);
      forget(ctx.store, state);
      deliver(ctx, sink, state);
      ctx.state = state;
    }
    return new RawJson("null");
  }

  status(ctx: FlowContext): Payload {
    return { head: statusOf(stateOf(ctx)), rows: [] };
  }

  /** Drops what waits and what is under way. Numbers go on: no end of an old delivery is taken for that of a new one. */
  clear(ctx: FlowContext): Payload {
    const state = stateOf(ctx);
    const failed = state.next - state.delivered;
    ctx.clear();
    ctx.state = { ...state, asked: state.next, under: [], units: 0, failed } satisfies EgressState;
    return { head: null, rows: [] };
  }

  #sinkOf(key: string): { readonly program: FlowProgram; readonly sink: EgressSink } {
    const [flow = "", name = ""] = key.split("/");
    const program = this.#programs.get(flow);
    const sink = program?.sinks.find((each) => each.kind === "egress" && each.name === name);
    // The caller, or who keeps the message, may run another version of the code.
    if (program === undefined || sink?.kind !== "egress")
      throw comeAgain(`flow "${flow}" has no end "${name}" in this version of the code`);
    return { program, sink };
  }
}

function full({ to, name }: EgressSink, more = ""): TidegateError {
  return comeAgain(`too many events wait for the ${to} "${name}"${more}`);
}

function statusOf({ next, delivered, failed }: EgressState): EgressStatus {
  return { waiting: next - delivered - failed, delivered, failed };
}

/** @param text value of an end as stored */
export function egressStatusOf(text: string): EgressStatus {
  return statusOf(decodeValue(text) as EgressState);
}

/** Whether an end of a flow waits for a delivery. @param text its value as stored */
export function awaits(text: string | null, about: string): boolean {
  const state = text === null ? null : (decodeValue(text) as EgressState);
  return state?.under.some(([first]) => String(first) === about) === true;
}

function linesOf(rows: Rows | undefined, { input }: EgressSink): string[] {
  return rows === undefined ? [] : rowLines(rows, Object.keys(input.fields), input.json);
}

function stateOf(ctx: FlowContext): EgressState {
  const state = ctx.state as EgressState | undefined;
  return state ?? { next: 0, asked: 0, under: [], units: 0, delivered: 0, failed: 0 };
}

function keep(store: ShardStore, state: EgressState, lines: readonly string[], at: number): void {
  for (const { key, text } of entriesOf(lines, state.next, at)) {
    store.put(KEPT, key, text);
    state.units += text.length;
  }
  state.next += lines.length;
}

/** Asks for as many deliveries as may be under way. */
function deliver(ctx: FlowContext, sink: EgressSink, state: EgressState): void {
  const { events, bytes, overhead } = sink.most;
  while (state.under.length < sink.atATime && state.asked < state.next) {
    let size = 0;
    const { lines } = linesFrom(ctx.store, KEPT, state.asked, (line, taken) => {
      size += utf8Length(line) + overhead;
      return taken === 0 || (taken < events && size <= bytes);
    });
    invariant(lines.length > 0, "5: an event that waits for its delivery is gone");
    const about = String(state.asked);
    ctx.effect(sink.effect, { lines: lines.join("\n") }, { service: EGRESS, key: ctx.key, name: "ended", about });
    state.under.push([state.asked, lines.length]);
    state.asked += lines.length;
  }
}

/** Entries all of whose events are settled go. */
function forget(store: ShardStore, state: EgressState): void {
  const first = state.under.reduce((least, [number]) => Math.min(least, number), state.asked);
  state.units -= dropLines(store, KEPT, ({ end }) => end <= first, Infinity);
}
