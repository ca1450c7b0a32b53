/** The paths of streams and views, with the schemas of their events and rows. */
import type { ViewDefinition } from "../../sdk/app.ts";
import type { FlowOutput } from "../../sdk/flow.ts";
import type { AnyField, FieldKind, StreamDefinition } from "../../sdk/stream.ts";
import { pathOf } from "../../sdk/stream-paths.ts";
import { LIMITS } from "../limits.ts";
import { eventsPage, PAGE_PARAMETERS } from "./events-page.ts";
import { parameter, problems, success } from "./responses.ts";
import type { JsonSchema, Reference, SchemaTable } from "./schemas.ts";

const FIELD_SCHEMAS: Readonly<Record<FieldKind, JsonSchema>> = {
  int64: { type: "integer", format: "int64" },
  float64: { type: "number", format: "double" },
  text: { type: "string" },
  timestamp: { type: "integer", format: "int64", description: "Milliseconds since 1970." },
  boolean: { type: "boolean" },
};

function fieldSchema({ kind, optional }: AnyField): JsonSchema {
  const schema = FIELD_SCHEMAS[kind];
  return optional === true ? { ...schema, type: [schema["type"], "null"] } : schema;
}

interface Member {
  readonly path: readonly string[];
  readonly field: AnyField;
}

/** An event of a stream, with the objects that its nested fields are in. */
function eventSchema({ fields, columns }: StreamDefinition): JsonSchema {
  return objectSchema(columns.map((column) => ({ path: pathOf(column), field: fields[column.name] as AnyField })));
}

/** An event as it is read: by the names of its fields, wherever they were. */
function keptSchema({ fields }: StreamDefinition): JsonSchema {
  return {
    type: "object",
    description: "By the names of fields. One that the stream has got later is null in events from before.",
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldSchema(field)])),
    required: Object.keys(fields),
  };
}

function objectSchema(members: readonly Member[]): JsonSchema {
  const byName = [...Map.groupBy(members, ({ path }) => path[0] as string)];
  const required = byName.filter(([, inside]) => inside.some(({ field }) => field.optional !== true));
  return {
    type: "object",
    properties: Object.fromEntries(byName.map(([name, inside]) => [name, memberSchema(inside)])),
    required: required.map(([name]) => name),
  };
}

/** Of what is under one name: one field, or all that are in an object. */
function memberSchema(inside: readonly Member[]): JsonSchema {
  const [first] = inside as readonly [Member];
  if (first.path.length === 1) return fieldSchema(first.field);
  const object = objectSchema(inside.map(({ path, field }) => ({ path: path.slice(1), field })));
  return inside.every(({ field }) => field.optional === true) ? { ...object, type: ["object", "null"] } : object;
}

const ACCEPTED: JsonSchema = {
  type: "object",
  properties: {
    accepted: { type: "integer", description: "Events taken." },
    late: {
      type: "object",
      description: "By flow, also of flows behind those that read the stream: events that came too late.",
      additionalProperties: { type: "integer" },
    },
  },
  required: ["accepted", "late"],
};

/** Path item of one stream: its ingress and, where its events are kept, its readers. */
export function streamPath(stream: StreamDefinition, isKept: boolean, schemas: SchemaTable): Record<string, unknown> {
  const event = schemas.add(`stream.${stream.name}.event`, eventSchema(stream));
  const post = {
    operationId: `stream.${stream.name}`,
    tags: ["streams"],
    description: "A batch of events, taken whole or not at all.",
    parameters: [parameter("IdempotencyKey"), ...PRODUCER],
    requestBody: { required: true, content: { ...ndjson(event, "One event a line."), ...jsonContent(event) } },
    responses: {
      ...problems([
        "malformed-json",
        "invalid-event",
        "body-incomplete",
        "body-too-large",
        "unsupported-media-type",
        "invalid-idempotency-key",
        "idempotency-conflict",
        "invalid-sequence",
        "sequence-gap",
        "too-many-producers",
        "too-many-groups",
        "too-many-timers",
      ]),
      200: success(ACCEPTED, "The events are taken, durably."),
    },
  };
  return { [`/v1/streams/${stream.name}`]: { post, ...(isKept ? { get: readerOf(stream, schemas) } : {}) } };
}

