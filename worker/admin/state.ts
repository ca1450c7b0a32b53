/** `GET /admin/keys?service=…` and `GET /admin/state?service=…&key=…`: what is stored, page by page, as it was committed. */
import type { KeysAnswer, RowsAnswer } from "../../protocol/backup/asks.ts";
import { readVersion } from "../../protocol/state/evolution.ts";
import { compareKeys, entityKey, parseStateKey } from "../../protocol/state/state-key.ts";
import { checkKey } from "../../sdk/keys.ts";
import { toJson } from "../../sdk/json.ts";
import { decodeValue } from "../../sdk/values.ts";
import { queryParameter } from "../address.ts";
import { answerHeaders, JSON_TYPE } from "../headers.ts";
import { partitionOf } from "../keys.ts";
import { LIMITS } from "../limits.ts";
import { refuse } from "../problems.ts";
import { askByMap } from "./domain.ts";
import type { AdminEdge } from "./edge.ts";
import { jsonResponse } from "./responses.ts";
import { limitParameter } from "./transactions.ts";

/** Keys of all partitions, in order: `{"keys":[…],"next"?:…}`, where `next` is the `after` of the next page. */
export async function getKeys(edge: AdminEdge): Promise<Response> {
  const { request } = edge;
  const service = serviceOf(edge);
  const limit = limitParameter(request.url, LIMITS.keysDefault, LIMITS.keysMax);
  const after = queryParameter(request.url, "after") ?? null;
  const answers = await askByMap(edge, (domain) => domain.askAll<KeysAnswer>({ op: "keys", service, after, limit }));
  const compare = (a: string, b: string) => compareKeys(entityKey(service, a), entityKey(service, b));
  const keys = answers.flatMap((answer) => answer.keys).sort(compare);
  // Behind where some partition stopped, others' keys may not be all there are.
  const [end] = answers.flatMap(({ next }) => next ?? []).sort(compare);
  const known = end === undefined ? keys : keys.filter((key) => compare(key, end) <= 0);
  const shown = known.slice(0, limit);
  const next = shown.length < known.length ? shown.at(-1) : end;
  return jsonResponse(request, { keys: shown, ...(next === undefined ? {} : { next }) });
}

/** `{"value"?:…,"version"?:…,"entries":[{"collection","entry","value"}],"next"?:…}`; values as queries show them. */
export async function getState(edge: AdminEdge): Promise<Response> {
  const { backend, request } = edge;
  const service = serviceOf(edge);
  const key = queryParameter(request.url, "key");
  checkKey(key);
  const limit = limitParameter(request.url, LIMITS.entriesDefault, LIMITS.entriesMax);
  const after = rowBehind(request.url, entityKey(service, key));
  const [{ rows, next, partition }] = await askByMap(edge, async (domain, map) => {
    const keeper = partitionOf(backend.kernels(), map, key);
    const answer = await domain.ask<RowsAnswer>(keeper, { op: "rows", service, key, after, limit });
    return [{ ...answer, partition: keeper }] as const;
  });
  const value = rows.find(([stateKey]) => parseStateKey(stateKey).collection === undefined)?.[1];
  const entries = rows.flatMap(([stateKey, text]) => entryOf(stateKey, text));
  const members = [
    `"service":${JSON.stringify(service)},"key":${JSON.stringify(key)},"partition":${partition}`,
    ...(value === undefined ? [] : [valueMembers(value)]),
    `"entries":[${entries.join(",")}]`,
    ...(next === null ? [] : [`"next":${JSON.stringify(next)}`]),
  ];
  return new Response(`{${members.join(",")}}`, { headers: answerHeaders(request, JSON_TYPE) });
}

/** A state key as a page names it: one of another key would show what is under that. @throws ProblemError `invalid-parameter` */
function rowBehind(url: string, entity: string): string | null {
  const after = queryParameter(url, "after") ?? null;
  if (after === null || (after.startsWith(entity) && !after.includes("\u0000"))) return after;
  throw refuse(
    "invalid-parameter",
    "after must be what the page before named as the next, of the same service and key",
  );
}

function entryOf(stateKey: string, text: string): string[] {
  const { collection, entry } = parseStateKey(stateKey);
  // The engine's own, such as when the state expires.
  if (collection === undefined || collection.startsWith("#")) return [];
  return [`${JSON.stringify({ collection, entry }).slice(0, -1)},${valueMembers(text)}}`];
}

function valueMembers(stored: string): string {
  const { version, text } = readVersion(stored);
  return `"version":${version},"value":${toJson(decodeValue(text))}`;
}

function serviceOf({ app, request }: AdminEdge): string {
  const service = queryParameter(request.url, "service");
  if (service === undefined) throw refuse("invalid-parameter", "say which service: ?service=…");
  if (!app.services.has(service)) throw refuse("unknown-service", `there is no service ${JSON.stringify(service)}`);
  return service;
}
