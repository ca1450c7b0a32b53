/** The paths of what flows have set aside. */
import { LIMITS } from "../limits.ts";
import { parameter, problems, success } from "./responses.ts";

const FLOW = { name: "flow", in: "path", required: true, schema: { type: "string" } };
const NUMBER = {
  name: "number",
  in: "path",
  required: true,
  description: "`id` of a dead letter.",
  schema: { type: "integer", minimum: 0 },
};
const PAGE = {
  type: "object",
  properties: {
    events: {
      type: "array",
      items: {
        type: "object",
        properties: { id: { type: "integer" }, event: { type: "object" } },
        required: ["id", "event"],
      },
    },
    end: { type: "integer", description: "The id that the next one will have." },
  },
  required: ["events", "end"],
};

/** Path items of `/v1/flows/{flow}/late` and `/v1/flows/{flow}/dead-letters`. */
export function flowLetterPaths(): Record<string, unknown> {
  const list = (operationId: string, description: string): unknown => ({
    operationId,
    tags: ["flows"],
    description,
    parameters: [
      { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: LIMITS.eventsPerPage } },
      {
        name: "after",
        in: "query",
        description: "The last id that is known.",
        schema: { type: "integer", minimum: -1 },
      },
    ],
    responses: { ...problems(["unknown-flow", "invalid-parameter"]), 200: success(PAGE, "A page of them.") },
  });
  const act = (operationId: string, description: string, member: string): unknown => ({
    operationId,
    tags: ["flows"],
    description,
    parameters: [parameter("IdempotencyKey")],
    responses: {
      ...problems(["unknown-flow", "unknown-message", "flow-changed", "invalid-event", "invalid-idempotency-key"]),
      200: success(
        { type: "object", properties: { [member]: { const: true } }, required: [member] },
        "It is done, once.",
      ),
    },
  });
  const letter = "/v1/flows/{flow}/dead-letters/{number}";
  return {
    "/v1/flows/{flow}/late": {
      parameters: [FLOW],
      get: list("flows.late", "Events that came too late for a flow, oldest first."),
    },
    "/v1/flows/{flow}/dead-letters": {
      parameters: [FLOW],
      get: list("flows.deadLetters", "Events that an end of a flow did not take, oldest first."),
    },
    [letter]: { parameters: [FLOW, NUMBER], delete: act("flows.deadLetters.delete", "Deletes one.", "deleted") },
    [`${letter}/redrive`]: {
      parameters: [FLOW, NUMBER],
      post: act("flows.deadLetters.redrive", "Gives one to its end again and takes it from the list.", "redriven"),
    },
  };
}
