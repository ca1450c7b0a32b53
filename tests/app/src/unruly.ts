/** Functions that do what they must not: each is to be refused, contained or reported by the engine. */
import { contract, type FnContext, fn, query, service, TidegateError } from "../../../sdk/index.ts";
import * as z from "zod";

const effect = z.enum(["fetch", "setTimeout", "setInterval", "wait"]);

export const Unruly = contract("unruly", {
  boom: fn(),
  boomAsync: fn(),
  badOutput: fn({ output: z.number() }),
  noJson: fn({ output: z.any() }),
  impossible: fn({ input: z.never() }),
  /** Tries a side effect and tells the type of the error. */
  sideEffect: fn({ input: z.object({ effect, late: z.boolean() }), output: z.string() }),
  /** Its schema tries a side effect. */
  effectInSchema: fn({
    input: z.object({ effect }).refine(({ effect: kind }) => {
      perform(kind);
      return true;
    }),
  }),
  deep: fn({ input: z.object({ levels: z.number() }), output: z.number() }),
  manyCalls: fn({ input: z.object({ calls: z.number() }), output: z.number() }),
  /** Writes in ways that only casts make possible; tells how each was refused. */
  writeInQuery: query({ output: z.array(z.string()) }),
  callFnInQuery: query({ output: z.string() }),
  huge: fn({ input: z.object({ chars: z.number() }) }),
  unsendable: fn(),
  count: query({ output: z.number() }),
  touch: fn({ output: z.number() }),
});

interface State {
  n: number;
  list: number[];
  map: Map<string, number>;
  huge?: string;
  odd?: unknown;
}

function attempt(what: () => unknown): string {
  try {
    what();
    return "allowed";
  } catch (error) {
    return error instanceof TidegateError ? error.type : (error as Error).name;
  }
}

function perform(kind: z.infer<typeof effect>): unknown {
  if (kind === "fetch") return fetch("http://example.com/");
  if (kind === "setTimeout") return setTimeout(() => undefined, 1);
  if (kind === "setInterval") return setInterval(() => undefined, 1);
  return scheduler.wait(1);
}

export const unruly = service(
  Unruly,
  { state: (): State => ({ n: 0, list: [1], map: new Map([["a", 1]]) }) },
  {
    boom(ctx) {
      ctx.state.n += 1;
      throw new Error("secret: boom");
    },
    async boomAsync(ctx) {
      ctx.state.n += 1;
      await Promise.resolve();
      throw new TypeError("secret: boom, later");
    },
    badOutput: (ctx) => {
      ctx.state.n += 1;
      return "seven" as unknown as number;
    },
    noJson: (ctx) => {
      ctx.state.n += 1;
      const circle: Record<string, unknown> = {};
      circle["self"] = circle;
      return circle;
    },
    impossible: () => undefined,
    async sideEffect(_ctx, { effect: kind, late }) {
      if (late) await Promise.resolve();
      return attempt(() => perform(kind));
    },
    effectInSchema: () => undefined,
    deep: async (ctx, { levels }) =>
      levels === 0 ? 0 : 1 + (await ctx.call(Unruly, ctx.key).deep({ levels: levels - 1 })),
    async manyCalls(ctx, { calls }) {
      for (let i = 0; i < calls; i++) await ctx.call(Unruly, ctx.key).touch();
      return ctx.state.n;
    },
    writeInQuery(ctx) {
      const writer = ctx as unknown as FnContext<State>;
      return [
        attempt(() => (writer.state.n = 5)),
        attempt(() => writer.state.list.push(5)),
        attempt(() => writer.state.map.set("a", 5)),
        attempt(() => (writer.state = { n: 5, list: [], map: new Map() })),
        attempt(() => writer.clear()),
      ];
    },
    async callFnInQuery(ctx) {
      const writer = ctx as unknown as FnContext<State>;
      await writer.call(Unruly, ctx.key).touch();
      return "allowed";
    },
    huge(ctx, { chars }) {
      ctx.state.huge = "x".repeat(chars);
    },
    unsendable(ctx) {
      ctx.state.odd = () => undefined;
    },
    count: (ctx) => ctx.state.n,
    touch: (ctx) => (ctx.state.n += 1),
  },
);
