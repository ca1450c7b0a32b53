/** `/v1/flows/{flow}`: what a flow is, where each operator runs and how far it has come; its late events and dead letters; general views. */
import { explain, graphOf } from "../dataflow/graph.ts";
import { homeOf, VIEW } from "../protocol/flows/internal.ts";
import { type Aside, DEAD, LATE } from "../protocol/flows/log.ts";
import type { AsideAsk, ViewAsk } from "../protocol/flows/view.ts";
import type { ViewDefinition } from "../sdk/app.ts";
import type { FlowRules } from "../sdk/door.ts";
import type { FlowDefinition } from "../sdk/flow.ts";
import { answerResponse } from "./answers.ts";
import { lastSegments } from "./address.ts";
import type { ViewQuery } from "./backend.ts";
import { requireFlow } from "./door/rules.ts";
import type { Edge } from "./edge.ts";
import { answerHeaders, JSON_TYPE } from "./headers.ts";
import { type PageSource, showEvents } from "./events-out.ts";
import { flowStatus } from "./flow-status.ts";
import { askInternal, isSnapshot } from "./internal.ts";
import { refuse } from "./problems.ts";

/** A view that operators keep. @param top ranks the rows by this member */
export async function generalView(
  edge: Edge,
  { name, flow }: ViewDefinition,
  query: ViewQuery,
  top?: string,
): Promise<Response> {
  const ask: ViewAsk = { flow: flow.name, view: name, key: query.key, limit: query.limit, after: query.after, top };
  const target = { service: VIEW, key: homeOf(flow), function: "view" };
  const answer = await askInternal(edge, target, ask, isSnapshot(edge.request.url));
  return answerResponse(edge.request, answer, false);
}

/** Explains a flow. */
export async function getFlow(edge: Edge): Promise<Response> {
  const [name = ""] = lastSegments(edge.request.url, 1);
  const flow = flowNamed(edge, name, "explain");
  const graph = graphOf(flow, edge.app.windowed.has(name));
  const answer = await flowStatus(edge, flow, isSnapshot(edge.request.url));
  if (answer.status !== 200) return answerResponse(edge.request, answer, false);
  const status: unknown = JSON.parse(answer.body);
  const body = { ...graph, explain: explain(graph), status };
  return new Response(JSON.stringify(body), { headers: answerHeaders(edge.request, JSON_TYPE) });
}

/** Events that came too late. */
export function getLate(edge: Edge): Promise<Response> {
  return aside(edge, LATE, "late");
}

/** Events that a service refused, or that could not be delivered. */
export function getFlowDeadLetters(edge: Edge): Promise<Response> {
  return aside(edge, DEAD, "deadLetters");
}

async function aside(edge: Edge, what: Aside, rule: keyof FlowRules): Promise<Response> {
  const [name = ""] = lastSegments(edge.request.url, 2);
  const flow = flowNamed(edge, name, rule);
  const target = { service: VIEW, key: homeOf(flow), function: "aside" };
  const source: PageSource = (from, ask, snapshot) =>
    askInternal(from, target, { flow: name, what, ...ask } satisfies AsideAsk, snapshot);
  return showEvents(edge, source, JSON_TYPE);
}

/** @throws ProblemError */
function flowNamed({ app, caller }: Edge, name: string, rule: keyof FlowRules): FlowDefinition {
  requireFlow(app.door.flows[rule], caller, name, name);
  const flow = app.flows.get(name);
  if (flow === undefined) throw refuse("unknown-flow", `there is no flow ${JSON.stringify(name)}`);
  return flow;
}
