/** The baseline: each query in plain JavaScript as one writes it, event by event over Maps, in memory and nowhere else. */
import type { Auction, Batch, Bid, Kind, Person } from "../events.ts";

export interface PlainQuery {
  take(kind: Kind, events: ReadonlyArray<Person | Auction | Bid>, now: number): void;
  /** Rows that it has come to or holds, so that nothing of the work is for nothing. */
  readonly rows: number;
}

const EUROS = 0.908;
const TEN_SECONDS = 10_000;
const SLIDE = 2_000;
const OUT_OF_ORDERNESS = 4_000;
const CHANNEL_IDS: Readonly<Record<string, string>> = { apple: "0", google: "1", facebook: "2", baidu: "3" };

/** A bid in, a row or none out. */
function each(row: (bid: Bid) => object | null): PlainQuery {
  let rows = 0;
  let last: object | null = null;
  return {
    take(_kind, events) {
      for (const bid of events as readonly Bid[]) {
        last = row(bid);
        if (last !== null) rows++;
      }
    },
    get rows() {
      return last === null && rows === 0 ? 0 : rows;
    },
  };
}

function mapOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** Windows of event time by their starts; `add` for each window that an event is in. What has closed is counted and dropped. */
function windows<E extends { dateTime: number }, W>(
  slide: number,
  make: () => W,
  add: (window: W, event: E, kind: Kind) => void,
  result: (window: W) => number,
): PlainQuery {
  const open = new Map<number, W>();
  const latest = new Map<Kind, number>();
  let watermark = -Infinity;
  let rows = 0;
  return {
    take(kind, events) {
      let newest = latest.get(kind) ?? -Infinity;
      for (const event of events as unknown as readonly E[]) {
        const { dateTime } = event;
        newest = Math.max(newest, dateTime);
        for (let start = Math.floor(dateTime / slide) * slide; start > dateTime - TEN_SECONDS; start -= slide) {
          if (start + TEN_SECONDS > watermark) add(mapOf(open, start, make), event, kind);
        }
      }
      latest.set(kind, newest);
      watermark = Math.max(watermark, Math.min(...latest.values()) - OUT_OF_ORDERNESS);
      for (const [start, window] of open) {
        if (start + TEN_SECONDS > watermark) continue;
        rows += result(window);
        open.delete(start);
      }
    },
    get rows() {
      return rows + open.size;
    },
  };
}

const q5 = () =>
  windows<Bid, Map<number, number>>(
    SLIDE,
    () => new Map(),
    (counts, { auction }) => counts.set(auction, (counts.get(auction) ?? 0) + 1),
    (counts) => {
      const most = Math.max(...counts.values());
      return [...counts.values()].filter((count) => count === most).length;
    },
  );

const q7 = () =>
  windows<Bid, { best: Bid[] }>(
    TEN_SECONDS,
    () => ({ best: [] }),
    (window, bid) => {
      const price = window.best[0]?.price ?? -1;
      if (bid.price > price) window.best = [bid];
      else if (bid.price === price) window.best.push(bid);
    },
    ({ best }) => best.length,
  );

const q8 = () =>
  windows<Person & Auction, { people: Map<number, string>; sellers: Set<number> }>(
    TEN_SECONDS,
    () => ({ people: new Map(), sellers: new Set() }),
    ({ people, sellers }, event, kind) => {
      if (kind === "person") people.set(event.id, event.name);
      else sellers.add(event.seller);
    },
    ({ people, sellers }) => [...people.keys()].filter((id) => sellers.has(id)).length,
  );

