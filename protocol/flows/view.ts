/** Reads of views and of what flows have set aside: queries over the shares of a vertex, which show one state of all of them. */
import { hashKey } from "../../dataflow/keys.ts";
import type { FlowProgram, VertexStep, ViewProgram } from "../../dataflow/program.ts";
import { requestedKey } from "../../dataflow/views.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { fromBase64Url, toBase64Url } from "../../sdk/base64.ts";
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import { exact } from "../../sdk/exact.ts";
import { LIMITS } from "../limits.ts";
import { compareKeys } from "../state/state-key.ts";
import { dropsOf, endsDropped, endsOf } from "./changes.ts";
import { type FlowState, freshState, shardKey } from "./flow-state.ts";
import { egressKey, type EgressStatus } from "./egress.ts";
import { EGRESS, type FlowContext, flowService, homeOf, type RootInput, SHARD } from "./internal.ts";
import type { LetterAsk } from "./letters.ts";
import { type Aside, endOfLog, readLog } from "./log.ts";
import { type Payload, RawJson } from "./payload.ts";
import type { ReadHead, ReadResult, ReadRow } from "./shard.ts";

/** What is asked of a view; JSON. */
export interface ViewAsk {
  readonly flow: string;
  readonly view: string;
  readonly key?: string | undefined;
  readonly limit: number;
  /** The `next` of an earlier answer. */
  readonly after?: string | undefined;
  /** The rows with the greatest values of an output, instead of those that come first. */
  readonly top?: string | undefined;
}

interface FlowStatus extends FlowState {
  readonly drops: readonly string[];
}

/** What is asked of what a flow has set aside; JSON. */
export interface AsideAsk {
  readonly flow: string;
  readonly what: Aside;
  /** Number of the last one that is known; -1 for the oldest, null for those to come. */
  readonly after: number | null;
  readonly limit: number;
}

export class Views {
  readonly #app: AppDefinition;
  readonly #programs: ReadonlyMap<string, FlowProgram>;

  constructor(app: AppDefinition, programs: ReadonlyMap<string, FlowProgram>) {
    this.#app = app;
    this.#programs = programs;
  }

  #program(flow: string): FlowProgram {
    const program = this.#programs.get(flow);
    if (program !== undefined) return program;
    if (this.#app.flows.has(flow)) throw comeAgain(otherKind(flow));
    throw new TidegateError("unknown-flow", `there is no flow "${flow}"`);
  }

  /** Of a flow's own key. */
  async status(ctx: FlowContext, flow: string): Promise<Payload> {
    const program = this.#program(flow);
    const state = (ctx.state as FlowState | undefined) ?? freshState();
    const drops = [...dropsOf(program, state), ...(await endsDropped(ctx, program, state))];
    return { head: { ...state, drops } satisfies FlowStatus, rows: [] };
  }

  async #statusOf(ctx: FlowContext, { name, home }: FlowProgram): Promise<FlowStatus> {
    const { head } = await ctx.ask(flowService(name), home, "status", { head: null, rows: [] });
    return head as FlowStatus;
  }

  async view(ctx: FlowContext, { text = "" }: RootInput): Promise<RawJson> {
    const ask = JSON.parse(text) as ViewAsk;
    const program = this.#program(ask.flow);
    const at = program.views.findIndex(({ sink }) => sink.name === ask.view);
    const view = program.views[at];
    if (view === undefined) throw new TidegateError("unknown-view", `there is no view "${ask.view}"`);
    const step = program.steps[view.vertex] as VertexStep;
    const status = await this.#statusOf(ctx, program);
    // What is kept under that name may be another version's, which nobody is shown.
    const watermark = status.vertices[step.name] === step.id ? (status.marks[step.name] ?? null) : null;
    const key = ask.key === undefined ? undefined : requestedKey(view, ask.key);
    const after = ask.after === undefined ? undefined : cursorOf(ask.after);
    const head: ReadHead = {
      flow: ask.flow,
      view: at,
      name: view.sink.name,
      id: step.id,
      watermark,
      limit: ask.top === undefined ? ask.limit + 1 : LIMITS.maxTopRows,
      bounded: ask.top === undefined,
      ...(after === undefined ? {} : { after }),
      ...(key === undefined ? {} : { key: key.text }),
    };
    const none = ask.key !== undefined && key === undefined;
    // Without rows it would look as if there were none under that key.
    if (none && view.sink.key.length !== 1) throw noKey(view.sink);
    const shards = none ? [] : key === undefined ? every(step) : [hashKey(key.cells) % step.shards];
    const answers = await Promise.all(
      shards.map((shard) => ctx.ask(SHARD, shardKey(ask.flow, step.id, shard), "read", { head, rows: [] })),
    );
    return new RawJson(
      bodyOf(
        ask,
        status,
        watermark,
        answers.map((answer) => answer.head as ReadResult),
      ),
    );
  }

  /** Late events, or dead letters; oldest first. */
  async aside(ctx: FlowContext, { text = "" }: RootInput): Promise<RawJson> {
    const ask = JSON.parse(text) as AsideAsk;
    const definition = this.#app.flows.get(ask.flow);
    if (definition === undefined) throw new TidegateError("unknown-flow", `there is no flow "${ask.flow}"`);
    const { head } = await ctx.ask(flowService(ask.flow), homeOf(definition), "aside", { head: ask, rows: [] });
    return new RawJson(JSON.stringify(head));
  }

  /** Does something with a dead letter of a flow that has operators. @param name of the function of the flow's own key */
  async letter(ctx: FlowContext, name: string, { text = "" }: RootInput): Promise<RawJson> {
    const ask = JSON.parse(text) as LetterAsk;
    const { home } = this.#program(ask.flow);
    const { head } = await ctx.ask(flowService(ask.flow), home, name, { head: ask, rows: [] });
    return new RawJson(JSON.stringify(head));
  }

  /** Of a flow's own key. */
  asideHere(ctx: FlowContext, { head }: Payload): Payload {
    const { what, after, limit } = head as AsideAsk;
    const end = endOfLog(ctx.store, what);
    const page = after === null ? { first: end, events: [] } : readLog(ctx.store, what, after, limit);
    return { head: { ...page, end }, rows: [] };
  }

  /** How far a flow has come. */
  async flow(ctx: FlowContext, { text = "" }: RootInput): Promise<RawJson> {
    const { flow } = JSON.parse(text) as { readonly flow: string };
    const program = this.#program(flow);
    const { marks, sources, events, batches, late, dead, drops } = await this.#statusOf(ctx, program);
    const ends = endsOf(program);
    const answers = await Promise.all(
      ends.map((end) => ctx.ask(EGRESS, egressKey(flow, end), "status", { head: null, rows: [] })),
    );
    const sinks = Object.fromEntries(ends.map((end, at) => [end, answers[at]?.head as EgressStatus]));
    const status = { events, batches, late, deadLetters: dead, sources, watermarks: marks, sinks, drops };
    return new RawJson(JSON.stringify(status));
  }
}

