/** The naive evaluations of the Nexmark queries, held against results that were worked out by hand. */
import { describe, expect, it } from "vitest";
import type { Auction, Batch, Bid, Person } from "../../bench/nexmark/events.ts";
import { evaluate, type QueryName, QUERY_NAMES, rowLines } from "../../bench/nexmark/naive/queries.ts";

const DAY = Date.UTC(2026, 0, 1);
const bid = (auction: number, price: number, seconds: number, more: Partial<Bid> = {}): Bid => ({
  auction,
  bidder: 1,
  price,
  channel: "Apple",
  url: "https://www.nexmark.com/a/b/c/item.htm?query=1",
  dateTime: DAY + seconds * 1000,
  extra: "",
  ...more,
});
const auction = (id: number, seconds: number, more: Partial<Auction> = {}): Auction => ({
  id,
  itemName: "lamp",
  description: "",
  initialBid: 1,
  reserve: 2,
  dateTime: DAY + seconds * 1000,
  expires: DAY + (seconds + 10) * 1000,
  seller: 1,
  category: 10,
  extra: "",
  ...more,
});
const person = (id: number, seconds: number, state = "OR"): Person => ({
  id,
  name: `p${id}`,
  emailAddress: "",
  creditCard: "",
  city: "Bend",
  state,
  dateTime: DAY + seconds * 1000,
  extra: "",
});
const bids = (...events: Bid[]): Batch => ({ kind: "bid", events, at: DAY });
const auctions = (...events: Auction[]): Batch => ({ kind: "auction", events, at: DAY });
const people = (...events: Person[]): Batch => ({ kind: "person", events, at: DAY });

function rows(query: QueryName, ...batches: Batch[]) {
  return evaluate(query, batches).rows;
}
const at = (seconds: number): number => DAY + seconds * 1000;

describe("one bid at a time", () => {
  it("q0 gives every bid as it is", () => {
    expect(rows("q0", auctions(auction(1, 0)), bids(bid(1, 5, 0), bid(2, 6, 1)))).toEqual([bid(1, 5, 0), bid(2, 6, 1)]);
  });

  it("q1 converts prices", () => {
    expect(rows("q1", bids(bid(1, 1000, 0)))).toEqual([
      { auction: 1, bidder: 1, price: 908, dateTime: at(0), extra: "" },
    ]);
  });

  it("q2 takes every 123rd auction", () => {
    expect(rows("q2", bids(bid(122, 1, 0), bid(123, 2, 0), bid(246, 3, 0)))).toEqual([
      { auction: 123, price: 2 },
      { auction: 246, price: 3 },
    ]);
  });

  it("q14 takes dear bids, and tells day from night", () => {
    const dear = (hour: number, extra = "") => bid(1, 2_000_000, hour * 3600, { extra });
    const found = rows(
      "q14",
      bids(
        bid(1, 1_101_321, 0),
        bid(1, 55_066_080, 0),
        dear(6),
        dear(7),
        dear(8, "accc"),
        dear(18),
        dear(19),
        dear(20),
      ),
    );
    expect(found.map(({ bidTimeType, cCounts }) => [bidTimeType, cCounts])).toEqual([
      ["nightTime", 0],
      ["otherTime", 0],
      ["dayTime", 3],
      ["dayTime", 0],
      ["otherTime", 0],
      ["nightTime", 0],
    ]);
    // 0.908 times these are 1,000,000.4 and 50,000,000.6.
    expect(rows("q14", bids(bid(1, 1_101_322, 0), bid(1, 55_066_080, 0)))).toHaveLength(1);
  });

  it("q21 finds channels by name or in the URL", () => {
    const url = (query: string) => `https://x/item.htm?query=1${query}`;
    const found = rows(
      "q21",
      bids(
        bid(1, 1, 0, { channel: "GOOGLE", url: url("&channel_id=9") }),
        bid(2, 1, 0, { channel: "channel-5", url: url("&channel_id=123") }),
        bid(3, 1, 0, { channel: "channel-6", url: url("") }),
        bid(4, 1, 0, { channel: "baidu" }),
      ),
    );
    expect(found.map(({ auction: id, channelId }) => [id, channelId])).toEqual([
      [1, "1"],
      [2, "123"],
      [4, "3"],
    ]);
  });

  it("q22 splits URLs", () => {
    expect(rows("q22", bids(bid(1, 1, 0)))).toMatchObject([{ dir1: "a", dir2: "b", dir3: "c" }]);
  });
});

