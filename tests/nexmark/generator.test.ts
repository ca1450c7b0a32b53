/** The Nexmark generator: the proportions that it is known for, and the same run for the same seed. */
import { expect, it } from "vitest";
import { inBatches } from "../../bench/nexmark/batches.ts";
import type { Auction, Bid } from "../../bench/nexmark/events.ts";
import { generate } from "../../bench/nexmark/generator.ts";

const EVENTS = 50_000;
const run = generate({ events: EVENTS });
const bids = run.flatMap(({ kind, event }) => (kind === "bid" ? [event as Bid] : []));
const auctions = run.flatMap(({ kind, event }) => (kind === "auction" ? [event as Auction] : []));

const share = <T>(values: readonly T[], test: (value: T) => boolean) => values.filter(test).length / values.length;

it("makes people, auctions and bids as 1 to 3 to 46", () => {
  expect([run.length - bids.length - auctions.length, auctions.length, bids.length]).toEqual([1_000, 3_000, 46_000]);
});

it("makes half of the bids to hot auctions, three of four by hot bidders, three of four auctions of hot sellers", () => {
  const hotAuction = share(bids, ({ auction }) => auction % 100 === 0);
  const hotBidder = share(bids, ({ bidder }) => bidder % 100 === 1);
  const hotSeller = share(auctions, ({ seller }) => seller % 100 === 0);
  expect(hotAuction).toBeGreaterThan(0.49);
  expect(hotAuction).toBeLessThan(0.52);
  expect(hotBidder).toBeGreaterThan(0.74);
  expect(hotBidder).toBeLessThan(0.77);
  expect(hotSeller).toBeGreaterThan(0.73);
  expect(hotSeller).toBeLessThan(0.78);
});

it("makes the same for the same seed, and another run for another", () => {
  expect(generate({ events: 500 })).toEqual(run.slice(0, 500));
  expect(generate({ events: 500, seed: 7 })).not.toEqual(run.slice(0, 500));
});

it("keeps bids within the auctions that are open or about to be", () => {
  const newest = new Map<number, number>();
  let last = 999;
  for (const { kind, event } of run) {
    if (kind === "auction") last = (event as Auction).id;
    if (kind === "bid") newest.set((event as Bid).auction, (event as Bid).auction - last);
  }
  expect(Math.max(...newest.values())).toBeLessThanOrEqual(10);
});

it("has all events out of order too, each within its group, and some bids late where that is asked for", () => {
  const shuffled = generate({ events: EVENTS, groupSize: 500 });
  const times = shuffled.map(({ event }) => event.dateTime);
  expect(times.toSorted((a, b) => a - b)).toEqual(run.map(({ event }) => event.dateTime));
  let latest = -Infinity;
  let furthest = 0;
  for (const time of times) {
    latest = Math.max(latest, time);
    furthest = Math.max(furthest, latest - time);
  }
  expect(furthest).toBeGreaterThan(100);
  expect(furthest).toBeLessThan(500);
  const late = generate({ events: EVENTS, lateOneIn: 200 });
  expect(late).toHaveLength(EVENTS);
  let seen = -Infinity;
  const behind = late.filter(({ event }) => {
    seen = Math.max(seen, event.dateTime);
    return event.dateTime < seen - 20_000;
  });
  expect(behind.length).toBeGreaterThan(50);
  expect(behind.length).toBeLessThan(300);
});

it("is sent in batches of one kind that together are the run", () => {
  const batches = inBatches(run, 700, ["person", "auction", "bid"]);
  expect(batches.reduce((sum, { events }) => sum + events.length, 0)).toBe(EVENTS);
  const inOrder = batches.flatMap((batch) => (batch.kind === "bid" ? batch.events : []));
  expect(inOrder).toEqual(bids);
});
