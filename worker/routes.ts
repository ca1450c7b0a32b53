/** The routes of the edge, as a Hono app that stands alone or is mounted in one of the user's. */
import type { Context } from "hono";
// Its router needs 1.4 us more a request than the default one, of some hundred, and three KiB less of the bundle.
import { Hono } from "hono/tiny";
import type { AppDefinition } from "../sdk/app.ts";
import type { Caller } from "../sdk/caller.ts";
import { problemOf } from "../sdk/problems.ts";
import { rawPath } from "./address.ts";
import { postBackup } from "./admin/backup.ts";
import type { AdminEndpoint } from "./admin/edge.ts";
import { postErase } from "./admin/erase.ts";
import { getExport } from "./admin/export.ts";
import { getOverview } from "./admin/overview.ts";
import { getKeys, getState } from "./admin/state.ts";
import { getTransactions } from "./admin/transactions.ts";
import { getPartitions, postPartitions } from "./admin/partitions.ts";
import { deleteRestore, postRestore } from "./admin/restore.ts";
import type { AdminBackend, Backend } from "./backend.ts";
import { postBatch } from "./batch/endpoint.ts";
import { getCall, postCall, postSend } from "./call.ts";
import { addConsole } from "./console/endpoint.ts";
import { deleteDeadLetter, getDeadLetters, redriveDeadLetter } from "./dead-letters.ts";
import { deleteFlowLetter, redriveFlowLetter } from "./flow-letters.ts";
import type { Edge, Endpoint } from "./edge.ts";
import { getEvents } from "./events-out.ts";
import { getFlow, getFlowDeadLetters, getLate } from "./flows.ts";
import { expose, preflight } from "./door/cors.ts";
import { Door, OWNER } from "./door/door.ts";
import { requireCredential, requireOwner } from "./door/rules.ts";
import { authenticateAdmin } from "./door/secrets.ts";
import { administeredTenant } from "./door/tenants.ts";
import { answerHeaders, JSON_TYPE } from "./headers.ts";
import { deleteMessage } from "./messages.ts";
import { postEvents } from "./ingest.ts";
import { getMetrics } from "./metrics/endpoint.ts";
import { openApiEndpoint } from "./openapi/endpoint.ts";
import { getPromise, postPromise, rejectPromise } from "./promises.ts";
import { cancelSaga, getSaga, postSaga, retrySaga } from "./sagas.ts";
import { problemResponse, ProblemError, refuse } from "./problems.ts";
import { type EdgeTrace, traceOf } from "./tracing.ts";
import { getView, getViewKey } from "./views.ts";

/** Who administers a domain, where a caller is named: no rule is asked about them. */
const ADMIN: Caller = { ...OWNER, id: "admin" };

/** Of a route whose endpoints ask the rules themselves: all others are the owner's alone. */
const RULED = true;

type Methods = Readonly<Partial<Record<"GET" | "POST" | "DELETE", Endpoint>>>;

/**
 * Makes the routes for one app.
 * @param backendOf gives the surroundings of a request; called once for each that is not `/health`.
 */
