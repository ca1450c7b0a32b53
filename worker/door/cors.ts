/** Cross-origin requests of browsers (Fetch standard, CORS protocol). Credentials are in a header, never in cookies, so none are allowed. */
import type { DoorDefinition } from "../../sdk/door.ts";

const METHODS = "GET, POST, DELETE";
/** All that a route reads of a request. */
const REQUEST_HEADERS = [
  "authorization, content-type, idempotency-key, last-event-id, traceparent, tracestate",
  "tidegate-epoch, tidegate-producer, tidegate-sequence, tidegate-tenant",
  // CloudEvents in binary mode, with their optional attributes.
  "ce-specversion, ce-id, ce-source, ce-type, ce-subject, ce-time, ce-dataschema",
].join(", ");
const RESPONSE_HEADERS = "idempotency-replayed, retry-after, tidegate-epoch, traceparent";

/** The answer to a preflight; undefined for a request that is none. */
export function preflight(cors: DoorDefinition["cors"], request: Request): Response | undefined {
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return undefined;
  const response = new Response(null, { status: 204 });
  const { headers } = response;
  if (!allowOrigin(cors, request, headers)) return response;
  headers.set("access-control-allow-methods", METHODS);
  headers.set("access-control-allow-headers", REQUEST_HEADERS);
  headers.set("access-control-max-age", String(cors?.maxAgeSeconds));
  return response;
}

/** Lets the page that asked read the answer, if its origin is allowed. */
export function expose(cors: DoorDefinition["cors"], request: Request, response: Response): void {
  if (allowOrigin(cors, request, response.headers))
    response.headers.set("access-control-expose-headers", RESPONSE_HEADERS);
}

function allowOrigin(cors: DoorDefinition["cors"], request: Request, headers: Headers): boolean {
  if (cors === undefined) return false;
  if (cors.origins === "*") {
    headers.set("access-control-allow-origin", "*");
    return true;
  }
  // What is answered depends on who asks, also when the answer is no.
  headers.append("vary", "origin");
  const origin = request.headers.get("origin");
  if (origin === null || !cors.origins.has(origin)) return false;
  headers.set("access-control-allow-origin", origin);
  return true;
}
