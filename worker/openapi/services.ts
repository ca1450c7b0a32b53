/** The paths of services: one for each function, with its refusals as typed 409 answers, and one to send it a message. */
import { type Allow, everyone } from "../../sdk/caller.ts";
import type { FunctionContract } from "../../sdk/contract.ts";
import type { Schema } from "../../sdk/schema.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { REFUSAL_STATUS, refusalProblem, type ProblemType } from "../../sdk/problems.ts";
import { sendPath } from "./messages.ts";
import { parameter, problems, success } from "./responses.ts";
import { bodyOf, type JsonSchema, orNothing, type Reference, type SchemaTable, takesNothing } from "./schemas.ts";

const CALL_PROBLEMS: readonly ProblemType[] = [
  "malformed-json",
  "invalid-key",
  "key-too-large",
  "invalid-input",
  "invalid-output",
  "transaction-aborted",
];
const POST_PROBLEMS: readonly ProblemType[] = [
  ...CALL_PROBLEMS,
  "invalid-idempotency-key",
  "idempotency-conflict",
  "body-incomplete",
  "body-too-large",
  "unsupported-media-type",
];

/** What ids of other operations, and names of other schemas, begin with: a service that is called so is told from them. */
const TAKEN = new Set(["saga", "stream", "view", "messages", "deadLetters", "flows", "promise"]);

interface Described {
  readonly service: string;
  readonly schemas: SchemaTable;
  readonly input: Reference | undefined;
  readonly body: object;
  /** In the place of the document's, for what is public. */
  readonly security: object;
}

/** Path items of one service. */
export function servicePaths({ contract, allow }: ServiceDefinition, schemas: SchemaTable): Record<string, unknown> {
  const paths: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(contract.functions)) {
    // No name of a service has a `_`.
    const id = `${TAKEN.has(contract.name) ? "service_" : ""}${contract.name}.${name}`;
    const path = `/v1/services/${contract.name}/{key}/${name}`;
    const input = declared.input && schemas.addUser(`${id}.input`, declared.input, "input");
    const body = declared.input && input ? { requestBody: bodyOf(declared.input, input) } : {};
    const security = securityOf(allow[name]);
    paths[path] = functionPath(id, declared, { service: contract.name, schemas, input, body, security });
    if (declared.kind === "fn") paths[`${path}/send`] = sendPath(contract.name, id, body, security);
  }
  return paths;
}

/** A public operation takes callers without a credential, and with one. */
function securityOf(rule: Allow | undefined): object {
  return rule === everyone ? { security: [{}, { bearer: [] }] } : {};
}

function functionPath(id: string, declared: FunctionContract, described: Described): unknown {
  const { service, schemas, body, security } = described;
  const output = declared.output ? resultOf(`${id}.output`, declared.output, schemas) : { type: "null" };
  const answered = { 200: success(output, "The result."), ...refusals(service, id, declared, schemas) };
  const post = {
    operationId: id,
    tags: [service],
    ...security,
    parameters: [parameter("IdempotencyKey")],
    ...body,
    responses: { ...problems(POST_PROBLEMS), ...answered },
  };
  const item = { parameters: [parameter("Key")], post };
  return declared.kind === "query" ? { ...item, get: getOperation(id, declared, described, answered) } : item;
}

function resultOf(name: string, schema: Schema, schemas: SchemaTable): Reference | JsonSchema {
  return orNothing(schema, schemas.addUser(name, schema, "output"));
}

function getOperation(
  id: string,
  declared: FunctionContract,
  { service, input, security }: Described,
  answered: object,
): unknown {
  const required = declared.input !== undefined && !takesNothing(declared.input);
  const content = { "application/json": { schema: input } };
  const inputParameter = { name: "input", in: "query", required, content };
  return {
    operationId: `${id}.get`,
    tags: [service],
    ...security,
    parameters: [parameter("Consistency"), parameter("NotBefore"), ...(input ? [inputParameter] : [])],
    responses: { ...problems([...CALL_PROBLEMS, "invalid-parameter", "body-too-large"]), ...answered },
  };
}

/** The 409 answer, when refusals are declared. */
function refusals(service: string, id: string, declared: FunctionContract, schemas: SchemaTable): object {
  const oneOf = Object.entries(declared.refusals).map(([refusal, schema]) => {
    const data = resultOf(`${id}.refusal.${refusal}`, schema, schemas);
    const { type, title, status } = refusalProblem(service, refusal, null);
    return {
      type: "object",
      properties: { type: { const: type }, title: { const: title }, status: { const: status }, data },
      required: ["type", "title", "status", "data"],
    };
  });
  if (oneOf.length === 0) return {};
  return {
    [REFUSAL_STATUS]: {
      description: "A declared refusal.",
      content: { "application/problem+json": { schema: { oneOf } } },
    },
  };
}
