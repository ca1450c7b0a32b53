/** Queries over windows: q5, q7, q8, q11, q12. An event belongs to a window unless that had closed when the event's batch came. */
import type { Auction, Batch, Bid, Kind, NexmarkEvent, Person } from "../events.ts";
import { group, withWatermarks, type Result } from "./arrivals.ts";

const SECOND = 1_000;
const TEN_SECONDS = 10 * SECOND;
const SLIDE = 2 * SECOND;

interface Placed<E> {
  readonly start: number;
  readonly event: E;
}

/** Each event in each window that takes it, and how many events none took. */
function place(
  batches: readonly Batch[],
  kinds: readonly Kind[],
  slide: number,
): { placed: Array<Placed<NexmarkEvent>>; late: number } {
  const placed: Array<Placed<NexmarkEvent>> = [];
  let late = 0;
  withWatermarks(batches, kinds, (event, watermark) => {
    const { dateTime } = event.event;
    let taken = false;
    for (let start = Math.floor(dateTime / slide) * slide; start > dateTime - TEN_SECONDS; start -= slide) {
      if (start + TEN_SECONDS <= watermark) continue;
      placed.push({ start, event });
      taken = true;
    }
    if (!taken) late++;
  });
  return { placed, late };
}

function placeBids(batches: readonly Batch[], slide: number): { bids: Array<Placed<Bid>>; late: number } {
  const { placed, late } = place(batches, ["bid"], slide);
  return { bids: placed.map(({ start, event }) => ({ start, event: event.event as Bid })), late };
}

/** The auctions with the most bids in the last ten seconds, every two seconds; all that are equal. */
export function q5(batches: readonly Batch[]): Result {
  const { bids, late } = placeBids(batches, SLIDE);
  const rows = group(bids, ({ start }) => start).flatMap((inWindow) => {
    const counts = group(inWindow, ({ event }) => event.auction).map((some) => ({
      auction: some[0]?.event.auction as number,
      num: some.length,
    }));
    const most = Math.max(...counts.map(({ num }) => num));
    const start = inWindow[0]?.start as number;
    return counts.filter(({ num }) => num === most).map((count) => ({ start, ...count }));
  });
  return { rows, late };
}

/** The highest bids of every ten seconds; all that are equal. */
export function q7(batches: readonly Batch[]): Result {
  const { bids, late } = placeBids(batches, TEN_SECONDS);
  const rows = group(bids, ({ start }) => start).flatMap((inWindow) => {
    const most = Math.max(...inWindow.map(({ event }) => event.price));
    return inWindow
      .filter(({ event }) => event.price === most)
      .map(({ start, event: { auction, bidder, price, dateTime } }) => ({ start, auction, bidder, price, dateTime }));
  });
  return { rows, late };
}

/** Who came and offered something within the same ten seconds. */
export function q8(batches: readonly Batch[]): Result {
  const { placed, late } = place(batches, ["person", "auction"], TEN_SECONDS);
  const sellers = new Set(
    placed
      .filter(({ event }) => event.kind === "auction")
      .map(({ start, event }) => `${start} ${(event.event as Auction).seller}`),
  );
  const rows = placed
    .filter(({ start, event }) => event.kind === "person" && sellers.has(`${start} ${event.event.id}`))
    .map(({ start, event }) => ({ start, id: (event.event as Person).id, name: (event.event as Person).name }));
  return { rows: group(rows, (row) => row).map(([row]) => row as (typeof rows)[number]), late };
}

interface Session {
  start: number;
  end: number;
  bids: number;
}

/** How often each bidder bid between pauses of ten seconds. */
export function q11(batches: readonly Batch[]): Result {
  /** By bidder: sessions that may still grow. */
  const open = new Map<number, Session[]>();
  const closed: Array<Session & { readonly bidder: number }> = [];
  let late = 0;
  const close = (watermark: number): void => {
    for (const [bidder, sessions] of open) {
      for (const session of sessions.filter(({ end }) => end <= watermark)) closed.push({ bidder, ...session });
      open.set(
        bidder,
        sessions.filter(({ end }) => end > watermark),
      );
    }
  };
  let closedTo = -Infinity;
  // The latest first: what is near a later event of its batch is no more late than that one.
  withWatermarks(latestFirst(batches), ["bid"], ({ event }, watermark) => {
    if (watermark > closedTo) close((closedTo = watermark));
    const { bidder, dateTime } = event as Bid;
    const sessions = open.get(bidder) ?? [];
    const own = { start: dateTime, end: dateTime + TEN_SECONDS, bids: 1 };
    // Two events exactly the gap apart are in two sessions.
    const met = sessions.filter(({ start, end }) => start < own.end && own.start < end);
    if (met.length === 0 && own.end <= watermark) {
      late++;
      return;
    }
    const merged = met.reduce(
      (all, one) => ({
        start: Math.min(all.start, one.start),
        end: Math.max(all.end, one.end),
        bids: all.bids + one.bids,
      }),
      own,
    );
    open.set(bidder, [...sessions.filter((session) => !met.includes(session)), merged]);
  });
  close(Infinity);
  const rows = closed.map(({ bidder, bids, start, end }) => ({ bidder, bids, start, end }));
  return { rows, late };
}

const latestFirst = (batches: readonly Batch[]): Batch[] =>
  batches.map((batch) =>
    batch.kind === "bid" ? { ...batch, events: batch.events.toSorted((a, b) => b.dateTime - a.dateTime) } : batch,
  );

/** How often each bidder bid in every ten seconds of processing time. */
export function q12(batches: readonly Batch[]): Result {
  const bids = batches.flatMap((batch) =>
    batch.kind === "bid" ? batch.events.map(({ bidder }) => ({ bidder, at: batch.at })) : [],
  );
  const start = (at: number): number => Math.floor(at / TEN_SECONDS) * TEN_SECONDS;
  const rows = group(bids, ({ bidder, at }) => [bidder, start(at)]).map((some) => ({
    bidder: some[0]?.bidder as number,
    start: start(some[0]?.at as number),
    bids: some.length,
  }));
  return { rows, late: 0 };
}
