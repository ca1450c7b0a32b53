/** Whether clients of a deployed app go on working with another one: two OpenAPI documents, compared operation by operation. */
import { gaps, type JsonSchema, type Placed, pointed } from "./subset.ts";

/** What would break, and for whom. */
export interface Break {
  /** Such as `POST /v1/services/account/{key}/deposit`. */
  readonly operation: string;
  readonly what: string;
}

type Members = Readonly<Record<string, unknown>>;
const METHODS = ["get", "post", "put", "delete", "patch"];

/**
 * @param deployed the document that clients were made for
 * @param next of the code that is to take its place
 */
export function compare(deployed: unknown, next: unknown): Break[] {
  return operationsOf(deployed).flatMap(({ name, operation }) => {
    const other = operationsOf(next).find((one) => one.name === name)?.operation;
    const told = (what: string): Break => ({ operation: name, what });
    if (other === undefined) return [told("is not there any more")];
    return [...inputs(operation, other, deployed, next), ...outputs(operation, other, deployed, next)].map(told);
  });
}

/** Names of operations that only the second document has. */
export function added(deployed: unknown, next: unknown): string[] {
  const known = new Set(operationsOf(deployed).map(({ name }) => name));
  return operationsOf(next)
    .map(({ name }) => name)
    .filter((name) => !known.has(name));
}

interface Named {
  readonly name: string;
  readonly operation: Members;
}

function operationsOf(document: unknown): Named[] {
  return Object.entries(membersOf(membersOf(document)["paths"])).flatMap(([path, item]) =>
    METHODS.filter((method) => Object.hasOwn(membersOf(item), method)).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation: membersOf(membersOf(item)[method]),
    })),
  );
}

/** What clients send must be taken: the next schema takes all that the deployed one takes. */
function inputs(before: Members, now: Members, deployed: unknown, next: unknown): string[] {
  const found: string[] = [];
  const [had, has] = [inputSchemas(before), inputSchemas(now)];
  for (const [kind, schema] of has) {
    const known = had.get(kind);
    if (known === undefined) found.push(`takes ${kind} now`);
    else
      found.push(
        ...gaps({ schema, document: next }, { schema: known, document: deployed }).map((gap) => `${kind}: ${gap}`),
      );
  }
  for (const kind of had.keys()) if (!has.has(kind)) found.push(`takes no ${kind} any more`);
  return found;
}

function inputSchemas(operation: Members): Map<string, JsonSchema> {
  const schemas = new Map<string, JsonSchema>();
  for (const [type, content] of Object.entries(membersOf(membersOf(operation["requestBody"])["content"]))) {
    const schema = membersOf(membersOf(content)["schema"]);
    schemas.set(`a body of ${type}`, (schema["x-line-schema"] ?? schema) as JsonSchema);
  }
  for (const one of Array.isArray(operation["parameters"]) ? operation["parameters"] : []) {
    const { name, content } = membersOf(one) as { name?: string; content?: Members };
    const schema = membersOf(content?.["application/json"])["schema"];
    if (name !== undefined && schema !== undefined) schemas.set(`?${name}=`, schema as JsonSchema);
  }
  return schemas;
}

/** What clients are told must be what they know: the deployed schema takes all that the next one yields. */
function outputs(before: Members, now: Members, deployed: unknown, next: unknown): string[] {
  const [had, has] = [resultOf(before, deployed), resultOf(now, next)];
  const found = had && has ? gaps({ ...had, known: true }, has).map((gap) => `the result: ${gap}`) : [];
  const [known, told] = [refusalsOf(before, deployed), refusalsOf(now, next)];
  for (const [type, data] of told) {
    const earlier = known.get(type);
    if (earlier === undefined) found.push(`may refuse with ${type} now, which clients do not know`);
    else found.push(...gaps({ ...earlier, known: true }, data).map((gap) => `the data of ${type}: ${gap}`));
  }
  return found;
}

function resultOf(operation: Members, document: unknown): Placed | undefined {
  return answerOf(operation, "200", "application/json", document);
}

function answerOf(operation: Members, status: string, type: string, document: unknown): Placed | undefined {
  let answer = membersOf(membersOf(operation["responses"])[status]);
  if (typeof answer["$ref"] === "string") answer = membersOf(pointed(document, answer["$ref"].slice(1)));
  const schema = membersOf(membersOf(answer["content"])[type])["schema"];
  return schema === undefined ? undefined : { schema: schema as JsonSchema, document };
}

/** Declared refusals by their problem type, with the schemas of their data. */
function refusalsOf(operation: Members, document: unknown): Map<string, Placed> {
  const schema = answerOf(operation, "409", "application/problem+json", document)?.schema;
  const all = membersOf(schema)["oneOf"];
  return new Map(
    (Array.isArray(all) ? all : []).flatMap((one: unknown) => {
      const properties = membersOf(membersOf(one)["properties"]);
      const type = membersOf(properties["type"])["const"];
      return typeof type === "string" ? [[type, { schema: properties["data"] as JsonSchema, document }] as const] : [];
    }),
  );
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}
