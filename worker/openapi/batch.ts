/** The paths that every app has: the batch, liveness, and metrics. */
import { ndjson } from "./flows.ts";
import { parameter, problems } from "./responses.ts";
import type { SchemaTable } from "./schemas.ts";

/** Path items of `/v1/batch`, `/health` and `/metrics`. */
export function commonPaths(schemas: SchemaTable): Record<string, unknown> {
  return { "/v1/batch": { post: batchOperation(schemas) }, "/health": { get: HEALTH }, "/metrics": { get: METRICS } };
}

function batchOperation(schemas: SchemaTable): unknown {
  const line = schemas.add("BatchLine", {
    type: "object",
    properties: {
      service: { type: "string" },
      key: { type: "string", minLength: 1 },
      function: { type: "string" },
      input: {},
      id: {
        type: ["string", "integer"],
        description: "Its identity under the Idempotency-Key; by default its line number.",
      },
    },
    required: ["service", "key", "function"],
  });
  const result = schemas.add("BatchResult", {
    type: "object",
    description: "`result` with status 200, else `problem`.",
    properties: {
      line: { type: "integer", minimum: 1 },
      status: { type: "integer" },
      result: {},
      problem: { $ref: "#/components/schemas/Problem" },
      replayed: { const: true },
    },
    required: ["line", "status"],
  });
  return {
    operationId: "batch",
    tags: ["batch"],
    description: "Each line is a transaction of its own; lines with the same key run in order.",
    parameters: [
      parameter("IdempotencyKey"),
      {
        name: "ordered",
        in: "query",
        description: "Results in the order of the lines.",
        schema: { type: "string", enum: ["0", "1"] },
      },
    ],
    requestBody: { required: true, content: ndjson(line, "One invocation a line.") },
    responses: {
      ...problems([
        "body-incomplete",
        "body-too-large",
        "batch-too-large",
        "unsupported-media-type",
        "invalid-idempotency-key",
        "invalid-parameter",
      ]),
      200: { description: "One result a line, as they come.", content: ndjson(result, "One result a line.") },
    },
  };
}

const METRICS = {
  operationId: "metrics",
  tags: ["operations"],
  description: "For the owner, and static keys with the role `metrics`.",
  responses: {
    ...problems([]),
    200: {
      description: "What the objects count of themselves, in Prometheus' text format.",
      content: { "text/plain": { schema: { type: "string" } } },
    },
  },
};

const HEALTH = {
  operationId: "health",
  tags: ["operations"],
  security: [],
  responses: {
    200: {
      description: "The Worker runs.",
      content: {
        "application/json": {
          schema: { type: "object", properties: { status: { const: "ok" } }, required: ["status"] },
        },
      },
    },
  },
};
