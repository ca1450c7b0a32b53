/** A saga with a step of every kind, which may fail, be cancelled and come to a standstill anywhere, and a service that notes what it did. */
import { contract, effect, fn, outcome, query, reply, saga, service, type ServiceDefinition } from "../../sdk/index.ts";
import { functionHost } from "../world/functions.ts";
import type { Deed } from "./outside-service.ts";
import { anything } from "./schema.ts";

/** What fails for good by itself: nothing, the effect, or the last step. */
export type TourEnd = "well" | "toll" | "leave";
export interface Tour {
  readonly n: number;
  readonly from: string;
  readonly to: string;
  readonly end: TourEnd;
  /** The first step fails before this true time, and what makes up for it before the other; ms since 1970. */
  readonly flakyUntil: number;
  readonly stuckUntil: number;
  /** ms, or null: the promise waits until somebody settles it. */
  readonly deadline: number | null;
}
/** What was noted of tours, in order: `hold 7`, `release 7`, ... */
export interface TourState {
  begun: Tour[];
  notes: string[];
  /** How each ended: `ok`, or the error's type. */
  over: Array<{ readonly n: number; readonly how: string; readonly ms: number }>;
}

const stops = contract("tv", {
  begin: fn({ input: anything<Tour>() }),
  note: fn({ input: anything<string>() }),
  over: fn({ input: outcome(anything<Record<string, unknown>>()) }),
  seen: query({ output: anything<TourState>() }),
});

export const toll = effect("toll", {
  input: anything<Deed>(),
  output: anything<number>(),
  retries: { attempts: 6, delay: 15, maxDelay: 60 },
  handler: () => 0,
});

export function tourId(n: number): string {
  return `tour-${n}`;
}
/** Of the promise that it waits for. */
export function tourPromiseId(n: number): string {
  return `t${n}`;
}

function before(ms: number): void {
  if (functionHost().trueMs < ms) throw new Error("it is not time for this one");
}

export const tour = saga("tour", {
  input: anything<Tour>(),
  retryDelay: 15,
  keep: 1_500,
  steps: [
    {
      name: "hold",
      attempts: 3,
      run(ctx, { input }) {
        before(input.flakyUntil);
        return ctx.call(stops, input.from).note(`hold ${input.n}`);
      },
      compensate(ctx, { input }) {
        before(input.stuckUntil);
        return ctx.call(stops, input.from).note(`release ${input.n}`);
      },
    },
    {
      name: "agree",
      promise: {
        id: ({ input }) => tourPromiseId(input.n),
        // A week, where nobody is to be late.
        deadline: ({ input }) => input.deadline ?? "7d",
        ask: (ctx, { input }) => ctx.call(stops, input.to).note(`ask ${input.n}`),
      },
      compensate: (ctx, { input }) => ctx.call(stops, input.to).note(`disagree ${input.n}`),
    },
    {
      name: "toll",
      effect: toll,
      with: ({ input }) => ({ n: input.n, failures: input.n % 3, final: input.end === "toll" }),
      compensate: (ctx, { input }) => ctx.call(stops, input.from).note(`refund ${input.n}`),
    },
    {
      name: "board",
      run: (ctx, { input }) => ctx.call(stops, input.to).note(`board ${input.n}`),
      compensate: (ctx, { input }) => ctx.call(stops, input.to).note(`alight ${input.n}`),
    },
    { name: "rest", delay: 20 },
    {
      name: "leave",
      async run(ctx, { input }) {
        await ctx.call(stops, input.to).note(`leave ${input.n}`);
        if (input.end === "leave") throw ctx.fail("nobody is there");
      },
    },
  ],
});

export function tourService(): ServiceDefinition {
  return service(
    stops,
    { state: (): TourState => ({ begun: [], notes: [], over: [] }) },
    {
      begin(ctx, input) {
        ctx.state.begun.push({ ...input });
        ctx.start(tour, tourId(input.n), input, reply(stops, ctx.key, "over", String(input.n)));
      },
      note: (ctx, note) => void ctx.state.notes.push(note),
      over(ctx, told) {
        const how = told.ok ? "ok" : told.error.type;
        ctx.state.over.push({ n: Number(told.about), how, ms: functionHost().trueMs });
      },
      seen: ({ state: { begun, notes, over } }) => ({
        begun: begun.map((each) => ({ ...each })),
        notes: [...notes],
        over: over.map((each) => ({ ...each })),
      }),
    },
  );
}