describe("joins", () => {
  it("q3 finds sellers of category 10 in some states, whoever comes first", () => {
    const batches = [
      auctions(auction(7, 0, { seller: 1 }), auction(8, 0, { seller: 2 }), auction(9, 0, { seller: 1, category: 11 })),
      people(person(1, 1), person(2, 1, "WA")),
      auctions(auction(10, 2, { seller: 1 })),
    ];
    expect(rows("q3", ...batches)).toEqual([
      { name: "p1", city: "Bend", state: "OR", auction: 7 },
      { name: "p1", city: "Bend", state: "OR", auction: 10 },
    ]);
  });

  const sold = [
    bids(bid(7, 900, -1), bid(7, 100, 0)),
    auctions(auction(7, 0), auction(8, 0), auction(9, 0, { category: 11 }), auction(10, 0)),
    bids(
      bid(7, 300, 10),
      bid(7, 800, 10.001),
      bid(8, 500, 5),
      bid(9, 50, 1),
      bid(8, 500, 4, { bidder: 2 }),
      bid(6, 1, 1),
    ),
  ];

  it("q4 means the highest bids while auctions ran, by category", () => {
    expect(rows("q4", ...sold)).toEqual([
      { category: 10, avg: 400 },
      { category: 11, avg: 50 },
    ]);
  });

  it("q9 finds who won: the highest bid, of equals the earlier", () => {
    const won = rows("q9", ...sold).map(({ auction: id, bidder, price, dateTime }) => [id, bidder, price, dateTime]);
    expect(won).toEqual([
      [7, 1, 300, at(10)],
      [8, 2, 500, at(4)],
      [9, 1, 50, at(1)],
    ]);
  });

  it("q20 gives bids of category 10 with their auctions, also bids out of time", () => {
    const found = rows("q20", ...sold).map(({ auction: id, price, auctionTime }) => [id, price, auctionTime]);
    expect(found).toEqual([
      [7, 900, at(0)],
      [7, 100, at(0)],
      [7, 300, at(0)],
      [7, 800, at(0)],
      [8, 500, at(0)],
      [8, 500, at(0)],
    ]);
  });
});

describe("windows", () => {
  it("q5 finds the auctions with the most bids in each sliding window, ties included", () => {
    const found = rows("q5", bids(bid(1, 1, 0), bid(1, 1, 1), bid(2, 1, 3), bid(2, 1, 9)));
    const table = found.map(({ start, auction: id, num }) => [((start as number) - DAY) / 1000, id, num]);
    expect(table.toSorted()).toEqual(
      [
        [-8, 1, 2],
        [-6, 1, 2],
        [-4, 1, 2],
        [-2, 1, 2],
        [0, 1, 2],
        [0, 2, 2],
        [2, 2, 2],
        [4, 2, 1],
        [6, 2, 1],
        [8, 2, 1],
      ].toSorted(),
    );
  });

  it("q7 finds the highest bids of ten seconds, ties included", () => {
    const found = rows("q7", bids(bid(1, 5, 0), bid(2, 9, 9.999), bid(3, 9, 4), bid(4, 1, 10)));
    expect(found.map(({ start, auction: id }) => [start, id])).toEqual([
      [at(0), 2],
      [at(0), 3],
      [at(10), 4],
    ]);
  });

  it("q8 finds who came and sold in the same ten seconds, once", () => {
    const found = rows(
      "q8",
      people(person(1, 1), person(2, 1), person(3, 12)),
      auctions(
        auction(7, 9, { seller: 1 }),
        auction(8, 9, { seller: 1 }),
        auction(9, 11, { seller: 2 }),
        auction(10, 13, { seller: 3 }),
      ),
    );
    expect(found).toEqual([
      { start: at(0), id: 1, name: "p1" },
      { start: at(10), id: 3, name: "p3" },
    ]);
  });

  it("q11 counts bids between pauses; a late bid may join two sessions", () => {
    const found = rows(
      "q11",
      bids(bid(1, 1, 0), bid(1, 1, 15), bid(1, 1, 25), bid(1, 1, 8), bid(1, 1, 40, { bidder: 2 })),
    );
    // 0, 8 and 15 are one; 25 is exactly the gap behind 15 and so for itself.
    expect(rowLines(found)).toEqual(
      rowLines([
        { bidder: 1, bids: 3, start: at(0), end: at(25) },
        { bidder: 1, bids: 1, start: at(25), end: at(35) },
        { bidder: 2, bids: 1, start: at(40), end: at(50) },
      ]),
    );
  });

  it("q12 counts by the clock and not by event time", () => {
    const some = (clock: number, ...events: Bid[]): Batch => ({ kind: "bid", events, at: at(clock) });
    expect(
      rows("q12", some(1, bid(1, 1, 500), bid(1, 1, 0)), some(9.999, bid(1, 1, 0)), some(10, bid(1, 1, 0))),
    ).toEqual([
      { bidder: 1, start: at(0), bids: 3 },
      { bidder: 1, start: at(10), bids: 1 },
    ]);
  });

  it("leaves out what comes when its window has closed, and counts it", () => {
    // Four seconds out of order: the second batch finds the watermark at 20 s, the third at 26 s.
    const batches = [
      bids(bid(1, 1, 24)),
      bids(bid(1, 2, 9), bid(1, 3, 11), bid(1, 1, 30)),
      bids(bid(1, 9, 19), bid(1, 8, 21)),
    ];
    expect(evaluate("q7", batches).rows.map(({ start, price }) => [start, price])).toEqual([
      [at(20), 8],
      [at(30), 1],
    ]);
    expect(evaluate("q7", batches).late).toBe(3);
    // 11 s is in windows up to the one that ends at 20 s, 19 s in some that end at 28 s and before: those after 26 s take it.
    expect(evaluate("q5", batches).late).toBe(2);
    // Alone 9 s would end at 19 s and be too late, but it is near 11 s of the same batch, which is not; theirs is a session that has closed when 19 s
    // and 21 s join those of 24 s and 30 s.
    expect(evaluate("q11", batches).late).toBe(0);
    expect(evaluate("q11", batches).rows.map(({ start, bids: count }) => [start, count])).toEqual([
      [at(9), 2],
      [at(19), 4],
    ]);
    // Without it nothing is near.
    const alone = [batches[0], bids(bid(1, 2, 9), bid(1, 1, 30)), batches[2]] as typeof batches;
    expect(evaluate("q11", alone).late).toBe(1);
    expect(evaluate("q11", alone).rows.map(({ start, bids: count }) => [start, count])).toEqual([[at(19), 4]]);
  });
});

