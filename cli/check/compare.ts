/** Whether clients of a deployed app go on working with another one: two OpenAPI documents, compared operation by operation. */
import { gaps, type JsonSchema, type Placed, pointed } from "./subset.ts";

/** What would break, and for whom. */
export interface Break {
  /** Such as `POST /v1/services/account/{key}/deposit`. */
  readonly operation: string;
  readonly what: string;
}

type Members = Readonly<Record<string, unknown>>;
/** A document from this version on says whether an input may be left out, that a result may be nothing, and what events are when they are read. */
const SAYS_ALL = 2;
const METHODS = ["get", "post", "put", "delete", "patch"];

/**
 * @param deployed the document that clients were made for
 * @param next of the code that is to take its place
 */
export function compare(deployed: unknown, next: unknown): Break[] {
  // What an older engine's document leaves out is no change: it is not looked at in the other one either.
  const saysAll = [deployed, next].every((one) => Number(membersOf(one)["x-tidegate-document"]) >= SAYS_ALL);
  const pair = { deployed, next, saysAll };
  return operationsOf(deployed).flatMap(({ name, operation }) => {
    const other = operationsOf(next).find((one) => one.name === name)?.operation;
    const told = (what: string): Break => ({ operation: name, what });
    if (other === undefined) return [told("is not there any more")];
    return [...inputs(operation, other, pair), ...outputs(operation, other, pair)].map(told);
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

interface Documents {
  readonly deployed: unknown;
  readonly next: unknown;
  readonly saysAll: boolean;
}

/** What clients send must be taken: the next schema takes all that the deployed one takes. */
function inputs(before: Members, now: Members, { deployed, next, saysAll }: Documents): string[] {
  const found: string[] = [];
  const [had, has] = [inputsOf(before), inputsOf(now)];
  for (const [kind, { schema, isRequired }] of has) {
    const known = had.get(kind);
    if (known === undefined) {
      found.push(`takes ${kind} now`);
      continue;
    }
    if (saysAll && isRequired && !known.isRequired) found.push(`${kind} must be there now`);
    const mayLeadNowhere = !saysAll;
    const taken = { schema, document: next, mayLeadNowhere };
    const lost = gaps(taken, { schema: known.schema, document: deployed, mayLeadNowhere });
    found.push(...lost.map((gap) => `${kind}: ${gap}`));
  }
  for (const kind of had.keys()) if (!has.has(kind)) found.push(`takes no ${kind} any more`);
  return found;
}

interface Input {
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

function inputsOf(operation: Members): Map<string, Input> {
  const found = new Map<string, Input>();
  const body = membersOf(operation["requestBody"]);
  for (const [type, content] of Object.entries(membersOf(body["content"]))) {
    const schema = membersOf(membersOf(content)["schema"]);
    const line = (schema["x-line-schema"] ?? schema) as JsonSchema;
    found.set(`a body of ${type}`, { schema: line, isRequired: body["required"] === true });
  }
  for (const one of Array.isArray(operation["parameters"]) ? operation["parameters"] : []) {
    const { name, required, content } = membersOf(one) as { name?: string; required?: boolean; content?: Members };
    const schema = membersOf(content?.["application/json"])["schema"];
    if (name === undefined || schema === undefined) continue;
    found.set(`?${name}=`, { schema: schema as JsonSchema, isRequired: required === true });
  }
  return found;
}

/** What clients are told must be what they know: the deployed schema takes all that the next one yields. */
function outputs(before: Members, now: Members, { deployed, next, saysAll }: Documents): string[] {
  const said = (placed: Placed): Placed => (saysAll ? placed : { ...withoutNothing(placed), mayLeadNowhere: true });
  const [had, has] = [resultOf(before, deployed), resultOf(now, next)];
  // An older one shows events there as they are sent.
  const isTold = saysAll || !/^stream\..*\.read$/.test(String(now["operationId"]));
  const found =
    had && has && isTold ? gaps({ ...said(had), known: true }, said(has)).map((gap) => `the result: ${gap}`) : [];
  const [known, told] = [refusalsOf(before, deployed), refusalsOf(now, next)];
  for (const [type, data] of told) {
    const earlier = known.get(type);
    if (earlier === undefined) found.push(`may refuse with ${type} now, which clients do not know`);
    else found.push(...gaps({ ...said(earlier), known: true }, said(data)).map((gap) => `the data of ${type}: ${gap}`));
  }
  return found;
}

/** As an older engine writes it: that nothing at all is a result, too, stands in the place of the reference to the app's own schema. */
function withoutNothing({ schema, document }: Placed): Placed {
  const [own, nothing, ...more] = (membersOf(schema)["anyOf"] ?? []) as readonly JsonSchema[];
  const isAdded =
    typeof membersOf(own)["$ref"] === "string" && membersOf(nothing)["type"] === "null" && more.length === 0;
  return { schema: isAdded ? (own as JsonSchema) : schema, document };
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
