/** The paths of flows, and of what they have set aside. */
import { eventsPage, PAGE_PARAMETERS } from "./events-page.ts";
import { parameter, problems, success } from "./responses.ts";

const FLOW = { name: "flow", in: "path", required: true, schema: { type: "string" } };
const NUMBER = {
  name: "number",
  in: "path",
  required: true,
  description: "`id` of a dead letter.",
  schema: { type: "integer", minimum: 0 },
};
/** Path items of `/v1/flows/{flow}`, and of what is under it. */
export function flowPaths(): Record<string, unknown> {
  const list = (operationId: string, description: string): unknown => ({
    operationId,
    tags: ["flows"],
    description,
    parameters: PAGE_PARAMETERS,
    responses: {
      ...problems(["unknown-flow", "invalid-parameter"]),
      200: success(eventsPage({ type: "object" }), "A page of them."),
    },
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
  const explain = {
    operationId: "flows.explain",
    tags: ["flows"],
    description: "The operators of a flow, where each runs, and how far it has come.",
    parameters: [parameter("Consistency")],
    responses: { ...problems(["unknown-flow"]), 200: success({ type: "object" }, "The flow and its status.") },
  };
  return {
    "/v1/flows/{flow}": { parameters: [FLOW], get: explain },
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
