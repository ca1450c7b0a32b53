/** `/v1/promises/{id}`: how far a promise is, and the events that resolve or reject it. */
import { Promises } from "../sdk/builtin/promises.ts";
import { lastSegments } from "./address.ts";
import { builtinTarget, getBuiltin, postBuiltin } from "./builtin.ts";
import type { Edge } from "./edge.ts";

export function getPromise(edge: Edge): Promise<Response> {
  const [id = ""] = lastSegments(edge.request.url, 1);
  return getBuiltin(edge, builtinTarget(Promises.name, id, "status", "query"));
}

/** Resolves it with the body. The first one counts; the same again is answered alike. */
export function postPromise(edge: Edge): Promise<Response> {
  const [id = ""] = lastSegments(edge.request.url, 1);
  const target = builtinTarget(Promises.name, id, "settle", "fn");
  return postBuiltin(edge, target, (text) => (text === "" ? '{"ok":true}' : `{"ok":true,"value":${text}}`));
}

/** Rejects it, with the body as the reason. */
export function rejectPromise(edge: Edge): Promise<Response> {
  const [id = ""] = lastSegments(edge.request.url, 2);
  const target = builtinTarget(Promises.name, id, "settle", "fn");
  const inputOf = (text: string): string => (text === "" ? '{"ok":false}' : `{"ok":false,"reason":${text}}`);
  return postBuiltin(edge, target, inputOf, "reject");
}
