/** Services that send messages for later, and note what arrives and when. */
import * as z from "zod";
import { collection, contract, fn, query, service } from "../../../sdk/index.ts";

const ring = z.object({ from: z.string(), n: z.number(), due: z.number() });
const rung = ring.extend({ at: z.number(), clock: z.number() });

export const Clock = contract("clock", {
  /** Sends `count` messages, the next numbers of this key, for `delay` ms after now or for a time; then ends as it is told. Returns their ids. */
  later: fn({
    input: z.object({
      to: z.string(),
      delay: z.number().optional(),
      at: z.number().optional(),
      count: z.number().default(1),
      then: z.enum(["return", "throw", "cancel"]).default("return"),
    }),
    output: z.array(z.string()),
  }),
  /** Calls `later` of another key, by `try` where told so, and goes on. */
  relay: fn({
    input: z.object({ by: z.string(), to: z.string(), delay: z.number(), tried: z.boolean(), fails: z.boolean() }),
    output: z.array(z.string()),
  }),
  ring: fn({ input: ring }),
  /** Cancels these; says which were waiting still. Then ends as it is told. */
  cancel: fn({
    input: z.object({ ids: z.array(z.string()), then: z.enum(["return", "throw"]).default("return") }),
    output: z.array(z.boolean()),
  }),
  /** Cancels within a tried call of another key that fails, and so cancels nothing. */
  cancelInVain: fn({ input: z.object({ by: z.string(), ids: z.array(z.string()) }), output: z.boolean() }),
  /** Has a message to a key recur by a cron text; ends it again. */
  every: fn({
    input: z.object({ name: z.string(), cron: z.string(), to: z.string(), fails: z.boolean().default(false) }),
  }),
  end: fn({ input: z.object({ name: z.string() }), output: z.boolean() }),
  tick: fn({ input: z.object({ from: z.string() }) }),
  ticks: query({ output: z.array(z.object({ from: z.string(), at: z.number() })) }),
  rung: query({ output: z.array(rung) }),
  sent: query({ output: z.number() }),
});

export const clock = service(
  Clock,
  {
    state: () => ({ sent: 0, ticks: [] as Array<{ from: string; at: number }> }),
    collections: { rung: collection<z.infer<typeof rung>, number>() },
    schedules: {
      // So rare that no other test ever sees it.
      rare: { cron: "0 0 29 2 *", key: "clock-tower", function: "tick", input: { from: "rare" } },
    },
  },
  {
    async later(ctx, { to, delay, at, count, then }) {
      const ids: string[] = [];
      const due = at ?? ctx.now() + (delay ?? 0);
      for (let n = 0; n < count; n++) {
        const letter = { from: ctx.key, n: ++ctx.state.sent, due };
        const when = at === undefined ? { delay: delay ?? 0 } : { at: new Date(at) };
        ids.push(ctx.send(Clock, to, when).ring(letter));
      }
      if (then === "throw") throw new Error("after sending");
      if (then === "cancel") for (const id of ids) if (!(await ctx.cancel(id))) throw new Error("is not there");
      if (then === "cancel") for (const id of ids) if (await ctx.cancel(id)) throw new Error("is still there");
      return ids;
    },
    async relay(ctx, { by, to, delay, tried, fails }) {
      const then = fails ? "throw" : "return";
      if (!tried) return ctx.call(Clock, by).later({ to, delay, then });
      const outcome = await ctx.try(Clock, by).later({ to, delay, then });
      return outcome.ok ? outcome.value : [];
    },
    ring(ctx, letter) {
      const [last] = ctx.collections.rung.range({ reverse: true, limit: 1 });
      ctx.collections.rung.set((last?.[0] ?? 0) + 1, { ...letter, at: ctx.now(), clock: Date.now() });
    },
    async cancel(ctx, { ids, then }) {
      const waiting = await Promise.all(ids.map((id) => ctx.cancel(id)));
      if (then === "throw") throw new Error("after cancelling");
      return waiting;
    },
    async cancelInVain(ctx, { by, ids }) {
      return (await ctx.try(Clock, by).cancel({ ids, then: "throw" })).ok;
    },
    async every(ctx, { name, cron, to, fails }) {
      await ctx.schedule(name, cron, Clock, to).tick({ from: `${ctx.key}.${name}` });
      if (fails) throw new Error("after scheduling");
    },
    end: (ctx, { name }) => ctx.unschedule(name),
    tick: (ctx, { from }) => void ctx.state.ticks.push({ from, at: ctx.now() }),
    ticks: (ctx) => ctx.state.ticks,
    rung: (ctx) => ctx.collections.rung.range().map(([, entry]) => entry),
    sent: (ctx) => ctx.state.sent,
  },
);
