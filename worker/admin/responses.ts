/** Answers of the administration that are JSON. */
import { answerHeaders, JSON_TYPE } from "../headers.ts";

export function jsonResponse(request: Request, value: object): Response {
  return new Response(JSON.stringify(value), { headers: answerHeaders(request, JSON_TYPE) });
}
