/** A service that asks for effects and notes what it is told of them, one whose state has a time to live, and one that sagas write to. */
import { contract, effect, fn, outcome, query, reply, saga, service, type ServiceDefinition } from "../../sdk/index.ts";
import { functionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** What an effect does to the simulated world, which runs it (world/outside.ts): attempts fail so often before one succeeds. */
export interface Deed {
  readonly n: number;
  readonly failures: number;
  readonly final: boolean;
}
export interface OutsideState {
  asked: number[];
  told: Array<{ readonly n: number; readonly ok: boolean }>;
}

/** Simulated, its handler is never called. */
export const deed = effect("deed", {
  input: anything<Deed>(),
  output: anything<number>(),
  retries: { attempts: 4, delay: 15, maxDelay: 60 },
  handler: () => 0,
});

interface Ask extends Deed {
  readonly to: string;
  readonly how: "return" | "throw" | "try";
}

const outside = contract("to", {
  ask: fn({ input: anything<Ask>() }),
  told: fn({ input: outcome(anything<number>()) }),
  seen: query({ output: anything<OutsideState>() }),
});

/** ms. */
export const TTL_MS = 300;

/** What a touch finds and leaves: who was there before, and when. */
export interface Touched {
  readonly n: number;
  /** `ctx.now()`, and the true time. */
  readonly at: number;
  readonly ms: number;
  readonly before: { readonly n: number; readonly at: number } | null;
}

const shortlived = contract("tt", {
  touch: fn({ input: anything<number>(), output: anything<Touched>() }),
});

/** How a trip is to end: well, or by the step of that name. */
export type TripEnd = "well" | "book" | "pay" | "go";
interface Trip {
  readonly n: number;
  readonly from: string;
  readonly to: string;
  readonly end: TripEnd;
}
/** What was noted of trips, in order: `book 7`, `undo 7`, `go 7`, `over 7 true`. */
export interface TripState {
  begun: Array<{ readonly n: number; readonly end: TripEnd }>;
  notes: string[];
}

const stations = contract("ts", {
  begin: fn({ input: anything<Trip>() }),
  note: fn({ input: anything<string>() }),
  over: fn({ input: outcome(anything<Record<string, unknown>>()) }),
  seen: query({ output: anything<TripState>() }),
});

/** Its effect, of which nobody keeps count; see `deed`. */
export const fare = effect("fare", {
  input: anything<Deed>(),
  output: anything<number>(),
  retries: { attempts: 30, delay: 15, maxDelay: 60 },
  handler: () => 0,
});

export const trip = saga("trip", {
  input: anything<Trip>(),
  retryDelay: 15,
  keep: 200,
  steps: [
    {
      name: "book",
      async run(ctx, { input }) {
        await ctx.call(stations, input.from).note(`book ${input.n}`);
        if (input.end === "book") throw ctx.fail("nothing is free");
      },
      compensate: (ctx, { input }) => ctx.call(stations, input.from).note(`undo ${input.n}`),
    },
    { name: "pay", effect: fare, with: ({ input }) => ({ n: input.n, failures: 0, final: input.end === "pay" }) },
    { name: "rest", delay: 20 },
    {
      name: "go",
      async run(ctx, { input }) {
        await ctx.call(stations, input.to).note(`go ${input.n}`);
        if (input.end === "go") throw ctx.fail("nobody is there");
      },
    },
  ],
});

export function outsideServices(): ServiceDefinition[] {
  return [
    service(
      outside,
      { state: (): OutsideState => ({ asked: [], told: [] }) },
      {
        async ask(ctx, { n, failures, final, to, how }) {
          if (how === "try") {
            // What it asks for is undone with it.
            await ctx.try(outside, to).ask({ n, failures, final, to, how: "throw" });
            return;
          }
          ctx.state.asked.push(n);
          ctx.effect(deed, { n, failures, final }, reply(outside, to, "told", String(n)));
          if (how === "throw") throw new Error("an effect is asked for in vain");
        },
        told: (ctx, { ok, about }) => void ctx.state.told.push({ n: Number(about), ok }),
        seen: ({ state: { asked, told } }) => ({ asked: [...asked], told: told.map((each) => ({ ...each })) }),
      },
    ),
    service(
      shortlived,
      { state: (): { last: Touched["before"] } => ({ last: null }), ttl: { after: "write", duration: TTL_MS } },
      {
        async touch(ctx, n) {
          const host = functionHost();
          // What the turn waits for, after a pause too.
          host.functions += 1;
          try {
            const before = ctx.state.last;
            // What is expired may be looked for meanwhile.
            if (n % 2 === 0) await host.pause(n % 160);
            ctx.state.last = { n, at: ctx.now() };
            return { n, at: ctx.now(), ms: host.trueMs, before };
          } finally {
            host.functions -= 1;
          }
        },
      },
    ),
    service(
      stations,
      { state: (): TripState => ({ begun: [], notes: [] }) },
      {
        begin(ctx, { n, from, to, end }) {
          ctx.state.begun.push({ n, end });
          ctx.start(trip, `trip-${n}`, { n, from, to, end }, reply(stations, ctx.key, "over", String(n)));
        },
        note: (ctx, note) => void ctx.state.notes.push(note),
        over: (ctx, { ok, about }) => void ctx.state.notes.push(`over ${about} ${ok}`),
        seen: ({ state: { begun, notes } }) => ({ begun: begun.map((each) => ({ ...each })), notes: [...notes] }),
      },
    ),
  ];
}
