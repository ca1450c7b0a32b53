/** A service whose functions make schedules and end them, and note what recurs. */
import { contract, fn, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { counted, functionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** What lasts a minute lasts so long in the simulator: a run does not last for minutes (planted/small-limits.ts). */
export const MINUTE_MS = 600;

export interface Arranging {
  readonly n: number;
  readonly name: string;
  /** Key that is told. */
  readonly to: string;
  /** Recurs at every minute that this divides. */
  readonly every: number;
  readonly how: "return" | "throw" | "try";
}
export interface Ending {
  readonly name: string;
}

/** A schedule was made, perhaps in the place of another, or ended: in the order of both under a key. */
export type Arranged =
  | (Pick<Arranging, "n" | "name" | "to" | "every"> & {
      readonly op: "arrange";
      readonly at: number;
      readonly ms: number;
    })
  | { readonly op: "end"; readonly name: string; readonly was: boolean; readonly at: number; readonly ms: number };

/** One that came. */
export interface Ticked {
  /** Key that keeps its schedule. */
  readonly from: string;
  /** Of its schedule. */
  readonly n: number;
  /** Its own. */
  readonly id: string;
  /** True time, ms since 1970. */
  readonly ms: number;
}
export interface TickState {
  arranged: Arranged[];
  ticked: Ticked[];
}

const ticker = contract("tk", {
  arrange: fn({ input: anything<Arranging>() }),
  end: fn({ input: anything<Ending>(), output: anything<boolean>() }),
  tick: fn({ input: anything<Pick<Ticked, "from" | "n">>() }),
  seen: query({ output: anything<TickState>() }),
});

export function tickService(): ServiceDefinition {
  return service(
    ticker,
    { state: (): TickState => ({ arranged: [], ticked: [] }) },
    {
      arrange: (ctx, { n, name, to, every, how }) =>
        counted(async (host) => {
          if (how === "try") {
            // What it makes is undone with it.
            await ctx.try(ticker, ctx.key === to ? `${to}-beside` : to).arrange({ n, name, to, every, how: "throw" });
            return;
          }
          await ctx
            .schedule(name, every === 1 ? "* * * * *" : `*/${every} * * * *`, ticker, to)
            .tick({ from: ctx.key, n });
          ctx.state.arranged.push({ op: "arrange", n, name, to, every, at: ctx.now(), ms: host.trueMs });
          if (how === "throw") throw new Error("a schedule is made in vain");
        }),
      end: (ctx, { name }) =>
        counted(async (host) => {
          const was = await ctx.unschedule(name);
          ctx.state.arranged.push({ op: "end", name, was, at: ctx.now(), ms: host.trueMs });
          return was;
        }),
      tick(ctx, { from, n }) {
        const host = functionHost();
        ctx.state.ticked.push({ from, n, id: host.requestOf("tk", ctx.key), ms: host.trueMs });
      },
      seen: ({ state: { arranged, ticked } }) => ({
        arranged: arranged.map((each) => ({ ...each })),
        ticked: ticked.map((each) => ({ ...each })),
      }),
    },
  );
}
