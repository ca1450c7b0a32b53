/** `/v1/dead-letters`: messages that failed for good, by the service that they were for: to be read, sent again or deleted. */
import { flowService, STREAM } from "../protocol/flows/internal.ts";
import { LIST, type Page, REDRIVE, REMOVE } from "../protocol/outbox/dead-letters.ts";
import { DEAD, PLACE_LENGTH } from "../protocol/outbox/dead-letter.ts";
import { ANSWER_FLAG, type Answer } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { isName } from "../sdk/names.ts";
import { lastSegments, queryParameter } from "./address.ts";
import { answerResponse } from "./answers.ts";
import { requireOwner } from "./door/rules.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import type { Edge } from "./edge.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { LIMITS } from "./limits.ts";
import { refuse } from "./problems.ts";

const PLACE = new RegExp(`^[0-9a-f]{11}[a-z][0-9a-f]{${PLACE_LENGTH - 12}}$`);

/**
 * Of the engine's own services, which are no names of an app's: `#promises`, `#saga.` with a saga's name, `#stream` for events that functions emit,
 * `#flow:` with a flow's name for what that does by the clock. Messages of theirs may fail, too.
 */
const BUILTIN = /^#[a-z]+(?:[.:][a-z0-9-]+)?$/;

interface Listed {
  readonly letters: readonly unknown[];
}

/** One page, oldest first: `{"letters":[…],"next"?:…}`. */
export async function getDeadLetters(edge: Edge): Promise<Response> {
  const { app, request, caller, backend, startedAt } = edge;
  requireOwner(caller);
  const [service = ""] = segmentsOf(edge, 1);
  if (!isListed(service)) throw refuse("unknown-service", `there is no service ${JSON.stringify(service)}`);
  const page: Page = { after: afterOf(request.url, service), limit: limitOf(request.url) };
  const requestId = edgeRequestId(startedAt, backend.uuid());
  // The list of a service is kept under the service's name.
  const answer = await ask(edge, requestId, 0, {
    service: DEAD,
    key: service,
    name: LIST,
    input: JSON.stringify(page),
  });
  // A service that the app has no more may have left some.
  const isKnown = app.services.has(service) || app.builtins.has(service) || isOfFlows(app, service);
  if (answer.status === 200 && !isKnown && (JSON.parse(answer.body) as Listed).letters.length === 0) {
    throw refuse("unknown-service", `there is no service "${service}"`);
  }
  return answerResponse(request, answer, false);
}

/** The last segments of the path, in which a `#` can stand encoded alone. */
function segmentsOf({ request }: Edge, count: number): string[] {
  return lastSegments(request.url, count).map((segment) => segment.replace("%23", "#").replace(/%3a/i, ":"));
}

function isOfFlows({ flows, streams }: Edge["app"], service: string): boolean {
  if (service === STREAM) return streams.size > 0;
  return [...flows.keys()].some((name) => flowService(name) === service);
}

function isListed(service: string): boolean {
  return isName(service) || BUILTIN.test(service);
}

function afterOf(url: string, service: string): string {
  const cursor = queryParameter(url, "cursor");
  if (cursor === undefined) return "";
  const parsed = parseId(cursor);
  if (parsed?.service !== service) throw refuse("invalid-parameter", "?cursor= is the `next` of an earlier answer");
  return parsed.place;
}

function limitOf(url: string): number {
  const text = queryParameter(url, "limit");
  if (text === undefined) return LIMITS.deadLettersDefault;
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMITS.deadLettersMax) return limit;
  throw refuse("invalid-parameter", `?limit= is a whole number from 1 to ${LIMITS.deadLettersMax}`);
}

/** Sends it again as a message of its own, and takes it from the list. */
export function redriveDeadLetter(edge: Edge): Promise<Response> {
  const [id = ""] = segmentsOf(edge, 2);
  return act(edge, id, REDRIVE, '{"redriven":true}');
}

export function deleteDeadLetter(edge: Edge): Promise<Response> {
  const [id = ""] = segmentsOf(edge, 1);
  return act(edge, id, REMOVE, '{"deleted":true}');
}

async function act(edge: Edge, id: string, name: string, done: string): Promise<Response> {
  requireOwner(edge.caller);
  const parsed = parseId(id);
  if (parsed === null) throw refuse("unknown-message", "this is not the id of a dead letter");
  const { service, place } = parsed;
  return actOnce(edge, ["dead-letters", id, name], { service: DEAD, key: service, name, input: place }, done);
}

/**
 * Sends a dead letter again, or deletes it, once for each Idempotency-Key.
 * @param scope of that key, beside the caller
 * @param asked answers whether it is there
 */
export async function actOnce(edge: Edge, scope: readonly string[], asked: Asked, done: string): Promise<Response> {
  const { request, caller, startedAt, backend } = edge;
  const clientKey = idempotencyKey(request);
  const requestId =
    clientKey === null
      ? edgeRequestId(startedAt, backend.uuid())
      : clientRequestId(caller.id, request.method, scope, clientKey);
  const answer = await ask(edge, requestId, clientKey === null ? 0 : INVOKE_FLAG.clientId, asked);
  if (answer.status === 200 && answer.body !== "true") {
    throw refuse("unknown-message", "there is no such dead letter any more: it was sent again or deleted");
  }
  const body = answer.status === 200 ? done : answer.body;
  return answerResponse(
    request,
    { ...answer, body },
    clientKey !== null && (answer.flags & ANSWER_FLAG.replayed) !== 0,
  );
}

interface Asked {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  readonly input: string;
}

function ask({ backend, startedAt }: Edge, requestId: string, how: number, asked: Asked): Promise<Answer> {
  const { service, key, name, input } = asked;
  const target = { service, key, function: name, kind: name === LIST ? "query" : "fn" } as const;
  const flags = INVOKE_FLAG.internal | how;
  return invoke(backend, startedAt, { requestId, flags, fingerprint: NO_FINGERPRINT, target, input });
}

function parseId(id: string): { readonly place: string; readonly service: string } | null {
  const place = id.slice(0, PLACE_LENGTH);
  const service = id.slice(PLACE_LENGTH + 1);
  return id[PLACE_LENGTH] === "-" && PLACE.test(place) && isListed(service) ? { place, service } : null;
}
