/** The routes of the edge, as a Hono app that stands alone or is mounted in one of the user's. */
import { Hono, type Context } from "hono";
import type { AppDefinition } from "../sdk/app.ts";
import { problemOf } from "../sdk/problems.ts";
import { rawPath } from "./address.ts";
import { postBackup } from "./admin/backup.ts";
import type { AdminEndpoint } from "./admin/edge.ts";
import { postErase } from "./admin/erase.ts";
import { getExport } from "./admin/export.ts";
import { getPartitions, postPartitions } from "./admin/partitions.ts";
import { deleteRestore, postRestore } from "./admin/restore.ts";
import { authenticate, authenticateAdmin } from "./auth.ts";
import type { AdminBackend, Backend } from "./backend.ts";
import { postBatch } from "./batch/endpoint.ts";
import { getCall, postCall, postSend } from "./call.ts";
import type { Endpoint } from "./edge.ts";
import { getEvents } from "./events-out.ts";
import { getDeadLetters, getFlow, getLate } from "./flows.ts";
import { answerHeaders, JSON_TYPE } from "./headers.ts";
import { postEvents } from "./ingest.ts";
import { openApiEndpoint } from "./openapi/endpoint.ts";
import { problemResponse, ProblemError, refuse } from "./problems.ts";
import { getView, getViewKey } from "./views.ts";

/** Who administers a domain, where a caller is named. */
const ADMIN = "admin";

type Methods = Readonly<Partial<Record<"GET" | "POST", Endpoint>>>;

/**
 * Makes the routes for one app.
 * @param backendOf gives the surroundings of a request; called once for each that is not `/health`.
 */
export function createRoutes(app: AppDefinition, backendOf: (c: Context) => Backend): Hono {
  const routes = new Hono({ getPath: (request) => rawPath(request.url) });
  // One handler for all methods of a route: Hono calls a lone handler without composing a chain.
  const closed = (methods: Methods) => (c: Context) => {
    const request = c.req.raw;
    const backend = backendOf(c);
    const caller = authenticate(request, backend.token);
    const endpoint = endpointFor(methods, request.method);
    return endpoint({ app, backend, request, caller, startedAt: backend.now() });
  };
  routes.all("/health", (c) => health(c.req.raw));
  routes.all("/openapi.json", closed({ GET: openApiEndpoint(app) }));
  routes.all("/v1/services/:service/:key/:function", closed({ GET: getCall, POST: postCall }));
  routes.all("/v1/services/:service/:key/:function/send", closed({ POST: postSend }));
  routes.all("/v1/batch", closed({ POST: postBatch }));
  routes.all("/v1/streams/:stream", closed({ GET: getEvents, POST: postEvents }));
  routes.all("/v1/flows/:flow", closed({ GET: getFlow }));
  routes.all("/v1/flows/:flow/late", closed({ GET: getLate }));
  routes.all("/v1/flows/:flow/dead-letters", closed({ GET: getDeadLetters }));
  routes.all("/v1/views/:view", closed({ GET: getView }));
  routes.all("/v1/views/:view/:key", closed({ GET: getViewKey }));
  const administered = (methods: Partial<Record<string, AdminEndpoint>>) => (c: Context) => {
    const request = c.req.raw;
    const backend = backendOf(c);
    authenticateAdmin(request, backend.admin?.token);
    const endpoint = methods[request.method];
    if (endpoint === undefined) throw notAllowed(Object.keys(methods));
    const admin = backend.admin as AdminBackend;
    return endpoint({ app, backend, admin, request, caller: ADMIN, startedAt: backend.now() });
  };
  routes.all("/admin/partitions", administered({ GET: getPartitions, POST: postPartitions }));
  routes.all("/admin/backup", administered({ POST: postBackup }));
  routes.all("/admin/restore", administered({ POST: postRestore, DELETE: deleteRestore }));
  routes.all("/admin/export", administered({ GET: getExport }));
  routes.all("/admin/erase", administered({ POST: postErase }));
  routes.notFound((c) => notFound(c.req.raw, backendOf(c)));
  routes.onError((error, c) => problemResponse(c.req.raw, error));
  return routes;
}

function endpointFor(methods: Methods, method: string): Endpoint {
  const endpoint = method === "POST" ? methods.POST : method === "GET" || method === "HEAD" ? methods.GET : undefined;
  if (endpoint !== undefined) return endpoint;
  throw notAllowed(Object.keys(methods));
}

function notAllowed(methods: readonly string[]): ProblemError {
  const allow = methods.join(", ");
  return new ProblemError(problemOf("method-not-allowed", `here it is ${allow}`), { allow });
}

/** Liveness of the Worker itself; it asks nobody, so that it stays open and cheap. */
function health(request: Request): Response {
  endpointFor({ GET: () => new Response() }, request.method);
  return new Response('{"status":"ok"}', { headers: answerHeaders(request, JSON_TYPE) });
}

/** Not thrown but returned: Hono runs this one outside its error handler. */
function notFound(request: Request, backend: Backend): Response {
  try {
    authenticate(request, backend.token);
    const path = rawPath(request.url);
    throw EMPTY_KEY.test(path)
      ? refuse("invalid-key", "the key is empty")
      : refuse("not-found", "see /openapi.json for the routes");
  } catch (error) {
    return problemResponse(request, error);
  }
}
const EMPTY_KEY = /^\/v1\/services\/[^/]+\/\/[^/]+(?:\/send)?$/;
