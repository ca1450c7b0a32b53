/** `/admin/partitions`: how many partitions there are, and a way to say how many there are to be. */
import { PARTITIONS_MAX } from "../../sdk/limits.ts";
import type { RescaleStatus } from "../../protocol/coordinator/rescaling.ts";
import { readBody, requireJson } from "../body.ts";
import { answerHeaders, JSON_TYPE } from "../headers.ts";
import { refuse } from "../problems.ts";
import type { AdminEdge } from "./edge.ts";

/** A number of partitions takes no more. */
const BODY_BYTES = 1_024;

/** How many there are, and how far a move is. */
export async function getPartitions({ backend, request }: AdminEdge): Promise<Response> {
  return statusResponse(request, 200, await backend.rescaleStatus());
}

/** `{"partitions": 8}`: key groups move from now on, while requests go on. 202 with what GET says. */
export async function postPartitions({ backend, request }: AdminEdge): Promise<Response> {
  requireJson(request);
  const partitions = partitionsOf(await readBody(request, BODY_BYTES));
  return statusResponse(request, 202, await backend.rescale(partitions));
}

function partitionsOf(body: Uint8Array): number {
  let named: unknown;
  try {
    named = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw refuse("malformed-json", "the body is not JSON");
  }
  const partitions = typeof named === "object" && named !== null ? Reflect.get(named, "partitions") : undefined;
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= PARTITIONS_MAX) return partitions as number;
  throw refuse("invalid-input", `send {"partitions": n} with a whole number from 1 to ${PARTITIONS_MAX}`);
}

function statusResponse(request: Request, status: number, shown: RescaleStatus): Response {
  return new Response(JSON.stringify(shown), { status, headers: answerHeaders(request, JSON_TYPE) });
}