export function createRoutes(app: AppDefinition, backendOf: (c: Context) => Backend): Hono {
  const routes = new Hono({ getPath: (request) => exactPath(rawPath(request.url)) });
  const door = new Door(app);
  const { cors } = app.door;
  // One handler for all methods of a route: Hono calls a lone handler without composing a chain.
  const closed =
    (methods: Methods, isRuled = false) =>
    (c: Context) => {
      const request = c.req.raw;
      const backend = backendOf(c);
      const caller = door.caller(request, backend);
      if (caller instanceof Promise) return caller.then((known) => enter(isRuled, methods, request, backend, known));
      return enter(isRuled, methods, request, backend, caller);
    };
  const enter = (isRuled: boolean, methods: Methods, request: Request, outside: Backend, caller: Caller) => {
    if (!isRuled) requireOwner(caller);
    const endpoint = endpointFor(methods, request.method);
    const startedAt = outside.now();
    door.count(request, caller, startedAt);
    const backend = door.domain(request, caller, outside);
    const trace = traceOf(request, caller, outside);
    const edge: Edge = { app, door, backend, request, caller, startedAt, traceparent: trace?.traceparent };
    return trace === undefined ? endpoint(edge) : traced(trace, endpoint, edge);
  };
  if (cors !== undefined) {
    // Administration is for no page but one's own.
    routes.use("/v1/*", async (c, next) => {
      const answer = preflight(cors, c.req.raw);
      if (answer !== undefined) return answer;
      await next();
      expose(cors, c.req.raw, c.res);
    });
  }
  if (app.door.console) addConsole(routes);
  routes.all("/health", (c) => health(c.req.raw));
  routes.all("/openapi.json", closed({ GET: openApiEndpoint(app) }, RULED));
  routes.all("/metrics", closed({ GET: getMetrics }, RULED));
  routes.all("/v1/services/:service/:key/:function", closed({ GET: getCall, POST: postCall }, RULED));
  routes.all("/v1/services/:service/:key/:function/send", closed({ POST: postSend }, RULED));
  routes.all("/v1/messages/:id", closed({ DELETE: deleteMessage }));
  routes.all("/v1/promises/:id", closed({ GET: getPromise, POST: postPromise }));
  routes.all("/v1/promises/:id/reject", closed({ POST: rejectPromise }));
  routes.all("/v1/sagas/:saga/:id", closed({ GET: getSaga, POST: postSaga, DELETE: cancelSaga }));
  routes.all("/v1/sagas/:saga/:id/cancel", closed({ POST: cancelSaga }));
  routes.all("/v1/sagas/:saga/:id/retry", closed({ POST: retrySaga }));
  routes.all("/v1/dead-letters/:name", closed({ GET: getDeadLetters, DELETE: deleteDeadLetter }));
  routes.all("/v1/dead-letters/:id/redrive", closed({ POST: redriveDeadLetter }));
  routes.all("/v1/batch", closed({ POST: postBatch }, RULED));
  routes.all("/v1/streams/:stream", closed({ GET: getEvents, POST: postEvents }, RULED));
  routes.all("/v1/flows/:flow", closed({ GET: getFlow }, RULED));
  routes.all("/v1/flows/:flow/late", closed({ GET: getLate }, RULED));
  routes.all("/v1/flows/:flow/dead-letters", closed({ GET: getFlowDeadLetters }, RULED));
  routes.all("/v1/flows/:flow/dead-letters/:number", closed({ DELETE: deleteFlowLetter }));
  routes.all("/v1/flows/:flow/dead-letters/:number/redrive", closed({ POST: redriveFlowLetter }));
  routes.all("/v1/views/:view", closed({ GET: getView }, RULED));
  routes.all("/v1/views/:view/:key", closed({ GET: getViewKey }, RULED));
  addAdministration(routes, app, door, backendOf);
  routes.notFound((c) => notFound(c.req.raw, door, backendOf(c)));
  routes.onError((error, c) => problemResponse(c.req.raw, error));
  return routes;
}

/** The router takes a path that ends with a slash for the same without: with two it is none of ours. */
function exactPath(path: string): string {
  return path.length > 1 && path.endsWith("/") ? `${path}/` : path;
}

function addAdministration(routes: Hono, app: AppDefinition, door: Door, backendOf: (c: Context) => Backend): void {
  const administered = (methods: Partial<Record<string, AdminEndpoint>>) => (c: Context) => {
    const request = c.req.raw;
    const outside = backendOf(c);
    authenticateAdmin(request, outside.admin?.token);
    const backend = app.door.tenants ? outside.inDomain(administeredTenant(request)) : outside;
    const endpoint = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (endpoint === undefined) throw notAllowed(Object.keys(methods));
    const admin = backend.admin as AdminBackend;
    return endpoint({ app, door, backend, admin, request, caller: ADMIN, startedAt: backend.now() });
  };
  routes.all("/admin/partitions", administered({ GET: getPartitions, POST: postPartitions }));
  routes.all("/admin/backup", administered({ POST: postBackup }));
  routes.all("/admin/restore", administered({ POST: postRestore, DELETE: deleteRestore }));
  routes.all("/admin/overview", administered({ GET: getOverview }));
  routes.all("/admin/transactions", administered({ GET: getTransactions }));
  routes.all("/admin/keys", administered({ GET: getKeys }));
  routes.all("/admin/state", administered({ GET: getState }));
  routes.all("/admin/export", administered({ GET: getExport }));
  routes.all("/admin/erase", administered({ POST: postErase }));
}

/** An endpoint may throw before it has anything to wait for: such an answer has its span as well. */
async function traced(trace: EdgeTrace, endpoint: Endpoint, edge: Edge): Promise<Response> {
  let response: Response;
  try {
    response = await endpoint(edge);
  } catch (error) {
    response = problemResponse(edge.request, error);
  }
  trace.ended(response.status, edge.backend);
  return response;
}

function endpointFor(methods: Methods, method: string): Endpoint {
  const name = method === "HEAD" ? "GET" : method;
  // A method may be any word, also one that every object has.
  const endpoint = Object.hasOwn(methods, name) ? methods[name as keyof Methods] : undefined;
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
async function notFound(request: Request, door: Door, backend: Backend): Promise<Response> {
  try {
    requireCredential(await door.caller(request, backend));
    const path = rawPath(request.url);
    throw EMPTY_KEY.test(path)
      ? refuse("invalid-key", "the key is empty")
      : refuse("not-found", "see /openapi.json for the routes");
  } catch (error) {
    return problemResponse(request, error);
  }
}
const EMPTY_KEY = /^\/v1\/services\/[^/]+\/\/[^/]+(?:\/send)?$/;