function readerOf(stream: StreamDefinition, schemas: SchemaTable): Record<string, unknown> {
  const { name } = stream;
  const event = schemas.add(`stream.${name}.kept`, keptSchema(stream));
  const read = success(eventsPage(event), "Events as they come; with `Accept: application/json` a page of them.");
  const content = { "text/event-stream": { schema: { type: "string" } }, ...(read["content"] as object) };
  return {
    operationId: `stream.${name}.read`,
    tags: ["streams"],
    description: "Committed events, behind `Last-Event-ID` or `?after=`.",
    parameters: [
      ...PAGE_PARAMETERS,
      { name: "follow", in: "query", description: "0: it ends where no more is there.", schema: { enum: ["0", "1"] } },
    ],
    responses: { ...problems(["invalid-parameter", "not-found"]), 200: { ...read, content } },
  };
}

const PRODUCER = [
  {
    name: "Tidegate-Producer",
    in: "header",
    description: "Who numbers its batches instead of making an Idempotency-Key for each.",
    schema: { type: "string", minLength: 1, maxLength: LIMITS.producerChars },
  },
  {
    name: "Tidegate-Sequence",
    in: "header",
    description: "Number of the batch: 1 for the producer's first, then one more for each.",
    schema: { type: "integer", minimum: 1 },
  },
];

/** Events as JSON, and in the envelopes of CloudEvents 1.0. */
function jsonContent(event: Reference): Record<string, unknown> {
  const envelope = {
    type: "object",
    properties: {
      specversion: { const: "1.0" },
      id: { type: "string", minLength: 1 },
      source: { type: "string", minLength: 1 },
      type: { type: "string", minLength: 1 },
      data: event,
    },
    required: ["specversion", "id", "source", "type", "data"],
  };
  return {
    "application/json": { schema: { anyOf: [{ type: "array", items: event }, event] } },
    "application/cloudevents+json": { schema: envelope },
    "application/cloudevents-batch+json": { schema: { type: "array", items: envelope } },
  };
}

/** NDJSON content; OpenAPI 3.1 has no word for the schema of a line, so it goes into an extension. */
export function ndjson(line: Reference, description: string): Record<string, unknown> {
  return { "application/x-ndjson": { schema: { type: "string", description, "x-line-schema": line } } };
}

/** Path items of one flow's view: all rows, and those of one key. */
export function viewPaths(view: ViewDefinition, schemas: SchemaTable): Record<string, unknown> {
  const row = schemas.add(`view.${view.name}.row`, rowSchema(view));
  const page = {
    type: "object",
    properties: {
      rows: { type: "array", items: row },
      watermark: { description: "Windows that end at or before it are closed." },
      events: { type: "integer", description: "Events taken so far." },
      late: { type: "integer", description: "Events that came after their window had closed." },
      batches: { type: "integer" },
      next: { type: "string", description: "`?cursor=` of the next page, when there is one." },
    },
    required: ["rows"],
  };
  const get = (operationId: string) => ({
    operationId,
    tags: ["views"],
    parameters: [
      {
        name: "limit",
        in: "query",
        schema: { type: "integer", minimum: 1, maximum: LIMITS.viewRowsMax, default: LIMITS.viewRowsDefault },
      },
      { name: "cursor", in: "query", schema: { type: "string" } },
      {
        name: "top",
        in: "query",
        description: "A member of the rows that is a number: the rows with its greatest values, greatest first.",
        schema: { type: "string" },
      },
    ],
    responses: {
      ...problems(["invalid-parameter", "invalid-key", "key-too-large"]),
      200: success(page, "Rows, by window and key."),
    },
  });
  return {
    [`/v1/views/${view.name}`]: { get: get(`view.${view.name}`) },
    [`/v1/views/${view.name}/{key}`]: { parameters: [parameter("Key")], get: get(`view.${view.name}.key`) },
  };
}

function rowSchema({ sink }: ViewDefinition): JsonSchema {
  const { input, key, shape } = sink;
  const properties: Record<string, JsonSchema> = {};
  const lists = new Set(input.json);
  const field = (name: string): JsonSchema =>
    lists.has(name) ? { type: "array" } : fieldSchema(input.fields[name] as AnyField);
  if (shape === "plain") {
    for (const name of Object.keys(input.fields)) properties[name] = field(name);
    return { type: "object", properties, required: Object.keys(properties) };
  }
  const window = { start: FIELD_SCHEMAS.timestamp, end: FIELD_SCHEMAS.timestamp };
  const keys = key.map(field);
  properties["key"] = keys.length === 1 ? (keys[0] as JsonSchema) : { type: "array", prefixItems: keys };
  properties["window"] = { type: "object", properties: window, required: ["start", "end"] };
  const outputs: readonly FlowOutput[] = input.operator.kind === "aggregate" ? input.operator.outputs : [];
  for (const { name } of outputs) properties[name] = field(name);
  properties["final"] = { type: "boolean", description: "Whether the window is closed." };
  return { type: "object", properties, required: Object.keys(properties) };
}
