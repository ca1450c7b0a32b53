/** `/v1/flows/{flow}/dead-letters/{number}`: events that an end of a flow did not take, one by one: given to it again, or deleted. */
import { homeOf, VIEW } from "../protocol/flows/internal.ts";
import { type LetterAsk, REDRIVE, REMOVE } from "../protocol/flows/letters.ts";
import { lastSegments } from "./address.ts";
import { actOnce } from "./dead-letters.ts";
import { requireOwner } from "./door/rules.ts";
import type { Edge } from "./edge.ts";
import { refuse } from "./problems.ts";

/** Gives the event to its end again and takes it from the list: both or neither, once. */
export function redriveFlowLetter(edge: Edge): Promise<Response> {
  const [flow = "", , number = ""] = lastSegments(edge.request.url, 4);
  return act(edge, flow, number, REDRIVE, '{"redriven":true}');
}

export function deleteFlowLetter(edge: Edge): Promise<Response> {
  const [flow = "", , number = ""] = lastSegments(edge.request.url, 3);
  return act(edge, flow, number, REMOVE, '{"deleted":true}');
}

async function act(edge: Edge, name: string, number: string, does: string, done: string): Promise<Response> {
  const { app, caller } = edge;
  requireOwner(caller);
  const flow = app.flows.get(name);
  if (flow === undefined) throw refuse("unknown-flow", `there is no flow ${JSON.stringify(name)}`);
  // What the window kernel runs has no ends but its view.
  if (!/^\d{1,15}$/.test(number) || app.windowed.has(name))
    throw refuse("unknown-message", "this is not the id of a dead letter of the flow");
  const input = JSON.stringify({ flow: name, letter: Number(number) } satisfies LetterAsk);
  const asked = { service: VIEW, key: homeOf(flow), name: does, input };
  return actOnce(edge, ["flows", name, "dead-letters", number, does], asked, done);
}
