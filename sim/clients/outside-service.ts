/** A service that asks for effects and notes what it is told of them, and one whose state has a time to live. */
import { contract, effect, fn, outcome, query, reply, service, type ServiceDefinition } from "../../sdk/index.ts";
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
          const before = ctx.state.last;
          // What is expired may be looked for meanwhile.
          if (n % 2 === 0) await host.pause(n % 160);
          ctx.state.last = { n, at: ctx.now() };
          return { n, at: ctx.now(), ms: host.trueMs, before };
        },
      },
    ),
  ];
}
