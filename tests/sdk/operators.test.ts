/** Flows of every operator: what they record, how they are explained, and what is refused. */

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { explain, graphOf } from "../../dataflow/index.ts";
import {
  avg,
  collect,
  contract,
  count,
  defineApp,
  distinct,
  float64,
  flow,
  fn,
  int,
  int64,
  last,
  max,
  processing,
  query,
  reduce,
  service,
  session,
  sinks,
  sliding,
  str,
  stream,
  sum,
  text,
  timestamp,
  top,
  tumbling,
  when,
} from "../../sdk/index.ts";

const Bid = stream("bid", { auction: int64(), bidder: int64(), price: int64(), url: text(), at: timestamp() });
const Auction = stream("auction", { id: int64(), seller: int64(), category: int64(), at: timestamp() });
const Dear = stream("dear", { auction: int64(), price: int64(), at: timestamp() }, { retention: "1h" });
const Account = contract("account", {
  charge: fn({ input: z.object({ amount: z.number() }) }),
  name: query({ output: z.string() }),
});
const misconfigured = (message: RegExp): unknown =>
  expect.objectContaining({ type: "misconfigured", message: expect.stringMatching(message) });

describe("a flow of every operator", () => {
  const f = flow("everything");
  const bids = f.from(Bid, { time: "at", outOfOrderness: "4s", idle: "30s" });
  const auctions = f.from(Auction, { time: "at" });
  const priced = bids
    .filter((e) => e.price.gt(100).and(e.url.contains("x").or(e.bidder.isIn(1, 2)).not()))
    .map((e) => ({
      auction: e.auction,
      price: when(e.price.mod(2).eq(0), e.price.mul(908).div(1000), int(0)),
      channel: e.url.match(/channel_id=([^&]*)/, 1).concat(str("!")),
      hour: e.at.hour(),
      at: e.at,
    }));
  const won = priced
    .keyBy("auction")
    .join(auctions.keyBy("id"))
    .within({ before: "1s", after: "10s" })
    .where((bid, auction) => bid.price.gt(auction.category))
    .select((bid, auction) => ({ auction: auction.id, category: auction.category, price: bid.price, at: bid.at }));
  const perCategory = won
    .keyBy("category")
    .window(sliding("10s", "2s"))
    .allowedLateness("5s")
    .aggregate({
      n: count(),
      mean: avg("price"),
      best: top(3, { by: "price", of: ["auction"] }),
      ids: distinct("auction"),
    });
  const dear = won
    .filterRows((e) => Number(e.price) > 1)
    .flatMap({ auction: int64(), price: int64(), at: timestamp() }, (e) => [
      { auction: e.auction, price: e.price, at: e.at },
    ]);
  const all = sinks(
    perCategory.toView("per-category"),
    dear.toStream(Dear),
    dear.call(Account, "charge", { key: (e) => e.auction.toText(), input: (e) => ({ amount: Number(e.price) }) }),
  );

  test("explains which operator runs where", () => {
    const graph = graphOf(all);
    expect(explain(graph)).toContain("filter [columns]: ((price > 100) and not(");
    expect(explain(graph)).toContain("flat-map [javascript]: user code, gives auction, price, at");
    expect(explain(graph)).toContain("join [wasm]: auction = id; right from 1000 ms before to 10000 ms after");
    expect(explain(graph)).toContain(
      "call [javascript]: account.charge by to-text(auction) as call, on refusal dead-letter",
    );
    expect(graph.edges.every(([from, to]) => from < to)).toBe(true);
    expect(new Set(graph.vertices.map(({ name }) => name)).size).toBe(graph.vertices.length);
  });

  test("is in the app's tables, and not for the window kernel", () => {
    const account = service(Account, {}, { charge: () => undefined, name: () => "" });
    const app = defineApp({ services: [account], flows: [all] });
    expect([...app.streams.keys()]).toEqual(["bid", "auction", "dear"]);
    expect([...app.windowed]).toEqual([]);
    expect(app.views.get("per-category")?.sink.shape).toBe("windowed");
  });
});

