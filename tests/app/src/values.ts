/** State of every kind that can be stored, and sorted collections of both kinds of keys. */
import { collection, contract, fn, query, service } from "../../../sdk/index.ts";
import * as z from "zod";

const key = z.union([z.string(), z.number()]);
const range = z.object({
  from: key.optional(),
  to: key.optional(),
  limit: z.number().optional(),
  reverse: z.boolean().optional(),
});
type Bounds = { from?: never; to?: never; limit?: number; reverse?: boolean };

export const Values = contract("values", {
  /** Fills the state with one value of each kind. */
  fill: fn({ input: z.object({ at: z.number(), big: z.string() }) }),
  /** Describes the state, types included. */
  describe: query({ output: z.array(z.string()) }),
  /** Replaces the state by undefined. */
  unset: fn(),
  put: fn({ input: z.array(z.tuple([key, z.any()])) }),
  remove: fn({ input: z.array(key), output: z.array(z.boolean()) }),
  range: query({
    input: range.extend({ of: z.enum(["byName", "byNumber"]) }),
    output: z.array(z.tuple([key, z.any()])),
  }),
  clear: fn(),
  times: fn({ output: z.object({ now: z.number(), later: z.number(), random: z.number(), uuid: z.string() }) }),
  /** Stores a text of so many characters in the state. */
  pad: fn({ input: z.object({ chars: z.number(), fill: z.string().length(1) }) }),
  /** Writes so many entries of so many characters. */
  flood: fn({ input: z.object({ entries: z.number(), chars: z.number(), fill: z.string().length(1) }) }),
  padding: query({ output: z.object({ chars: z.number(), first: z.string() }) }),
});

interface State {
  at?: Date;
  big?: bigint;
  bytes?: Uint8Array;
  map?: Map<string, Date>;
  set?: Set<bigint>;
  nested?: { list: Array<Date | undefined> };
  padding?: string;
}

function describe(value: unknown): string {
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (typeof value === "bigint") return `bigint ${value}`;
  if (value instanceof Uint8Array) return `bytes ${[...value].join(".")}`;
  if (value instanceof Map) return `Map ${[...value].map(([k, v]) => `${k}=${describe(v)}`).join()}`;
  if (value instanceof Set) return `Set ${[...value].map(describe).join()}`;
  if (Array.isArray(value)) return `list ${value.map(describe).join()}`;
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([k, v]) => `${k}:${describe(v)}`)
      .join();
  return String(value);
}

export const values = service(
  Values,
  {
    state: (): State | undefined => ({}),
    collections: { byName: collection<unknown>(), byNumber: collection<unknown, number>() },
  },
  {
    fill(ctx, { at, big }) {
      ctx.state = {
        at: new Date(at),
        big: BigInt(big),
        bytes: Uint8Array.of(0, 127, 255),
        map: new Map([["then", new Date(at)]]),
        set: new Set([1n, BigInt(big)]),
        nested: { list: [new Date(0), undefined] },
      };
    },
    describe: (ctx) =>
      ctx.state === undefined
        ? ["undefined"]
        : Object.entries(ctx.state).map(([name, value]) => `${name}: ${describe(value)}`),
    unset(ctx) {
      ctx.state = undefined;
    },
    put(ctx, entries) {
      for (const [name, value] of entries) {
        if (typeof name === "string") ctx.collections.byName.set(name, value);
        else ctx.collections.byNumber.set(name, value);
      }
    },
    remove: (ctx, names) =>
      names.map((name) =>
        typeof name === "string" ? ctx.collections.byName.delete(name) : ctx.collections.byNumber.delete(name),
      ),
    range: (ctx, { of, ...bounds }) => ctx.collections[of].range(bounds as Bounds),
    clear: (ctx) => ctx.clear(),
    async times(ctx) {
      const now = ctx.now();
      await Promise.resolve();
      return { now, later: ctx.now(), random: ctx.random(), uuid: ctx.uuid() };
    },
    pad(ctx, { chars, fill }) {
      ctx.state = { padding: fill.repeat(chars) };
    },
    flood(ctx, { entries, chars, fill }) {
      for (let n = 0; n < entries; n++) ctx.collections.byNumber.set(n, fill.repeat(chars));
    },
    padding: (ctx) => ({ chars: ctx.state?.padding?.length ?? 0, first: ctx.state?.padding?.[0] ?? "" }),
  },
);
