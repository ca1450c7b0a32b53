/**
 * Where a flow's own state is: at the stream that was its first when it began. Another version of it may have another first stream, if only because its
 * ends are in another order; the state stays where it is, and what comes to the place that follows from the definition goes on to there. A key that no
 * version changes knows the place. Where the window kernel has run the flow it does not: the kernel has no transactions. So a flow that begins looks at
 * its key at each of its streams, and it tells all of them its place, for a kernel that is to run it from there.
 */
import type { FlowProgram } from "../../dataflow/program.ts";
import { type FlowContext, flowService, type InternalHandler, type RootInput } from "./internal.ts";
import type { FlowState } from "./flow-state.ts";
import type { Payload } from "./payload.ts";

/** The value under a flow's key at a stream where its state is not. */
export interface Elsewhere {
  readonly place: string;
}

export function isElsewhere(state: unknown): state is Elsewhere {
  return typeof state === "object" && state !== null && "place" in state;
}

/** The key of a flow that knows its place; no stream has such a name. Its value is that one's. */
export function placeKey(flow: string): string {
  return `@${flow}`;
}

type Handler = (ctx: FlowContext, input: Payload & RootInput) => Promise<Payload> | Payload;

/** Functions of the key that knows the place, and of the flow's key at each of its streams. */
export const placeHandlers = {
  place: (ctx) => ({ head: ctx.state ?? null, rows: [] }),
  /** The place is where it was first asked for. At a stream, what is there stays: only a key without a value is told the place. */
  settle: (ctx, { head }) => {
    ctx.state ??= head;
    return { head: ctx.state, rows: [] };
  },
} satisfies Record<string, Handler>;

/**
 * Runs a function of a flow where its state is.
 * @param settles it may begin the flow, here if it has no place yet
 */
export function atPlace(program: FlowProgram, name: string, run: Handler, settles = false): InternalHandler {
  return async (ctx, input) => {
    const place = settles ? await settled(ctx, program) : await placeOf(ctx, program);
    if (place === ctx.key) return run(ctx, input);
    return ctx.ask(flowService(program.name), place, name, { head: input.head, rows: input.rows });
  };
}

async function placeOf(ctx: FlowContext, program: FlowProgram): Promise<string> {
  const { state } = ctx;
  if (isElsewhere(state)) return state.place;
  if (state !== undefined) return ctx.key;
  const { name } = program;
  const { head } = await ctx.ask(flowService(name), placeKey(name), "place", { head: null, rows: [] });
  return (head as string | null) ?? (await begunAt(ctx, program)) ?? ctx.key;
}

/** The other stream at which the window kernel has begun the flow. */
async function begunAt(ctx: FlowContext, { name, definition }: FlowProgram): Promise<string | undefined> {
  const others = definition.streams.map((stream) => stream.name).filter((stream) => stream !== ctx.key);
  const none: Payload = { head: null, rows: [] };
  const found = await Promise.all(others.map((stream) => ctx.ask(flowService(name), stream, "place", none)));
  return others.find((_, at) => found[at]?.head !== null && !isElsewhere(found[at]?.head));
}

/** Tells the flow's key at each of its other streams where it is. That of its first stream, by which batches come here, knows it. */
export async function tellStreams(ctx: FlowContext, program: FlowProgram, state: FlowState): Promise<void> {
  const { name, home, definition } = program;
  const known = [ctx.key, home, ...(state.streams ?? [])];
  const others = definition.streams.map((stream) => stream.name).filter((stream) => !known.includes(stream));
  if (others.length === 0) return;
  const place: Elsewhere = { place: ctx.key };
  await Promise.all(others.map((stream) => ctx.ask(flowService(name), stream, "settle", { head: place, rows: [] })));
  state.streams = [...(state.streams ?? []), ...others];
}

async function settled(ctx: FlowContext, program: FlowProgram): Promise<string> {
  const state = ctx.state as FlowState | Elsewhere | undefined;
  if (isElsewhere(state)) return state.place;
  if (state?.placed === true) return ctx.key;
  // What an earlier version of the code began is not known there yet.
  const begun = (state === undefined ? await begunAt(ctx, program) : undefined) ?? ctx.key;
  const { name } = program;
  const { head } = await ctx.ask(flowService(name), placeKey(name), "settle", { head: begun, rows: [] });
  const place = head as string;
  if (place !== ctx.key && state === undefined) ctx.state = { place } satisfies Elsewhere;
  return state === undefined ? place : ctx.key;
}
