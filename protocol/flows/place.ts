/**
 * Where a flow's own state is: at the stream that was its first when it began. Another version of it may have another first stream, if only because its
 * ends are in another order; the state stays where it is, and what comes to the place that follows from the definition goes on to there. A key that no
 * version changes knows the place.
 */
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

/** Functions of the key that knows the place. */
export const placeHandlers = {
  place: (ctx) => ({ head: ctx.state ?? null, rows: [] }),
  /** The place is where it was first asked for. */
  settle: (ctx, { head }) => {
    ctx.state ??= head;
    return { head: ctx.state, rows: [] };
  },
} satisfies Record<string, Handler>;

/**
 * Runs a function of a flow where its state is.
 * @param settles it may begin the flow, here if it has no place yet
 */
export function atPlace(flow: string, name: string, run: Handler, settles = false): InternalHandler {
  return async (ctx, input) => {
    const place = settles ? await settled(ctx, flow) : await placeOf(ctx, flow);
    if (place === ctx.key) return run(ctx, input);
    return ctx.ask(flowService(flow), place, name, { head: input.head, rows: input.rows });
  };
}

async function placeOf(ctx: FlowContext, flow: string): Promise<string> {
  const { state } = ctx;
  if (isElsewhere(state)) return state.place;
  if (state !== undefined) return ctx.key;
  const { head } = await ctx.ask(flowService(flow), placeKey(flow), "place", { head: null, rows: [] });
  return (head as string | null) ?? ctx.key;
}

async function settled(ctx: FlowContext, flow: string): Promise<string> {
  const state = ctx.state as FlowState | Elsewhere | undefined;
  if (isElsewhere(state)) return state.place;
  if (state?.placed === true) return ctx.key;
  // What an earlier version of the code began is not known there yet.
  const { head } = await ctx.ask(flowService(flow), placeKey(flow), "settle", { head: ctx.key, rows: [] });
  const place = head as string;
  if (place !== ctx.key && state === undefined) ctx.state = { place } satisfies Elsewhere;
  return state === undefined ? place : ctx.key;
}