function q11(): PlainQuery {
  const open = new Map<number, Array<{ start: number; end: number; bids: number }>>();
  let watermark = -Infinity;
  let rows = 0;
  return {
    take(_kind, events) {
      let newest = watermark;
      for (const { bidder, dateTime } of events as readonly Bid[]) {
        newest = Math.max(newest, dateTime - OUT_OF_ORDERNESS);
        const sessions = mapOf(open, bidder, () => []);
        let own = { start: dateTime, end: dateTime + TEN_SECONDS, bids: 1 };
        for (let i = sessions.length - 1; i >= 0; i--) {
          const other = sessions[i] as typeof own;
          if (other.start >= own.end || own.start >= other.end) continue;
          sessions.splice(i, 1);
          own = {
            start: Math.min(own.start, other.start),
            end: Math.max(own.end, other.end),
            bids: own.bids + other.bids,
          };
        }
        sessions.push(own);
      }
      watermark = newest;
      for (const [bidder, sessions] of open) {
        const left = sessions.filter(({ end }) => end > watermark);
        rows += sessions.length - left.length;
        if (left.length === 0) open.delete(bidder);
        else open.set(bidder, left);
      }
    },
    get rows() {
      return rows + open.size;
    },
  };
}

function q12(): PlainQuery {
  const open = new Map<number, Map<number, number>>();
  return {
    take(_kind, events, now) {
      const counts = mapOf(open, Math.floor(now / TEN_SECONDS), () => new Map<number, number>());
      for (const { bidder } of events as readonly Bid[]) counts.set(bidder, (counts.get(bidder) ?? 0) + 1);
    },
    get rows() {
      return open.size;
    },
  };
}

/** Bids and auctions by the auction's id, whichever comes first; `pair` for each bid with its auction. */
function joined(pair: (bid: Bid, auction: Auction) => void, wanted: (auction: Auction) => boolean = () => true) {
  const auctions = new Map<number, Auction>();
  const waiting = new Map<number, Bid[]>();
  return (kind: Kind, events: ReadonlyArray<Person | Auction | Bid>): void => {
    if (kind === "bid") {
      for (const bid of events as readonly Bid[]) {
        const auction = auctions.get(bid.auction);
        if (auction === undefined) mapOf(waiting, bid.auction, () => []).push(bid);
        else if (wanted(auction)) pair(bid, auction);
      }
      return;
    }
    for (const auction of events as readonly Auction[]) {
      auctions.set(auction.id, auction);
      for (const bid of waiting.get(auction.id) ?? []) if (wanted(auction)) pair(bid, auction);
      waiting.delete(auction.id);
    }
  };
}

const whileOpen = (bid: Bid, auction: Auction): boolean =>
  bid.dateTime >= auction.dateTime && bid.dateTime <= auction.expires;

function q4(): PlainQuery {
  const finals = new Map<number, number>();
  const means = new Map<number, { sum: number; count: number }>();
  const take = joined((bid, auction) => {
    if (!whileOpen(bid, auction)) return;
    const before = finals.get(auction.id);
    if (before !== undefined && before >= bid.price) return;
    finals.set(auction.id, bid.price);
    const mean = mapOf(means, auction.category, () => ({ sum: 0, count: 0 }));
    mean.sum += bid.price - (before ?? 0);
    if (before === undefined) mean.count++;
  });
  return {
    take,
    get rows() {
      return means.size;
    },
  };
}

function q9(): PlainQuery {
  const won = new Map<number, Bid>();
  const take = joined((bid, auction) => {
    if (!whileOpen(bid, auction)) return;
    const best = won.get(auction.id);
    if (best === undefined || bid.price > best.price || (bid.price === best.price && bid.dateTime < best.dateTime)) {
      won.set(auction.id, bid);
    }
  });
  return {
    take,
    get rows() {
      return won.size;
    },
  };
}

function q20(): PlainQuery {
  let rows = 0;
  let last: object = {};
  const take = joined(
    (bid, auction) => {
      last = { ...auction, ...bid };
      rows++;
    },
    ({ category }) => category === 10,
  );
  return {
    take,
    get rows() {
      return Object.keys(last).length > 0 ? rows : 0;
    },
  };
}

