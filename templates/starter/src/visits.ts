import { count, flow, stream, text, timestamp, tumbling } from "tidegate";

/** Events come in by `POST /v1/streams/visits`, a line of JSON each. */
export const Visits = stream("visits", { page: text(), at: timestamp() });

/** Counted per page and minute, and read by `GET /v1/views/visits-per-minute`. */
export const visitsPerMinute = flow("visits-per-minute")
  .from(Visits, { time: "at", outOfOrderness: "5s" })
  .keyBy("page")
  .window(tumbling("1m"))
  .aggregate({ visits: count() })
  .toView("visits-per-minute");