/** Who asks has another version of the code: in one of both the window kernel runs the flow, in the other one operators do. */
export function otherKind(flow: string): string {
  return `this partition has another version of the code, in which flow "${flow}" is run otherwise`;
}

function every({ shards }: VertexStep): number[] {
  return Array.from({ length: shards }, (_, shard) => shard);
}

function noKey({ name, key }: ViewProgram["sink"]): TidegateError {
  const shown = `[${key.map((field) => `<${field}>`).join(",")}]`;
  return new TidegateError(
    "invalid-key",
    `a key of the view "${name}" is the JSON array ${shown}, without spaces, each value as JavaScript writes it: [17,"de",true]`,
  );
}

function cursorOf(text: string): string {
  const bytes = fromBase64Url(text);
  if (bytes === null) throw new TidegateError("invalid-parameter", "?cursor= is the `next` of an earlier answer");
  return new TextDecoder().decode(bytes);
}

function bodyOf(ask: ViewAsk, status: FlowStatus, watermark: number | null, parts: readonly ReadResult[]): string {
  let rows = parts.flatMap((part) => part.rows).toSorted(([a], [b]) => compareKeys(a, b));
  let next = "";
  // Behind the last row of a share that has more there may be one that would come first.
  const ends = parts.flatMap((part) => (part.more ? [(part.rows.at(-1) as ReadRow)[0]] : []));
  const cut = ends.reduce<string | null>((a, b) => (a !== null && compareKeys(a, b) <= 0 ? a : b), null);
  if (ask.top !== undefined) {
    if (cut !== null) throw new TidegateError("invalid-parameter", "this view has too many rows to be ranked");
    rows = topOf(rows, ask.top).slice(0, ask.limit);
  } else if (cut !== null || rows.length > ask.limit || fitting(rows) < rows.length) {
    if (cut !== null) rows = rows.filter(([key]) => compareKeys(key, cut) <= 0);
    rows = rows.slice(0, Math.min(ask.limit, Math.max(1, fitting(rows))));
    const last = (rows.at(-1) as ReadRow)[0];
    next = `,"next":${JSON.stringify(toBase64Url(new TextEncoder().encode(last)))}`;
  }
  const shown = rows.map(([, row]) => row).join(",");
  return `{"rows":[${shown}],"watermark":${watermark},"events":${status.events},"late":${status.late},"batches":${status.batches}${next}}`;
}

/** How many of the rows fit into one answer. */
function fitting(rows: readonly ReadRow[]): number {
  let size = 0;
  for (const [at, [, row]] of rows.entries()) {
    size += row.length;
    if (size > LIMITS.maxViewChars) return at;
  }
  return rows.length;
}

/** By one member of the rows, greatest first, those without it last; of equals, in the order of keys. */
function topOf(rows: readonly ReadRow[], by: string): ReadRow[] {
  const values = rows.map((row) => {
    const value = (JSON.parse(row[1], exact) as Record<string, unknown>)[by];
    return [typeof value === "number" || typeof value === "bigint" ? value : -Infinity, row] as const;
  });
  return values.toSorted(([a], [b]) => (a > b ? -1 : a < b ? 1 : 0)).map(([, row]) => row);
}
