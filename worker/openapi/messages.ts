/** The paths of messages: one for each function that may write, and those to cancel them and to see to dead letters. */
import type { ProblemType } from "../../sdk/problems.ts";
import { parameter, problems, success } from "./responses.ts";
import { LIMITS } from "../limits.ts";
import type { Reference, SchemaTable } from "./schemas.ts";

const PROBLEMS: readonly ProblemType[] = [
  "malformed-json",
  "invalid-key",
  "key-too-large",
  "invalid-parameter",
  "invalid-idempotency-key",
  "idempotency-conflict",
  "body-incomplete",
  "body-too-large",
  "unsupported-media-type",
];

/** Path item of `…/{function}/send`. */
export function sendPath(service: string, id: string, body: object, security: object): unknown {
  const message = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  const post = {
    operationId: `${id}.send`,
    tags: [service],
    ...security,
    description:
      "Sends a message: answered once it is durable. It is delivered once, as a transaction of its own; its input is checked then.",
    parameters: [
      parameter("IdempotencyKey"),
      {
        name: "delay",
        in: "query",
        description:
          "Delivers it so much later: milliseconds, or such as `250ms`, `30s`, `5m`, `2h`; at most 366 days.",
        schema: { type: "string" },
      },
      {
        name: "at",
        in: "query",
        description: "Delivers it at this time: milliseconds since 1970, or such as `2027-01-01T00:00:00Z`.",
        schema: { type: "string" },
      },
    ],
    ...body,
    responses: { ...problems(PROBLEMS), 202: success(message, "The message is kept.") },
  };
  return { parameters: [parameter("Key")], post };
}

const ID = { name: "id", in: "path", required: true, schema: { type: "string" } };
const done = (member: string): unknown => ({
  type: "object",
  properties: { [member]: { const: true } },
  required: [member],
});

/** Path items of `/v1/messages` and `/v1/dead-letters`. */
export function messagePaths(schemas: SchemaTable): Record<string, unknown> {
  const identified = [parameter("IdempotencyKey")];
  const cancel = {
    operationId: "messages.cancel",
    tags: ["messages"],
    description:
      "Cancels a delayed message. With 200 it was waiting still, and is never delivered; with 409 it is too late.",
    parameters: identified,
    responses: {
      ...problems(["unknown-message", "message-gone", "invalid-idempotency-key"]),
      200: success(done("cancelled"), "It is cancelled."),
    },
  };
  const list = {
    operationId: "deadLetters.list",
    tags: ["messages"],
    description: "Messages to a service that failed for good, oldest first.",
    parameters: [
      { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: LIMITS.deadLettersMax } },
      { name: "cursor", in: "query", description: "`next` of the page before.", schema: { type: "string" } },
    ],
    responses: {
      ...problems(["unknown-service", "invalid-parameter"]),
      200: success(pageOf(schemas), "A page of them."),
    },
  };
  const act = (operationId: string, description: string, member: string): unknown => ({
    operationId,
    tags: ["messages"],
    description,
    parameters: identified,
    responses: {
      ...problems(["unknown-message", "invalid-idempotency-key"]),
      200: success(done(member), "It is done, once."),
    },
  });
  return {
    "/v1/messages/{id}": { parameters: [ID], delete: cancel },
    "/v1/dead-letters/{id}": {
      parameters: [
        {
          ...ID,
          description:
            "To list them the name of a service, `#saga.` and the name of a saga, or `#promises`; to delete one its id.",
        },
      ],
      get: list,
      delete: act("deadLetters.delete", "Deletes one.", "deleted"),
    },
    "/v1/dead-letters/{id}/redrive": {
      parameters: [ID],
      post: act(
        "deadLetters.redrive",
        "Sends one again, as a message of its own, and takes it from the list.",
        "redriven",
      ),
    },
  };
}

function pageOf(schemas: SchemaTable): Reference {
  const time = { type: "integer", description: "Milliseconds since 1970." };
  const attempt = {
    type: "object",
    properties: { at: time, status: { type: "integer" }, type: { type: "string" }, error: { type: "string" } },
    required: ["at", "status", "type", "error"],
  };
  const letter = schemas.add("DeadLetter", {
    type: "object",
    properties: {
      id: { type: "string" },
      message: { type: "string", description: "The id that it had as a message." },
      from: {
        type: ["object", "null"],
        description: "Who sent it; null where it came over HTTP or was sent again.",
        properties: { service: { type: "string" }, key: { type: "string" } },
      },
      service: { type: "string" },
      key: { type: "string" },
      function: { type: "string" },
      input: {},
      inputLength: { type: "integer", description: "Of an input that is too long to be shown." },
      at: time,
      attempts: { type: "array", items: attempt },
    },
    required: ["id", "message", "from", "service", "key", "function", "at", "attempts"],
  });
  return schemas.add("DeadLetterPage", {
    type: "object",
    properties: { letters: { type: "array", items: letter }, next: { type: "string" } },
    required: ["letters"],
  });
}
