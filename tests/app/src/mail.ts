/** Senders and receivers of one-way messages: what was sent and what has arrived is counted on both sides. */
import { collection, contract, fn, noData, query, service } from "../../../sdk/index.ts";
import * as z from "zod";

const letter = z.object({ from: z.string(), n: z.number() });

export const Mail = contract("mail", {
  /** Sends each of these keys its next numbers, then ends as it is told. */
  send: fn({
    input: z.object({
      to: z.array(z.string()),
      count: z.number().default(1),
      then: z.enum(["return", "throw", "refuse"]).default("return"),
    }),
    refusals: { no: noData },
  }),
  /** Calls `send` of another key, by `try` where told so, and goes on. */
  relay: fn({
    input: z.object({ by: z.string(), to: z.string(), then: z.enum(["return", "throw"]), tried: z.boolean() }),
    output: z.boolean(),
  }),
  receive: fn({ input: letter }),
  /** Sends the next number of a count outside of the state, and writes nothing; by way of another key where told so. */
  nudge: fn({ input: z.object({ to: z.string(), by: z.string().optional() }) }),
  received: query({ output: z.array(letter) }),
  sent: query({ input: z.object({ to: z.string() }), output: z.number() }),
  /** Goes to and fro between two keys. */
  bounce: fn({ input: z.object({ left: z.number(), other: z.string() }) }),
  bounces: query({ output: z.number() }),
  /** Throws so many times, by a count outside of the state, before it does its work. */
  stubborn: fn({ input: z.object({ name: z.string(), failures: z.number() }) }),
  /** Throws while it is told to, by a switch outside of the state; counts in the state how often it came to an end. */
  poison: fn({ input: z.object({ name: z.string() }) }),
  sendPoison: fn({ input: z.object({ to: z.string(), names: z.array(z.string()) }) }),
  /** Writes and then refuses. */
  decline: fn({ refusals: { no: noData } }),
  declined: query({ output: z.number() }),
  sendStubborn: fn({ input: z.object({ to: z.string(), name: z.string(), failures: z.number() }) }),
  sendDecline: fn({ input: z.object({ to: z.string() }) }),
  /** Sends values that JSON does not have. */
  sendRich: fn({ input: z.object({ to: z.string() }) }),
  rich: fn({ input: z.any() }),
  /** What arrived there, as words. */
  richSeen: query({ output: z.array(z.string()) }),
  /** Tries to send what cannot be sent; catches the error. */
  sendWrong: fn({ input: z.object({ what: z.enum(["query", "large", "many"]) }) }),
  /** Sends from where only a cast allows it. */
  sendInQuery: query({ output: z.string() }),
});

interface State {
  rich: string[];
  bounces: number;
  declined: number;
}

/** Attempts of `stubborn` by name: outside of transactions on purpose. */
export const attempts = new Map<string, number>();
/** Names that `poison` throws for. */
export const poisonous = new Set<string>();
/** Names at which `poison` goes on until whoever runs it is ended. */
export const deadly = new Set<string>();

