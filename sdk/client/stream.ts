/** Streams and views as a client sees them: events in, rows out, whole numbers exact. */

import { byPath, eventText } from "../event-text.ts";
import { encodeKey } from "../keys.ts";
import { exact } from "../exact.ts";
import { searchOf } from "./search.ts";
import type { StreamDefinition } from "../stream.ts";
import type { Transport } from "./transport.ts";
import type { Accepted, ViewOptions, ViewPage } from "./types.ts";

/** Sends events as one batch: taken whole or not at all, and once. */
export function sendEvents(
  transport: Transport,
  stream: string | StreamDefinition,
  events: readonly object[],
  options: { readonly idempotencyKey?: string; readonly signal?: AbortSignal } = {},
): Promise<Accepted> {
  return transport.send(
    {
      method: "POST",
      path: `/v1/streams/${typeof stream === "string" ? stream : stream.name}`,
      body: events.map((event) => eventText(asDeclared(stream, event))).join("\n"),
      type: "application/x-ndjson",
      idempotencyKey: options.idempotencyKey ?? crypto.randomUUID(),
      signal: options.signal,
    },
    (response) => response.json() as Promise<Accepted>,
  );
}

/** An event whose fields are not all at the top is given by their names and sent by their paths; others go as they are, whatever else they hold. */
function asDeclared(stream: string | StreamDefinition, event: object): object {
  if (typeof stream === "string" || stream.columns.every(({ path }) => path === undefined)) return event;
  return byPath(stream.columns, event as Readonly<Record<string, unknown>>);
}

/** Rows of a view, all or those of one key. */
export function getView<Row>(
  transport: Transport,
  view: string,
  key: unknown,
  options: ViewOptions = {},
): Promise<ViewPage<Row>> {
  const { limit, cursor, top, signal } = options;
  const path = `/v1/views/${view}${key === undefined ? "" : `/${encodeKey(String(key))}`}`;
  const search = searchOf({ limit, cursor, top });
  return transport.send(
    { method: "GET", path: path + search, signal },
    async (response) => JSON.parse(await response.text(), exact) as ViewPage<Row>,
  );
}
