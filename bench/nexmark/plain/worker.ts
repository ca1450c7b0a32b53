/**
 * The baseline behind HTTP: `POST /{query}/{kind}` with NDJSON; the answer tells how many events were taken. `/none/{kind}` reads the body and drops it:
 * what nobody can do without.
 */
import type { Bid, Kind } from "../events.ts";
import { PLAIN, type PlainQuery, READS_NO_BIDS } from "./queries.ts";

const running = new Map<string, PlainQuery>();

export default {
  async fetch(request: Request): Promise<Response> {
    const [query = "", kind = ""] = new URL(request.url).pathname.slice(1).split("/");
    if (query === "health") return new Response("ok");
    if (query === "none") {
      const { byteLength } = await request.arrayBuffer();
      return Response.json({ accepted: Number(request.headers.get("x-events")), rows: byteLength });
    }
    let plain = running.get(query);
    if (!plain) running.set(query, (plain = (PLAIN[query] as () => PlainQuery)()));
    const events: Bid[] = [];
    for (const line of (await request.text()).split("\n")) if (line !== "") events.push(JSON.parse(line) as Bid);
    if (kind !== "bid" || !READS_NO_BIDS.has(query)) plain.take(kind as Kind, events, Date.now());
    return Response.json({ accepted: events.length, rows: plain.rows });
  },
};