describe("the window kernel", () => {
  const simple = flow("simple")
    .from(Bid, { time: "at" })
    .keyBy("auction")
    .window(tumbling("10s"))
    .aggregate({ n: count(), most: max("price") })
    .toView("simple");
  const other = flow("other")
    .from(Bid, { time: "at" })
    .keyBy("bidder")
    .window(session("10s"))
    .aggregate({ n: count() })
    .toView("other");

  test("runs a chain of its own operators, unless another flow uses the stream", () => {
    expect([...defineApp({ services: [], flows: [simple] }).windowed.keys()]).toEqual(["simple"]);
    expect([...defineApp({ services: [], flows: [simple, other] }).windowed.keys()]).toEqual([]);
  });

  test("does not run what it has no operator for", () => {
    const keyed = flow("f").from(Bid, { time: "at" }).keyBy("auction");
    expect(
      keyed
        .window(processing(tumbling("1s")))
        .aggregate({ n: count() })
        .toView("v").windowed,
    ).toBeNull();
    expect(
      keyed
        .window(tumbling("1s"))
        .aggregate({ n: avg("price") })
        .toView("v").windowed,
    ).toBeNull();
    expect(keyed.window(tumbling("1s")).allowedLateness(1).aggregate({ n: count() }).toView("v").windowed).toBeNull();
  });
});

