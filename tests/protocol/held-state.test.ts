/** A tried call that comes back to the key of its caller and fails: what the caller has taken of its state is the state still. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contract, fn, query, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

interface State {
  n: number;
  list: Array<{ n: number }>;
  map: Map<string, number[]>;
  set: Set<number>;
  at: Date;
  bytes: Uint8Array;
  more?: string;
}
const how = z.enum(["replace", "members", "deep", "remove", "nothing"]);
const output = z.any();
const Held = contract("held", {
  run: fn({ input: how, output }),
  change: fn({ input: how }),
  /** As `run`, by way of another key. */
  around: fn({ input: how, output }),
  back: fn({ input: z.object({ to: z.string(), how }) }),
  look: query({ output }),
});
const fresh = (): State => ({
  n: 0,
  list: [{ n: 1 }],
  map: new Map([["a", [1]]]),
  set: new Set([1]),
  at: new Date(0),
  bytes: Uint8Array.of(1, 2),
});

async function keep(state: State, failing: () => Promise<{ ok: boolean }>): Promise<boolean> {
  state.n = 1;
  const { list, map, set, at, bytes } = state;
  const [first] = list;
  const listed = map.get("a");
  const { ok } = await failing();
  state.n += 1;
  list.push({ n: 2 });
  if (first) first.n += 10;
  listed?.push(2);
  set.add(2);
  at.setTime(at.getTime() + 5);
  bytes[0] = 9;
  return ok;
}

const held = service(
  Held,
  { state: fresh },
  {
    run: (ctx, input) => keep(ctx.state, () => ctx.try(Held, ctx.key).change(input)),
    around: (ctx, input) => keep(ctx.state, () => ctx.try(Held, `${ctx.key}-other`).back({ to: ctx.key, how: input })),
    back: async (ctx, { to, how: input }) => {
      await ctx.call(Held, to).change(input);
    },
    change: (ctx, input) => {
      const { state } = ctx;
      if (input === "replace") ctx.state = { ...fresh(), n: 100, more: "x" };
      if (input === "members") Object.assign(state, { ...fresh(), n: 100, more: "x" });
      if (input === "deep") {
        state.list.splice(0, 1, { n: 100 }, { n: 101 });
        state.map.get("a")?.push(100);
        state.map.set("b", []);
        state.set.clear();
        state.at.setTime(100);
        state.bytes.fill(100);
      }
      if (input === "remove") {
        const { list, ...others } = state;
        for (const name of Object.keys(others)) Reflect.deleteProperty(state, name);
        list.length = 0;
      }
      throw new Error("as it should");
    },
    look: ({ state }) => ({ ...state, bytes: [...state.bytes], order: Object.keys(state).join() }),
  },
);

describe.each(["run", "around"] as const)("%s", (name) => {
  test.each(how.options)("where the call would %s", async (input) => {
    const partition = new LonePartition([held]);
    expect((await partition.call({ service: "held", key: "k", name, input })).body).toBe("false");
    const { body } = await partition.call({ service: "held", key: "k", name: "look" });
    expect(JSON.parse(body)).toEqual({
      n: 2,
      list: [{ n: 11 }, { n: 2 }],
      map: [["a", [1, 2]]],
      set: [1, 2],
      at: new Date(5).toISOString(),
      bytes: [9, 2],
      order: "n,list,map,set,at,bytes",
    });
  });
});