export const mail = service(
  Mail,
  {
    state: (): State => ({ rich: [], bounces: 0, declined: 0 }),
    collections: {
      sent: collection<number>(),
      received: collection<z.infer<typeof letter>, number>(),
    },
    messages: { maxAttempts: 4 },
  },
  {
    send(ctx, { to, count, then }) {
      for (const key of to) {
        for (let i = 0; i < count; i++) {
          const n = (ctx.collections.sent.get(key) ?? 0) + 1;
          ctx.collections.sent.set(key, n);
          ctx.send(Mail, key).receive({ from: ctx.key, n });
        }
      }
      if (then === "throw") throw new Error("after sending");
      if (then === "refuse") throw ctx.refuse("no");
    },
    async relay(ctx, { by, to, then, tried }) {
      if (!tried) {
        await ctx.call(Mail, by).send({ to: [to], then });
        return true;
      }
      return (await ctx.try(Mail, by).send({ to: [to], then })).ok;
    },
    async nudge(ctx, { to, by }) {
      if (by !== undefined) return ctx.call(Mail, by).nudge({ to });
      const n = (attempts.get(ctx.key) ?? 0) + 1;
      attempts.set(ctx.key, n);
      ctx.send(Mail, to).receive({ from: ctx.key, n });
    },
    receive(ctx, { from, n }) {
      const [last] = ctx.collections.received.range({ reverse: true, limit: 1 });
      ctx.collections.received.set((last?.[0] ?? 0) + 1, { from, n });
    },
    received: (ctx) => ctx.collections.received.range().map(([, entry]) => entry),
    sent: (ctx, { to }) => ctx.collections.sent.get(to) ?? 0,
    bounce(ctx, { left, other }) {
      ctx.state.bounces += 1;
      if (left > 0) ctx.send(Mail, other).bounce({ left: left - 1, other: ctx.key });
    },
    bounces: (ctx) => ctx.state.bounces,
    stubborn(ctx, { name, failures }) {
      ctx.state.bounces += 1;
      const before = attempts.get(name) ?? 0;
      attempts.set(name, before + 1);
      if (before < failures) throw new Error(`failure ${before + 1}`);
    },
    poison(ctx, { name }) {
      attempts.set(name, (attempts.get(name) ?? 0) + 1);
      if (deadly.has(name)) return new Promise<void>(() => {});
      if (poisonous.has(name)) throw new TypeError(`${name} is poisonous`);
      ctx.state.bounces += 1;
      return undefined;
    },
    sendPoison(ctx, { to, names }) {
      for (const name of names) ctx.send(Mail, to).poison({ name });
    },
    decline(ctx) {
      ctx.state.declined += 1;
      attempts.set(ctx.key, (attempts.get(ctx.key) ?? 0) + 1);
      throw ctx.refuse("no");
    },
    declined: (ctx) => ctx.state.declined,
    sendStubborn: (ctx, { to, name, failures }) => ctx.send(Mail, to).stubborn({ name, failures }),
    sendDecline: (ctx, { to }) => ctx.send(Mail, to).decline(),
    sendRich(ctx, { to }) {
      const sent = { at: new Date(7), big: 2n ** 70n, bytes: new Uint8Array([1, 2]), pairs: new Map([["a", 1]]) };
      ctx.send(Mail, to).rich(sent);
      // What was sent is what it was when it was sent.
      sent.pairs.set("b", 2);
    },
    rich: (ctx, input: unknown) => void ctx.state.rich.push(wordsOf(input)),
    richSeen: (ctx) => ctx.state.rich,
    sendWrong(ctx, { what }) {
      const sends = ctx.send(Mail, "nobody") as unknown as Record<string, (input: unknown) => void>;
      try {
        if (what === "query") sends["received"]?.(undefined);
        else if (what === "large") ctx.send(Mail, "nobody").rich("x".repeat(1 << 20));
        else for (let n = 0; n <= 10_000; n++) ctx.send(Mail, "nobody").receive({ from: "", n });
      } catch {
        // It must not help.
      }
    },
    sendInQuery(ctx) {
      try {
        (ctx as unknown as { send(contract: typeof Mail, key: string): unknown }).send(Mail, "nobody");
        return "allowed";
      } catch (error) {
        return (error as Error).message;
      }
    },
  },
);

function wordsOf(input: unknown): string {
  if (typeof input !== "object" || input === null) return String(input);
  return Object.entries(input)
    .map(([name, value]) => `${name}=${value instanceof Map ? `Map ${JSON.stringify([...value])}` : wordOf(value)}`)
    .join(" ");
}

function wordOf(value: unknown): string {
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof Uint8Array) return `bytes ${value.join()}`;
  return typeof value === "bigint" ? `bigint ${value}` : `${typeof value} ${String(value)}`;
}
