/** Operators of a changed flow that take back results of each other: they go on together, or begin anew together. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { programOf } from "../../dataflow/program.ts";
import { contract, count, flow, type FlowDefinition, fn, int64, query, sinks, sum, text } from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { In } from "./support/flow-tables.ts";

describe("behind results that are taken back", () => {
  const totalsOf = (drops: string[] = [], options: { readonly ttl?: "1h" } = {}) =>
    flow("f", { drops }).from(In, { time: "at" }).keyBy("k").aggregate({ n: count() }, options).named("totals");
  /** How many keys have which number of events. */
  const spread = (behind: "nothing" | "count" | "sum", drops: string[] = []): FlowDefinition => {
    const totals = totalsOf(drops);
    // Something without state between the two.
    const numbers = totals.filter((e) => e.n.gt(0)).keyBy("n");
    const outputs = behind === "sum" ? { keys: count(), events: sum("n") } : { keys: count() };
    const spreads = numbers.aggregate(outputs).named("spread").toView("spread");
    return behind === "nothing" ? totals.toView("totals") : sinks(totals.toView("totals"), spreads);
  };
  const events = (...keys: string[]) => keys.map((k, at) => ({ k, v: 1, at }));
  const both = async (bench: FlowBench) => [await bench.view("f", "totals"), await bench.view("f", "spread")];

  test("an operator begins only with those that give them", async () => {
    const bench = new FlowBench(spread("nothing"));
    await bench.ingest("in", events("a", "a", "b"));
    bench.deploy(spread("count"));
    // It would take back that a has 2, which it was never given.
    expect(await bench.drops("f")).toEqual(["totals"]);
    await expect(bench.ingest("in", events("a"))).rejects.toMatchObject({
      type: "flow-changed",
      message: expect.stringContaining("totals (with spread, which begins anew"),
    });
    bench.deploy(spread("count", ["totals"]));
    await bench.ingest("in", events("a", "c", "c"));
    expect(await both(bench)).toEqual([
      [
        { k: "a", n: 1 },
        { k: "c", n: 2 },
      ],
      [
        { n: 1, keys: 1 },
        { n: 2, keys: 1 },
      ],
    ]);
    // Once both have begun, they stay.
    expect(await bench.drops("f")).toEqual([]);
    await bench.ingest("in", events("a"));
    expect(await bench.view("f", "spread")).toEqual([{ n: 2, keys: 2 }]);
  });

  test("an operator that is changed takes those with it that give them, and they take it with them", async () => {
    const bench = new FlowBench(spread("count"));
    await bench.ingest("in", events("a", "b"));
    bench.deploy(spread("sum", ["spread"]));
    expect(await bench.drops("f")).toEqual(["spread", "totals"]);
    await expect(bench.ingest("in", events("a"))).rejects.toMatchObject({ type: "flow-changed" });
    bench.deploy(spread("sum", ["spread", "totals"]));
    await bench.ingest("in", events("a"));
    expect(await both(bench)).toEqual([[{ k: "a", n: 1 }], [{ n: 1, keys: 1, events: 1 }]]);
  });

  test("an operator does not stay without those that gave them", async () => {
    const bench = new FlowBench(spread("count"));
    await bench.ingest("in", events("a", "b"));
    const kept = bench.entries;
    // They forget after a while now, and so begin anew.
    const forgetting = (drops: string[]) =>
      totalsOf(drops, { ttl: "1h" })
        .filter((e) => e.n.gt(0))
        .keyBy("n")
        .aggregate({ keys: count() })
        .named("spread")
        .toView("spread");
    bench.deploy(forgetting(["totals"]));
    expect(await bench.drops("f")).toEqual(["totals", "spread"]);
    await expect(bench.ingest("in", events("a"))).rejects.toMatchObject({
      message: expect.stringContaining("spread (with totals, which begins anew"),
    });
    bench.deploy(forgetting(["totals", "spread"]));
    await bench.ingest("in", events("a"));
    expect(await bench.view("f", "spread")).toEqual([{ n: 1, keys: 1 }]);
    expect(bench.entries).toBeLessThanOrEqual(kept);
  });

  test("a view begins by itself, with the results that come", async () => {
    const bench = new FlowBench(spread("nothing"));
    await bench.ingest("in", events("a", "b"));
    const shown = totalsOf();
    bench.deploy(sinks(shown.toView("totals"), shown.filter((e) => e.n.gt(0)).toView("some", { key: "k" })));
    expect(await bench.drops("f")).toEqual([]);
    await bench.ingest("in", events("a"));
    expect(await bench.view("f", "some")).toEqual([{ k: "a", n: 2 }]);
  });

  describe("what comes by another way than before", () => {
    const version = (
      way: "a" | "b" | "both" | "one" | "two" | "scaled" | "first again" | "second again",
      drops: string[] = [],
    ): FlowDefinition => {
      const all = flow("f", { drops }).from(In, { time: "at" });
      const first = all.keyBy("k").aggregate({ n: count() }).named("a");
      const second = all.keyBy("v").aggregate({ n: count() }).named("b");
      const [a, b] = [first.map((e) => ({ n: e.n })), second.map((e) => ({ n: e.n }))];
      const [some, more] = [a.filter((e) => e.n.ge(1)), a.filter((e) => e.n.ge(2))];
      const ways = {
        a,
        b,
        both: a.union(b),
        one: a.filter((e) => e.n.ge(1)),
        two: a.filter((e) => e.n.ge(2)),
        scaled: a.map((e) => ({ n: e.n.mul(1) })),
        "first again": some.union(more).union(some),
        "second again": some.union(more).union(more),
      };
      const y = ways[way].keyBy("n").aggregate({ keys: count() }).named("y");
      return sinks(first.toView("a"), second.toView("b"), y.toView("y"));
    };

    test.each([
      ["a", "b", ["y", "b"]],
      ["a", "both", ["y", "a", "b"]],
      ["both", "a", ["y", "a"]],
      ["one", "two", ["y", "a"]],
      ["two", "one", ["y", "a"]],
      ["a", "scaled", ["y", "a"]],
      ["first again", "second again", ["y", "a"]],
      ["one", "one", []],
    ] as const)("from %s to %s", async (before, after, drops) => {
      const bench = new FlowBench(version(before));
      await bench.ingest("in", events("p", "p", "q"));
      bench.deploy(version(after));
      expect(new Set((await bench.drops("f")) as string[])).toEqual(new Set(drops));
      if (drops.length > 0) {
        await expect(bench.ingest("in", events("p"))).rejects.toMatchObject({ type: "flow-changed" });
      }
      bench.deploy(version(after, [...drops]));
      await bench.ingest("in", events("p"));
      const anew = new FlowBench(version(after));
      await anew.ingest("in", events(...(drops.length === 0 ? ["p", "p", "q", "p"] : ["p"])));
      expect(await bench.view("f", "y")).toEqual(await anew.view("f", "y"));
    });

    test("nor does one stay when nothing is taken back any more", async () => {
      const plain = (last: boolean, drops: string[] = []) => {
        const f = flow("f", { drops }).from(In, { time: "at" });
        const rows = last ? f.keyBy("k").deduplicate({ keep: "last" }).named("last") : f;
        return rows.keyBy("v").aggregate({ keys: count() }).named("y").toView("y");
      };
      const bench = new FlowBench(plain(true));
      await bench.ingest("in", events("p", "q"));
      bench.deploy(plain(false, ["last"]));
      expect(await bench.drops("f")).toEqual(["last", "y"]);
      await expect(bench.ingest("in", events("p"))).rejects.toMatchObject({ type: "flow-changed" });
    });
  });

  test("a view goes with the operator whose results it shows, and not the other way", async () => {
    const shown = (options: { readonly ttl?: "1h" }, drops: string[] = [], key: "k" | "n" = "k") => {
      const totals = totalsOf(drops, options);
      const rows = totals.filter((e) => e.n.gt(0)).toView("rows", { key });
      return sinks(totals.toView("totals"), rows);
    };
    const bench = new FlowBench(shown({}));
    await bench.ingest("in", events("p", "q"));
    bench.deploy(shown({ ttl: "1h" }, ["totals"]));
    expect(await bench.drops("f")).toEqual(["totals", "view-rows"]);
    await expect(bench.ingest("in", events("z"))).rejects.toMatchObject({ type: "flow-changed" });
    bench.deploy(shown({ ttl: "1h" }, ["totals", "view-rows"]));
    await bench.ingest("in", events("z"));
    expect([await bench.view("f", "totals"), await bench.view("f", "rows")]).toEqual([
      [{ k: "z", n: 1 }],
      [{ k: "z", n: 1 }],
    ]);
    bench.deploy(shown({ ttl: "1h" }, ["view-rows"], "n"));
    expect(await bench.drops("f")).toEqual(["view-rows"]);
    await bench.ingest("in", events("z"));
    expect(await bench.view("f", "rows")).toEqual([{ k: "z", n: 2 }]);
  });

  test("a view shows nothing that what leads to it lets in no more", async () => {
    const above = (least: number, drops: string[] = []) =>
      totalsOf(drops)
        .filter((e) => e.n.ge(least))
        .toView("rows", { key: "k" });
    const bench = new FlowBench(above(1));
    await bench.ingest("in", events("p", "q", "q"));
    bench.deploy(above(2));
    expect(await bench.drops("f")).toEqual(["view-rows"]);
    await expect(bench.ingest("in", events("q"))).rejects.toMatchObject({ type: "flow-changed" });
    bench.deploy(above(2, ["view-rows"]));
    await bench.ingest("in", events("q"));
    // Not p, which has 1: it would stay until its next event.
    expect(await bench.view("f", "rows")).toEqual([{ k: "q", n: 3 }]);
  });

  test("a view behind a look into a service is the same whatever else that service has", () => {
    const Tree = z.object({
      get inner() {
        return z.array(Tree);
      },
    });
    const shown = (functions: Parameters<typeof contract>[1]) => {
      const looked = totalsOf().lookup(contract("names", functions), "name" as never, {
        key: (e) => e.k,
        fields: { k: text(), n: int64() },
        select: ({ k, n }) => ({ k, n }),
      });
      return programOf(looked.toView("rows", { key: "n" })).steps.find(({ name }) => name === "view-rows");
    };
    const name = query({ output: z.string() });
    expect(shown({ name })).toMatchObject({ follows: ["totals"] });
    // Of a schema that holds itself.
    expect(shown({ name, plant: fn({ input: Tree }) })).toMatchObject({ id: (shown({ name }) as { id: string }).id });
  });

  test("ways that part and meet again are each gone once", () => {
    let rows = totalsOf().map((e) => ({ n: e.n }));
    for (let level = 0; level < 18; level++) rows = rows.filter((e) => e.n.ge(0)).union(rows.filter((e) => e.n.ge(1)));
    const y = rows.keyBy("n").aggregate({ keys: count() }).named("y").toView("y");
    const began = performance.now();
    expect(programOf(y).steps.find(({ name }) => name === "y")).toMatchObject({ follows: ["totals"] });
    // Twice as long with every level would be a minute.
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
