/** Effects and those who ask for them: what was done to the world is counted outside of transactions, what was told of it within. */
import { contract, effect, fn, noData, outcome, query, reply, service } from "../../../sdk/index.ts";
import * as z from "zod";

const what = z.object({
  name: z.string(),
  /** So many attempts throw before one succeeds. */
  failures: z.number().default(0),
  how: z.enum(["return", "final", "hang", "odd", "rich", "large", "deadly"]).default("return"),
  /** Milliseconds that an attempt takes. */
  ms: z.number().default(0),
});
const done = z.object({ name: z.string(), attempt: z.number(), at: z.date().optional(), text: z.string().optional() });

export interface Deed {
  readonly key: string;
  readonly attempt: number;
  readonly at: number;
  readonly env: boolean;
}

/** What was done to the world, by the name of who asked for it: the outside that no transaction can undo. */
export const world = new Map<string, Deed[]>();
/** What a deadly attempt does to who has begun it. */
export const deadly = { kill: async (_name: string): Promise<void> => {} };
/** How many run just now, and at most so far. */
export const running = { now: 0, most: 0 };

export const act = effect("act", {
  input: what,
  output: done,
  retries: { attempts: 4, delay: "20ms", maxDelay: "40ms" },
  timeout: "1s",
  async handler(ctx, { name, failures, how, ms }) {
    const deeds = world.get(name) ?? [];
    world.set(name, deeds);
    deeds.push({ key: ctx.idempotencyKey, attempt: ctx.attempt, at: ctx.at, env: "TIDEGATE_TOKEN" in ctx.env });
    running.now += 1;
    running.most = Math.max(running.most, running.now);
    try {
      // What a transaction must not do, an effect may.
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (how === "deadly") await deadly.kill(name);
      if (how === "hang" || how === "deadly")
        await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(new Error("aborted"))));
    } finally {
      running.now -= 1;
    }
    if (how === "final") throw ctx.fail("never again");
    if (deeds.length <= failures) throw new Error(`failure ${deeds.length}`);
    if (how === "odd") return { name: 7 } as unknown as { name: string; attempt: number };
    if (how === "rich") return { name, attempt: ctx.attempt, at: new Date(7) };
    if (how === "large") return { name, attempt: ctx.attempt, text: "x".repeat(1 << 20) };
    return { name, attempt: ctx.attempt };
  },
});

/** Attempts that end when the test lets them: it cannot call back, since they are of another context. */
export const crawling = { now: 0, mayEnd: false };
const crawl = effect("crawl", {
  async handler() {
    crawling.now += 1;
    while (!crawling.mayEnd) await new Promise((resolve) => setTimeout(resolve, 5));
    crawling.now -= 1;
  },
  retries: 1,
});
/** Neither takes nor returns anything. */
const nudge = effect("nudge", { handler: () => undefined });

export const effects = [act, nudge, crawl];

export const Outside = contract("outside", {
  ask: fn({
    input: what.extend({ end: z.enum(["return", "throw", "refuse"]).default("return"), to: z.string().optional() }),
    refusals: { no: noData },
  }),
  /** Asks by way of a call of another key, tried where told so. */
  relay: fn({ input: what.extend({ by: z.string(), tried: z.boolean(), end: z.enum(["return", "throw"]) }) }),
  /** Asks for so many at once. */
  askMany: fn({ input: z.object({ name: z.string(), count: z.number(), ms: z.number() }) }),
  askNothing: fn({}),
  askSlow: fn({ input: z.object({ count: z.number() }) }),
  askWrong: fn({ input: z.object({ what: z.enum(["unknown", "input", "query"]) }) }),
  told: fn({ input: outcome(done) }),
  toldNothing: fn({ input: outcome() }),
  tales: query({ output: z.array(z.string()) }),
  askInQuery: query({ output: z.string() }),
});

export const outside = service(
  Outside,
  { state: (): string[] => [] },
  {
    ask(ctx, { end, to, ...input }) {
      ctx.effect(act, input, reply(Outside, to ?? ctx.key, "told", input.name));
      if (end === "throw") throw new Error("after asking");
      if (end === "refuse") throw ctx.refuse("no");
    },
    async relay(ctx, { by, tried, end, ...input }) {
      if (tried) await ctx.try(Outside, by).ask({ ...input, end });
      else await ctx.call(Outside, by).ask({ ...input, end });
    },
    askMany(ctx, { name, count, ms }) {
      for (let n = 0; n < count; n++)
        ctx.effect(act, { name: `${name} ${n}`, ms }, reply(Outside, ctx.key, "told", `${n}`));
    },
    askSlow(ctx, { count }) {
      for (let n = 0; n < count; n++) ctx.effect(crawl);
    },
    askNothing: (ctx) => ctx.effect(nudge, undefined, reply(Outside, ctx.key, "toldNothing")),
    askWrong(ctx, { what: wrong }) {
      try {
        if (wrong === "unknown") ctx.effect(effect("not-listed", { handler: () => undefined }));
        else if (wrong === "input") ctx.effect(act, { name: 7 } as unknown as { name: string });
        else ctx.effect(act, { name: "x" }, { service: "outside", key: "x", name: "tales" });
      } catch {
        // It must not help.
      }
    },
    told(ctx, how) {
      const { about = "" } = how;
      if (!how.ok) ctx.state.push(`${about}: ${how.error.type}: ${how.error.message}`);
      else
        ctx.state.push(
          `${about}: ${how.value.name} ${how.value.attempt}${how.value.at ? ` ${how.value.at.getTime()}` : ""}`,
        );
    },
    toldNothing: (ctx, { ok }) => void ctx.state.push(`nothing ${ok}`),
    tales: (ctx) => ctx.state,
    askInQuery(ctx) {
      try {
        (ctx as unknown as { effect(what: unknown): void }).effect(nudge);
        return "allowed";
      } catch (error) {
        return (error as Error).message;
      }
    },
  },
);
