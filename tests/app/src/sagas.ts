/** Promises, and sagas whose every step can be made to fail. */
import { contract, fn, noData, outcome, query, reply, saga, service } from "../../../sdk/index.ts";
import * as z from "zod";
import { act } from "./outside.ts";

export const Approval = contract("approval", {
  ask: fn({
    input: z.object({
      id: z.string().optional(),
      deadline: z.number().optional(),
      end: z.enum(["return", "throw"]).default("return"),
    }),
    output: z.string(),
  }),
  decided: fn({ input: outcome(z.object({ by: z.string() })) }),
  log: query({ output: z.array(z.string()) }),
});

export const approval = service(
  Approval,
  { state: (): string[] => [] },
  {
    async ask(ctx, { id, deadline, end }) {
      const how = { ...(id === undefined ? {} : { id }), ...(deadline === undefined ? {} : { deadline }) };
      const promise = await ctx.promise(reply(Approval, ctx.key, "decided", "leave"), how);
      if (end === "throw") throw new Error("after asking");
      return promise;
    },
    decided(ctx, decided) {
      ctx.state.push(
        `${decided.about}: ${decided.ok ? decided.value.by : `${decided.error.type} ${JSON.stringify(decided.error.data)}`}`,
      );
    },
    log: (ctx) => ctx.state,
  },
);

export const Stockroom = contract("stockroom", {
  take: fn({ input: z.object({ by: z.string() }), output: z.number(), refusals: { none: noData } }),
  putBack: fn({ input: z.object({ by: z.string() }) }),
  fill: fn({ input: z.object({ count: z.number() }) }),
  /** Pieces left, and what was done with them. */
  log: query({ output: z.object({ left: z.number(), log: z.array(z.string()) }) }),
  ended: fn({ input: outcome(z.record(z.string(), z.unknown())) }),
  start: fn({ input: z.object({ id: z.string(), input: z.any(), end: z.enum(["return", "throw"]) }) }),
});

export const stockroom = service(
  Stockroom,
  { state: () => ({ left: 1_000, log: [] as string[] }) },
  {
    take(ctx, { by }) {
      if (ctx.state.left === 0) throw ctx.refuse("none");
      ctx.state.log.push(`take ${by}`);
      return --ctx.state.left;
    },
    putBack(ctx, { by }) {
      ctx.state.log.push(`put back ${by}`);
      ctx.state.left += 1;
    },
    fill: (ctx, { count }) => void (ctx.state.left = count),
    log: ({ state: { left, log } }) => ({ left, log: [...log] }),
    ended: (ctx, how) =>
      void ctx.state.log.push(`${how.about}: ${how.ok ? Object.keys(how.value).join() : how.error.type}`),
    start(ctx, { id, input, end }) {
      ctx.start(ship, id, input, reply(Stockroom, ctx.key, "ended", id));
      if (end === "throw") throw new Error("after starting");
    },
  },
);

/** How often each place of a run has been tried, outside of transactions on purpose: `id step`. */
export const tries = new Map<string, number>();

function trouble(id: string, step: string, failures: number): void {
  const name = `${id} ${step}`;
  const before = tries.get(name) ?? 0;
  tries.set(name, before + 1);
  if (before < failures) throw new Error(`failure ${before + 1} of ${step}`);
}

const order = z.object({
  stock: z.string(),
  other: z.string(),
  /** The step that refuses. */
  refuse: z.string().optional(),
  /** Errors of steps, by their names, before they work; of compensations by `undo` and the name. */
  failures: z.record(z.string(), z.number()).default({}),
  pay: z.enum(["return", "final"]).default("return"),
  payMs: z.number().default(0),
  approve: z.boolean().default(false),
  delay: z.number().default(0),
});

/** Takes a piece, pays, perhaps waits for somebody, waits, and takes another piece. */
export const ship = saga("ship", {
  input: order,
  retryDelay: "10ms",
  steps: [
    {
      name: "reserve",
      attempts: 3,
      async run(ctx, { id, input }) {
        await ctx.call(Stockroom, input.stock).take({ by: id });
        trouble(id, "reserve", input.failures["reserve"] ?? 0);
        if (input.refuse === "reserve") throw ctx.fail("no wish to", { why: "none" });
        return `reserved at ${ctx.now() > 0 ? input.stock : ""}`;
      },
      async compensate(ctx, { id, input, results }) {
        await ctx.call(Stockroom, input.stock).putBack({ by: `${id} ${typeof results["reserve"]}` });
        trouble(id, "undo reserve", input.failures["undo reserve"] ?? 0);
      },
    },
    {
      name: "pay",
      effect: act,
      with: ({ id, input }) => ({ name: `pay ${id}`, how: input.pay, ms: input.payMs }),
      compensate: (ctx, { id, input }) => ctx.call(Stockroom, input.other).putBack({ by: `refund ${id}` }),
    },
    {
      name: "approve",
      promise: {
        id: ({ id }) => `approve-${id}`,
        deadline: "300ms",
        ask: (ctx, { input }, promise) => void ctx.send(Stockroom, input.other).putBack({ by: `ask ${promise}` }),
      },
    },
    { name: "rest", delay: ({ input }) => ({ delay: input.delay }) },
    {
      name: "hand-over",
      run: (ctx, { id, input }) => {
        trouble(id, "hand-over", input.failures["hand-over"] ?? 0);
        return ctx.call(Stockroom, input.other).take({ by: id });
      },
    },
  ],
});

export const sagas = [ship];
