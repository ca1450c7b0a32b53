/** The paths of promises and sagas. */
import type { ProblemType } from "../../sdk/problems.ts";
import type { SagaDefinition } from "../../sdk/saga.ts";
import { parameter, problems, success } from "./responses.ts";
import { bodyOf, type SchemaTable } from "./schemas.ts";

const SETTLE_PROBLEMS: readonly ProblemType[] = [
  "malformed-json",
  "invalid-key",
  "key-too-large",
  "invalid-input",
  "invalid-idempotency-key",
  "idempotency-conflict",
  "body-incomplete",
  "body-too-large",
  "unsupported-media-type",
];

const ERROR = {
  type: "object",
  properties: { type: { type: "string" }, message: { type: "string" }, data: {} },
  required: ["type", "message"],
};
const TIME = { type: "integer", format: "int64", description: "Milliseconds since 1970." };

/** Path items of `/v1/promises/{key}`. */
export function promisePaths(schemas: SchemaTable): Record<string, unknown> {
  const view = schemas.add("Promise", {
    type: "object",
    properties: {
      id: { type: "string" },
      status: { type: "string", enum: ["pending", "resolved", "rejected", "expired"] },
      deadline: { oneOf: [TIME, { type: "null" }] },
      value: {},
      error: ERROR,
    },
    required: ["id", "status", "deadline"],
  });
  const post = (operationId: string, description: string) => ({
    operationId,
    tags: ["promises"],
    description,
    parameters: [parameter("IdempotencyKey")],
    requestBody: { required: false, content: { "application/json": { schema: {} } } },
    responses: {
      ...problems([...SETTLE_PROBLEMS, "unknown-promise", "promise-settled"]),
      200: success(view, "It is settled."),
    },
  });
  const get = {
    operationId: "promise",
    tags: ["promises"],
    responses: {
      ...problems(["invalid-key", "key-too-large", "unknown-promise"]),
      200: success(view, "How far it is."),
    },
  };
  const resolve = post("promise.resolve", "Resolves the promise with the body. The first event counts.");
  const reject = post("promise.reject", "Rejects the promise, with the body as the reason.");
  return {
    "/v1/promises/{key}": { parameters: [parameter("Key")], get, post: resolve },
    "/v1/promises/{key}/reject": { parameters: [parameter("Key")], post: reject },
  };
}

/** Path items of one saga. */
export function sagaPaths({ name, input }: SagaDefinition, schemas: SchemaTable): Record<string, unknown> {
  const given = input && { requestBody: bodyOf(input, schemas.addUser(`saga.${name}.input`, input, "input")) };
  const view = schemas.add(`saga.${name}`, {
    type: "object",
    properties: {
      saga: { const: name },
      id: { type: "string" },
      status: { type: "string", enum: ["running", "compensating", "completed", "compensated", "stuck"] },
      step: { type: ["string", "null"] },
      waiting: { type: ["string", "null"], enum: ["effect", "promise", "delay", "retry", null] },
      promise: { type: "string", description: "Id of the promise that it waits for." },
      results: { type: "object", description: "By step." },
      failure: { ...ERROR, description: "Why it does not complete." },
      trouble: { ...ERROR, description: "The last error of a compensation." },
      startedAt: TIME,
      endedAt: { oneOf: [TIME, { type: "null" }] },
    },
    required: ["saga", "id", "status", "step", "waiting", "results", "startedAt", "endedAt"],
  });
  const path = `/v1/sagas/${name}/{key}`;
  const act = (operation: string, description: string, extra: readonly ProblemType[], body = {}) => ({
    operationId: `saga.${name}.${operation}`,
    tags: ["sagas"],
    description,
    parameters: [parameter("IdempotencyKey")],
    ...body,
    responses: { ...problems([...SETTLE_PROBLEMS, ...extra]), 200: success(view, "How far it is.") },
  });
  const get = {
    operationId: `saga.${name}.status`,
    tags: ["sagas"],
    responses: { ...problems(["invalid-key", "key-too-large", "unknown-saga"]), 200: success(view, "How far it is.") },
  };
  const cancel = (operation: string) => act(operation, "Makes up for what is done.", ["unknown-saga", "saga-ended"]);
  const parameters = [parameter("Key")];
  return {
    [path]: {
      parameters,
      get,
      post: act("start", "Starts it, once.", ["saga-exists"], given),
      delete: cancel("delete"),
    },
    [`${path}/cancel`]: { parameters, post: cancel("cancel") },
    [`${path}/retry`]: { parameters, post: act("retry", "Tries again what is stuck.", ["unknown-saga"]) },
  };
}
