/** The OpenAPI 3.1 document of an app, made from its contracts, streams and flows. */
import type { AppDefinition } from "../../sdk/app.ts";
import { commonPaths } from "./batch.ts";
import { streamPath, viewPaths } from "./flows.ts";
import { flowPaths } from "./flow-paths.ts";
import { flowStates } from "./flow-state.ts";
import { messagePaths } from "./messages.ts";
import { HEADERS, PARAMETERS, PROBLEM_SCHEMA } from "./responses.ts";
import { SchemaTable } from "./schemas.ts";
import { promisePaths, sagaPaths } from "./waiting.ts";
import { servicePaths } from "./services.ts";

/**
 * What the document says, for those that compare it with one of another version of the engine: from 2 on, whether an input may be left out,
 * that a result may be nothing, and what events of streams are when they are read.
 */
const DOCUMENT_VERSION = 2;

/** A plain object, ready for `JSON.stringify`; every `$ref` in it resolves inside it. */
export function openApiDocument(app: AppDefinition): Record<string, unknown> {
  const schemas = new SchemaTable();
  schemas.add("Problem", PROBLEM_SCHEMA);
  const paths: Record<string, unknown> = {};
  for (const service of app.services.values()) Object.assign(paths, servicePaths(service, schemas));
  for (const stream of app.streams.values())
    Object.assign(paths, streamPath(stream, app.kept.has(stream.name), schemas));
  for (const view of app.views.values()) Object.assign(paths, viewPaths(view, schemas));
  if (app.flows.size > 0) Object.assign(paths, flowPaths());
  Object.assign(paths, messagePaths(schemas));
  Object.assign(paths, promisePaths(schemas));
  for (const saga of app.sagas.values()) Object.assign(paths, sagaPaths(saga, schemas));
  Object.assign(paths, commonPaths(schemas));
  return {
    openapi: "3.1.1",
    info: { title: "Tidegate app", version: "1" },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths,
    "x-tidegate-document": DOCUMENT_VERSION,
    "x-tidegate-flows": flowStates(app),
    components: {
      schemas: schemas.all,
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "The secret TIDEGATE_TOKEN, a static key, or a token of the issuer.",
        },
      },
    },
  };
}
