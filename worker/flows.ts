/** `/v1/flows/{flow}`: what a flow is, where each operator runs and how far it has come; its late events and dead letters; general views. */
import { explain, graphOf } from "../dataflow/graph.ts";
import { VIEW } from "../protocol/flows/internal.ts";
import type { ViewAsk } from "../protocol/flows/view.ts";
import type { Answer } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import type { ViewDefinition } from "../sdk/app.ts";
import type { FlowDefinition } from "../sdk/flow.ts";
import { answerResponse } from "./answers.ts";
import { lastSegments, queryParameter } from "./address.ts";
import type { ViewQuery } from "./backend.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import { requireOwner } from "./door/rules.ts";
import type { Edge } from "./edge.ts";
import { answerHeaders, JSON_TYPE } from "./headers.ts";
import { edgeRequestId } from "./idempotency.ts";
import { LIMITS } from "./limits.ts";
import { refuse } from "./problems.ts";

/** Asks an internal query. Its key places it; the shares that it reads are where they are. */
export function askInternal(
  { backend, startedAt }: Pick<Edge, "backend" | "startedAt">,
  target: { readonly service: string; readonly key: string; readonly function: string },
  input: unknown,
  snapshot: boolean,
): Promise<Answer> {
  return invoke(backend, startedAt, {
    requestId: edgeRequestId(startedAt, backend.uuid()),
    flags: INVOKE_FLAG.internal | INVOKE_FLAG.queryOnly | (snapshot ? INVOKE_FLAG.snapshot : 0),
    fingerprint: NO_FINGERPRINT,
    target: { ...target, kind: "query" },
    input: JSON.stringify(input),
  });
}

/** A view that operators keep. */
export async function generalView(edge: Edge, { name, flow }: ViewDefinition, query: ViewQuery): Promise<Response> {
  const top = queryParameter(edge.request.url, "top");
  const ask: ViewAsk = { flow: flow.name, view: name, key: query.key, limit: query.limit, after: query.after, top };
  const target = { service: VIEW, key: homeOf(flow), function: "view" };
  const answer = await askInternal(edge, target, ask, isSnapshot(edge.request.url));
  return answerResponse(edge.request, answer, false);
}

export function isSnapshot(url: string): boolean {
  const consistency = queryParameter(url, "consistency");
  if (consistency === undefined || consistency === "fresh") return false;
  if (consistency === "snapshot") return true;
  throw refuse("invalid-parameter", "?consistency= is fresh or snapshot");
}

function homeOf(flow: FlowDefinition): string {
  return flow.streams[0]?.name ?? flow.name;
}

/** Explains a flow. */
export async function getFlow(edge: Edge): Promise<Response> {
  const [name = ""] = lastSegments(edge.request.url, 1);
  const flow = flowNamed(edge, name);
  const kernel = edge.app.windowed.has(name);
  const graph = graphOf(flow, kernel);
  const target = { service: VIEW, key: homeOf(flow), function: "flow" };
  let status: unknown = null;
  if (!kernel) {
    const answer = await askInternal(edge, target, { flow: name }, false);
    if (answer.status !== 200) return answerResponse(edge.request, answer, false);
    status = JSON.parse(answer.body);
  }
  const body = { ...graph, explain: explain(graph), status };
  return new Response(JSON.stringify(body), { headers: answerHeaders(edge.request, JSON_TYPE) });
}

/** Events that came too late. */
export function getLate(edge: Edge): Promise<Response> {
  return aside(edge, "late");
}

/** Events that a service refused. */
export function getFlowDeadLetters(edge: Edge): Promise<Response> {
  return aside(edge, "dead");
}

async function aside(edge: Edge, what: string): Promise<Response> {
  const [name = ""] = lastSegments(edge.request.url, 2);
  const flow = flowNamed(edge, name);
  if (edge.app.windowed.has(name))
    throw refuse("not-found", "the window kernel counts late events and does not keep them");
  const target = { service: VIEW, key: homeOf(flow), function: "aside" };
  const answer = await askInternal(edge, target, { flow: name, what, limit: LIMITS.asideEntries }, false);
  return answerResponse(edge.request, answer, false);
}

function flowNamed({ app, caller }: Edge, name: string): FlowDefinition {
  requireOwner(caller);
  const flow = app.flows.get(name);
  if (flow === undefined) throw refuse("unknown-flow", `there is no flow ${JSON.stringify(name)}`);
  return flow;
}
