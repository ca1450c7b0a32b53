/** The baseline: the same queries in plain JavaScript, JSON.parse and Maps, in memory only. */
interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly dateTime: number;
}
interface Group {
  bids: number;
  total: number;
}

const WINDOW_MS = 10_000;
const OUT_OF_ORDERNESS_MS = 30_000;

interface Query {
  readonly keep: (bid: Bid) => boolean;
  readonly key: (bid: Bid) => number;
  /** Groups of open windows, by window. */
  readonly open: Map<number, Map<number, Group>>;
  readonly closed: Map<number, Map<number, Group>>;
  watermark: number;
}

function newQuery(keep: Query["keep"], key: Query["key"]): Query {
  return { keep, key, open: new Map(), closed: new Map(), watermark: Number.NEGATIVE_INFINITY };
}

const queries: Record<string, Query> = {
  q0: newQuery(
    () => true,
    (bid) => bid.auction,
  ),
  q2: newQuery(
    (bid) => bid.price > 500_000,
    (bid) => bid.auction,
  ),
  q12: newQuery(
    () => true,
    (bid) => bid.bidder,
  ),
};

function take(query: Query, text: string): number {
  let events = 0;
  let newest = query.watermark;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const bid = JSON.parse(line) as Bid;
    events += 1;
    newest = Math.max(newest, bid.dateTime - OUT_OF_ORDERNESS_MS);
    if (query.keep(bid)) add(query, bid);
  }
  query.watermark = newest;
  for (const [start, groups] of query.open) {
    if (start + WINDOW_MS > newest) continue;
    query.closed.set(start, groups);
    query.open.delete(start);
  }
  return events;
}

function add(query: Query, bid: Bid): void {
  const start = Math.floor(bid.dateTime / WINDOW_MS) * WINDOW_MS;
  if (start + WINDOW_MS <= query.watermark) return;
  let groups = query.open.get(start);
  if (!groups) query.open.set(start, (groups = new Map()));
  const key = query.key(bid);
  const group = groups.get(key);
  if (!group) groups.set(key, { bids: 1, total: bid.price });
  else {
    group.bids += 1;
    group.total += bid.price;
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname.slice(1);
    if (path === "health") return new Response("ok");
    return Response.json({ accepted: take(queries[path] as Query, await request.text()) });
  },
};
