/** The baseline behind HTTP: `POST /{query}/{kind}` with NDJSON; the answer tells how many events were taken. */
import type { Bid, Kind } from "../events.ts";
import { PLAIN, type PlainQuery } from "./queries.ts";

const running = new Map<string, PlainQuery>();

export default {
  async fetch(request: Request): Promise<Response> {
    const [query = "", kind = ""] = new URL(request.url).pathname.slice(1).split("/");
    if (query === "health") return new Response("ok");
    let plain = running.get(query);
    if (!plain) running.set(query, (plain = (PLAIN[query] as () => PlainQuery)()));
    const events: Bid[] = [];
    for (const line of (await request.text()).split("\n")) if (line !== "") events.push(JSON.parse(line) as Bid);
    plain.take(kind as Kind, events, Date.now());
    return Response.json({ accepted: events.length, rows: plain.rows });
  },
};
