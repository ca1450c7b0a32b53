/** `/v1/sagas/{saga}/{id}`: starts a saga, shows how far it is, cancels it, and tries again what is stuck. */
import { sagaServiceName } from "../sdk/saga.ts";
import { lastSegments } from "./address.ts";
import { builtinTarget, getBuiltin, postBuiltin } from "./builtin.ts";
import type { Edge } from "./edge.ts";
import type { Target } from "./keys.ts";
import { refuse } from "./problems.ts";

/** @param behind segments behind the id */
function targetOf({ app, request }: Edge, name: string, kind: Target["kind"], behind = 0): Target {
  const [saga = "", id = ""] = lastSegments(request.url, 2 + behind);
  if (!app.sagas.has(saga)) throw refuse("unknown-saga", `there is no saga ${JSON.stringify(saga)}`);
  return builtinTarget(sagaServiceName(saga), id, name, kind);
}

const nothing = (): string => "";

export function getSaga(edge: Edge): Promise<Response> {
  return getBuiltin(edge, targetOf(edge, "status", "query"));
}

/** Starts it with the body as its input. The same id and input again start nothing, and show how far it is. */
export function postSaga(edge: Edge): Promise<Response> {
  return postBuiltin(edge, targetOf(edge, "start", "fn"), (text) => (text === "" ? "{}" : `{"input":${text}}`));
}

export function cancelSaga(edge: Edge): Promise<Response> {
  const behind = edge.request.method === "DELETE" ? 0 : 1;
  return postBuiltin(edge, targetOf(edge, "cancel", "fn", behind), nothing);
}

export function retrySaga(edge: Edge): Promise<Response> {
  return postBuiltin(edge, targetOf(edge, "retry", "fn", 1), nothing);
}