describe("for ever", () => {
  it("q17 sums up bids by auction and day", () => {
    const found = rows("q17", bids(bid(1, 9_999, 0), bid(1, 10_000, 1), bid(1, 1_000_000, 2), bid(1, 7, 86_400)));
    expect(found).toEqual([
      {
        auction: 1,
        day: "2026-01-01",
        totalBids: 3,
        rank1Bids: 1,
        rank2Bids: 1,
        rank3Bids: 1,
        minPrice: 9_999,
        maxPrice: 1_000_000,
        avgPrice: 1_019_999 / 3,
        sumPrice: 1_019_999,
      },
      {
        auction: 1,
        day: "2026-01-02",
        totalBids: 1,
        rank1Bids: 1,
        rank2Bids: 0,
        rank3Bids: 0,
        minPrice: 7,
        maxPrice: 7,
        avgPrice: 7,
        sumPrice: 7,
      },
    ]);
  });

  it("q18 keeps the last bid of a bidder on an auction", () => {
    const found = rows(
      "q18",
      bids(bid(1, 1, 5), bid(1, 2, 4), bid(1, 3, 5), bid(2, 4, 0), bid(1, 5, 0, { bidder: 2 })),
    );
    expect(found.map(({ price }) => price)).toEqual([3, 4, 5]);
  });

  it("q19 keeps the ten highest bids on an auction, of equals the earlier", () => {
    const prices = [5, 1, 9, 3, 7, 5, 2, 8, 4, 6, 10, 11];
    const found = rows("q19", bids(...prices.map((price, i) => bid(1, price, 20 - i))));
    expect(found.map(({ price, rank }) => [rank, price])).toEqual(
      [11, 10, 9, 8, 7, 6, 5, 5, 4, 3].map((price, i) => [i + 1, price]),
    );
    expect(found[6]?.dateTime).toBe(at(15));
  });
});

it("has an evaluation for each query, and compares rows whatever their order", () => {
  expect(QUERY_NAMES).toHaveLength(18);
  expect(
    rowLines([
      { b: 1, a: "x" },
      { a: "w", b: 2 },
    ]),
  ).toEqual(
    rowLines([
      { a: "w", b: 2 },
      { a: "x", b: 1 },
    ]),
  );
});
