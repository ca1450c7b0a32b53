/** `GET /openapi.json`: the app's description, made at the first request and kept. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { Endpoint } from "../edge.ts";
import { answerHeaders, JSON_TYPE } from "../headers.ts";
import { requireCredential } from "../door/rules.ts";
import { openApiDocument } from "./document.ts";

export function openApiEndpoint(app: AppDefinition): Endpoint {
  let text: string | undefined;
  return ({ request, caller }) => {
    requireCredential(caller);
    text ??= JSON.stringify(openApiDocument(app));
    return new Response(text, { headers: answerHeaders(request, JSON_TYPE) });
  };
}
