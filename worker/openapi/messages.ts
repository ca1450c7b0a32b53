/** The paths of messages: one for each function that may write. */
import type { ProblemType } from "../../sdk/problems.ts";
import { parameter, problems, success } from "./responses.ts";
import type { Reference } from "./schemas.ts";

const PROBLEMS: readonly ProblemType[] = [
  "malformed-json",
  "invalid-key",
  "key-too-large",
  "invalid-parameter",
  "invalid-idempotency-key",
  "idempotency-conflict",
  "body-too-large",
  "unsupported-media-type",
];

/** Path item of `…/{function}/send`. */
export function sendPath(service: string, id: string, input: Reference | undefined, security: object): unknown {
  const message = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  const post = {
    operationId: `${id}.send`,
    tags: [service],
    ...security,
    description:
      "Sends a message: answered once it is durable. It is delivered once, as a transaction of its own; its input is checked then.",
    parameters: [parameter("IdempotencyKey")],
    ...(input && { requestBody: { required: false, content: { "application/json": { schema: input } } } }),
    responses: { ...problems(PROBLEMS), 202: success(message, "The message is kept.") },
  };
  return { parameters: [parameter("Key")], post };
}