function q3(): PlainQuery {
  const people = new Map<number, Person>();
  const waiting = new Map<number, Auction[]>();
  const rows: object[] = [];
  const pair = ({ name, city, state }: Person, { id }: Auction) => rows.push({ name, city, state, auction: id });
  return {
    take(kind, events) {
      if (kind === "person") {
        for (const person of events as readonly Person[]) {
          if (!["OR", "ID", "CA"].includes(person.state)) continue;
          people.set(person.id, person);
          for (const auction of waiting.get(person.id) ?? []) pair(person, auction);
        }
        return;
      }
      for (const auction of events as readonly Auction[]) {
        if (auction.category !== 10) continue;
        const person = people.get(auction.seller);
        if (person) pair(person, auction);
        mapOf(waiting, auction.seller, () => []).push(auction);
      }
    },
    get rows() {
      return rows.length;
    },
  };
}

/** Something for each key, for ever. */
function kept<K, V>(key: (bid: Bid) => K, make: (bid: Bid) => V, add: (value: V, bid: Bid) => V): PlainQuery {
  const values = new Map<K, V>();
  return {
    take(_kind, events) {
      for (const bid of events as readonly Bid[]) {
        const name = key(bid);
        values.set(name, add(values.get(name) ?? make(bid), bid));
      }
    },
    get rows() {
      return values.size;
    },
  };
}

const q17 = () =>
  kept(
    ({ auction, dateTime }) => `${auction} ${new Date(dateTime).toISOString().slice(0, 10)}`,
    () => ({ total: 0, rank1: 0, rank2: 0, rank3: 0, min: Infinity, max: -Infinity, sum: 0 }),
    (all, { price }) => {
      all.total++;
      if (price < 10_000) all.rank1++;
      else if (price < 1_000_000) all.rank2++;
      else all.rank3++;
      all.min = Math.min(all.min, price);
      all.max = Math.max(all.max, price);
      all.sum += price;
      return all;
    },
  );

const q18 = () =>
  kept(
    ({ bidder, auction }) => `${bidder} ${auction}`,
    (bid) => bid,
    (last, bid) => (bid.dateTime >= last.dateTime ? bid : last),
  );

const q19 = () =>
  kept(
    ({ auction }) => auction,
    (): Bid[] => [],
    (best, bid) => {
      if (best.length === 10 && bid.price <= (best[9] as Bid).price) return best;
      let at = best.length;
      while (at > 0 && (best[at - 1] as Bid).price < bid.price) at--;
      best.splice(at, 0, bid);
      if (best.length > 10) best.pop();
      return best;
    },
  );

export const READS_NO_BIDS: ReadonlySet<string> = new Set(["q3", "q8"]);

export const PLAIN: Readonly<Record<string, () => PlainQuery>> = {
  q0: () => each((bid) => ({ ...bid })),
  q1: () =>
    each(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price: EUROS * price, dateTime, extra })),
  q2: () => each(({ auction, price }) => (auction % 123 === 0 ? { auction, price } : null)),
  q3,
  q4,
  q5,
  q7,
  q8,
  q9,
  q11,
  q12,
  q14: () =>
    each(({ auction, bidder, price: dollars, dateTime, extra }) => {
      const price = EUROS * dollars;
      if (price <= 1_000_000 || price >= 50_000_000) return null;
      const hour = new Date(dateTime).getUTCHours();
      const day = hour >= 8 && hour <= 18 ? "dayTime" : hour <= 6 || hour >= 20 ? "nightTime" : "otherTime";
      return { auction, bidder, price, day, dateTime, extra, cCounts: extra.split("c").length - 1 };
    }),
  q17,
  q18,
  q19,
  q20,
  q21: () =>
    each(({ auction, bidder, price, channel, url }) => {
      const channelId = CHANNEL_IDS[channel.toLowerCase()] ?? /(?:&|^)channel_id=([^&]*)/.exec(url)?.[1];
      return channelId === undefined ? null : { auction, bidder, price, channel, channelId };
    }),
  q22: () =>
    each(({ auction, bidder, price, channel, url }) => {
      const [, , , dir1, dir2, dir3] = url.split("/");
      return { auction, bidder, price, channel, dir1, dir2, dir3 };
    }),
};

/** Of a whole run, for tests. */
export function plainRows(query: string, batches: readonly Batch[]): number {
  const plain = (PLAIN[query] as () => PlainQuery)();
  for (const { kind, events, at } of batches) plain.take(kind, events, at);
  return plain.rows;
}