describe("what cannot be", () => {
  const bids = flow("f").from(Bid, { time: "at" });

  test("is refused with the reason", () => {
    expect(() => bids.map(() => ({}) as never)).toThrow(misconfigured(/returns no fields/));
    expect(() => bids.map(() => ({ a: true as never }))).toThrow(misconfigured(/"a" is no expression/));
    expect(() => bids.filter((e) => e.price.add(e.url as never).gt(0))).toThrow(misconfigured(/convert one/));
    expect(() => bids.toStream(Dear as never)).toThrow(misconfigured(/needs field "bidder" to be absent/));
    expect(() => bids.keyBy("auction").shards(0)).toThrow(misconfigured(/1 to 256 shards/));
    expect(() => sliding("10s", "3s")).toThrow(misconfigured(/must divide/));
    expect(() => bids.keyBy("auction").join(bids.keyBy("url"))).toThrow(misconfigured(/\(int64\) with keys of kinds/));
  });

  test("a condition that is made and left out is refused: && and ?: choose among expressions, of which none is false", () => {
    const left = misconfigured(/of flow "f" makes the condition .*price.* and leaves it out/);
    expect(() => bids.filter((e) => e.price.gt(5) && e.bidder.eq(1))).toThrow(left);
    expect(() => bids.filter((e) => (e.price.gt(5) ? e.bidder.eq(1) : e.bidder.eq(2)))).toThrow(left);
    expect(() => bids.map((e) => ({ dear: when(e.price.gt(5) && e.bidder.eq(1), int(1), int(0)) }))).toThrow(left);
    const pairs = bids.keyBy("auction").join(bids.keyBy("auction")).all();
    expect(() => pairs.where((a, b) => a.price.gt(b.price) && a.bidder.eq(b.bidder))).toThrow(left);
    expect(() => pairs.select((a, b) => ({ dear: a.price.gt(5) && b.bidder.eq(1) }))).toThrow(left);
    // Used twice, made outside, or in an expression that is: nothing is left out.
    const zero = int(0).eq(0);
    expect(() =>
      bids.filter((e) => {
        const dear = e.price.gt(5);
        return dear.and(e.bidder.isIn(1, 2)).or(dear.and(zero)).or(e.price.between(1, 2).not());
      }),
    ).not.toThrow();
  });

  test("nothing that cannot take back follows what changes", () => {
    const best = bids.keyBy("auction").aggregate({ best: max("price"), latest: last("at"), all: collect() });
    expect(
      best
        .keyBy("auction")
        .aggregate({ mean: avg("best") })
        .toView("v").windowed,
    ).toBeNull();
    expect(() => best.keyBy("auction").aggregate({ most: max("best") })).toThrow(
      misconfigured(/are replaced by later ones/),
    );
    expect(() => best.keyBy("auction").window(tumbling(1))).not.toThrow();
    expect(() => best.keyBy("auction").deduplicate()).toThrow(misconfigured(/are replaced by later ones/));
  });

  test("no key is forgotten while results may be taken back from it", () => {
    const groups = (ttl?: number) =>
      bids.keyBy("auction").aggregate({ price: sum("price") }, ttl === undefined ? {} : { ttl });
    const behind = (results: ReturnType<typeof groups>) => (ttl: number) =>
      results
        .filter((e) => e.price.gt(1))
        .keyBy("price")
        .aggregate({ n: count() }, { ttl });
    expect(() => behind(groups())(1_000)).toThrow(
      misconfigured(/a key is forgotten here after 1000 ms \(ttl\), but "aggregate-\d+" takes back results for ever/),
    );
    expect(() => behind(groups(1_001))(1_000)).toThrow(misconfigured(/takes back results for 1001 ms/));
    expect(() => behind(groups(1_000))(1_000)).not.toThrow();
    const late = bids.keyBy("auction").window(tumbling("1s")).allowedLateness(50).aggregate({ n: count() });
    const lateBehind = (ttl: number) => late.keyBy("n").aggregate({ m: count() }, { ttl });
    expect(() => lateBehind(50)).toThrow(misconfigured(/takes back results for 51 ms/));
    expect(() => lateBehind(51)).not.toThrow();
    const newest = bids.keyBy("auction").deduplicate({ keep: "last" });
    expect(() => newest.union(bids).keyBy("auction").aggregate({ n: count() }, { ttl: 9 })).toThrow(
      misconfigured(/"deduplicate-\d+" takes back results for ever/),
    );
    expect(() => bids.union(bids).keyBy("auction").aggregate({ n: count() }, { ttl: 9 })).not.toThrow();
  });

  test("no key is forgotten by another time than that of who takes results back from it", () => {
    const f = flow("f");
    const both = (idle: { readonly idle?: "1m" }) => {
      const first = f.from(Bid, { time: "at", ...idle });
      const best = first.keyBy("auction").aggregate({ price: sum("price") }, { ttl: 5 });
      const others = f.from(Auction, { time: "at" }).map((e) => ({ auction: e.id, price: e.category }));
      return best.union(others).keyBy("auction");
    };
    expect(() => both({ idle: "1m" }).aggregate({ n: count() }, { ttl: 5 })).toThrow(
      misconfigured(/"aggregate-\d+" takes back results by a time of its own/),
    );
    expect(() => both({ idle: "1m" }).aggregate({ n: count() })).not.toThrow();
    expect(() => both({}).aggregate({ n: count() }, { ttl: 5 })).not.toThrow();
  });

  test("nothing is counted of what a lookup says of results that change: it may say something else when they are taken back", () => {
    const named = (events: typeof bids) =>
      events.lookup(Account, "name", {
        key: (e) => e.bidder.toText(),
        fields: { name: text(), price: int64() },
        select: ({ price }, name) => ({ name, price }),
      });
    const best = bids
      .keyBy("bidder")
      .aggregate({ price: sum("price") })
      .lookup(Account, "name", {
        key: (e) => e.bidder.toText(),
        fields: { name: text(), price: int64() },
        select: ({ price }, name) => ({ name, price }),
      });
    const again = best.map((e) => ({ name: e.name.lower(), price: e.price })).keyBy("name");
    expect(() => again.aggregate({ n: count() })).toThrow(misconfigured(/"lookup-\d+", which asks anew/));
    expect(() => best.toView("best", { key: "name" })).not.toThrow();
    const first = named(bids)
      .keyBy("name")
      .aggregate({ total: sum("price") });
    expect(() => first.keyBy("total").aggregate({ n: count() })).not.toThrow();
  });

  test("a window's results have its beginning and end beside the key: no field of a key in front of it is called so", () => {
    const counts = bids.keyBy("auction").window(tumbling("1s")).aggregate({ n: count() });
    for (const name of ["windowStart", "windowEnd"] as const) {
      const keyed = counts.keyBy(name);
      expect(() => keyed.window(tumbling("10s")).aggregate({ n: sum("n") })).toThrow(
        misconfigured(new RegExp(`key field "${name}" in front of a window.*another name by map`)),
      );
      expect(() => keyed.aggregate({ n: sum("n") })).not.toThrow();
    }
    const named = counts.map((e) => ({ began: e.windowStart, n: e.n })).keyBy("began");
    expect(() => named.window(tumbling("10s")).aggregate({ n: sum("n") })).not.toThrow();
  });

  test("the rows of a view of events have a name of their own, which no operator that keeps something has", () => {
    const named = bids.keyBy("auction").aggregate({ n: count() }).named("view-v");
    const taken = misconfigured(/operator with the name "view-v", under which the rows of its view "v" are kept/);
    expect(() => sinks(named.toView("totals"), bids.toView("v", { key: "auction" }))).toThrow(taken);
    expect(() => bids.keyBy("auction").deduplicate().named("view-v").toView("v", { key: "auction" })).toThrow(taken);
    // It has no rows beside those of the operator, or the operator keeps nothing.
    expect(() => named.toView("v")).not.toThrow();
    expect(() =>
      bids
        .filter((e) => e.price.gt(1))
        .named("view-v")
        .toView("v", { key: "auction" }),
    ).not.toThrow();
  });

  test("sessions need a reduce that merges", () => {
    const total = reduce<typeof Bid.fields, number, "float64">({
      to: float64(),
      init: () => 0,
      add: (s) => s + 1,
      result: (s) => s,
    });
    const windowed = bids.keyBy("auction").window(session(1));
    expect(() => windowed.aggregate({ total })).toThrow(misconfigured(/needs merge/));
    expect(() => windowed.aggregate({ total: sum("price") })).not.toThrow();
  });
});
