/** `GET /v1/views/{view}` and `/v1/views/{view}/{key}`: rows of a materialised view, page by page. */
import { decodeKey } from "../sdk/keys.ts";
import { answerResponse } from "./answers.ts";
import { lastSegments, queryParameter } from "./address.ts";
import type { ViewQuery } from "./backend.ts";
import { requireFlow } from "./door/rules.ts";
import type { Edge } from "./edge.ts";
import { generalView } from "./flows.ts";
import { kernelView } from "./kernel-view.ts";
import { LIMITS } from "./limits.ts";
import { refuse } from "./problems.ts";
import { ranked, topIn } from "./top.ts";

/** All rows of a view. */
export function getView(edge: Edge): Promise<Response> {
  const [view = ""] = lastSegments(edge.request.url, 1);
  return answerView(edge, view, undefined);
}

/** The rows of one key of a view. */
export function getViewKey(edge: Edge): Promise<Response> {
  const [view = "", segment = ""] = lastSegments(edge.request.url, 2);
  return answerView(edge, view, segment);
}

async function answerView(edge: Edge, view: string, segment?: string): Promise<Response> {
  const { app, request, caller } = edge;
  const definition = app.views.get(view);
  if (definition === undefined) throw refuse("unknown-view", `there is no view ${JSON.stringify(view)}`);
  const key = segment === undefined ? undefined : decodeKey(segment);
  requireFlow(app.door.views, caller, view, key ?? "");
  const query: ViewQuery = {
    view,
    key,
    limit: limitOf(request.url),
    after: cursorOf(request.url),
  };
  const { windowed } = definition;
  const top = topIn(request.url, definition);
  if (windowed === null) return generalView(edge, definition, query, top);
  const read = (asked: ViewQuery) => kernelView(edge, windowed, asked);
  const answer = top === undefined ? await read(query) : await ranked(top, query, read);
  return answerResponse(request, answer, false);
}

function limitOf(url: string): number {
  const text = queryParameter(url, "limit");
  if (text === undefined) return LIMITS.viewRowsDefault;
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMITS.viewRowsMax) return limit;
  throw refuse("invalid-parameter", `?limit= is a whole number from 1 to ${LIMITS.viewRowsMax}`);
}

function cursorOf(url: string): string | undefined {
  const cursor = queryParameter(url, "cursor");
  if (cursor === undefined || cursor.length <= LIMITS.viewCursorChars) return cursor;
  throw refuse("invalid-parameter", "?cursor= is the `next` of an earlier answer");
}
