/** `/admin/partitions`: how many partitions there are, and a way to say how many there are to be. */
import { PARTITIONS_MAX } from "../../sdk/limits.ts";
import type { RescaleStatus } from "../../protocol/coordinator/rescaling.ts";
import { movesBetween, rescaledMap } from "../../protocol/keygroups/map.ts";
import { LIMITS as PROTOCOL_LIMITS } from "../../protocol/limits.ts";
import type { KeyGroupMap } from "../backend.ts";
import { readBody, requireJson } from "../body.ts";
import { answerHeaders, JSON_TYPE } from "../headers.ts";
import { figuresOf, observedMap } from "../metrics/figures.ts";
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
  await requireRoom(backend, partitions);
  return statusResponse(request, 202, await backend.rescale(partitions));
}

/**
 * Fewer partitions must have room for what all have, as far as that can be told: where it is not so they would wait for room in the midst of the move.
 * While key groups move it cannot be told: who gets some has a part of their rows already.
 */
async function requireRoom(backend: AdminEdge["backend"], partitions: number): Promise<void> {
  if (backend.observed === undefined || (await backend.rescaleStatus()).phase !== "still") return;
  const map = await observedMap(backend);
  if (partitions >= map.partitions) return;
  const figures = await figuresOf(backend.observed, map.partitions);
  const bytes = figures.partitions.map((each) => each?.databaseBytes ?? 0);
  const { maxDatabaseBytes } = PROTOCOL_LIMITS;
  for (const [partition, size] of bytesAfter(map, partitions, bytes).entries()) {
    // One that gets nothing is no fuller than before.
    if (size <= maxDatabaseBytes || size === bytes[partition]) continue;
    throw refuse(
      "no-room",
      `partition ${partition} would have some ${inGiB(size)} GiB, and takes ${inGiB(maxDatabaseBytes)}; nothing moves`,
    );
  }
}

/** Bytes of the partitions that are left. Of a partition's key groups each counts as much as another. */
function bytesAfter(map: KeyGroupMap, partitions: number, bytes: readonly number[]): number[] {
  const next = rescaledMap(map, partitions, map.version + 1);
  const after = bytes.slice(0, partitions);
  for (const [from, targets] of movesBetween(map, next)) {
    const groups = map.groups.filter((partition) => partition === from).length;
    for (const [to, moved] of targets) after[to] = (after[to] ?? 0) + ((bytes[from] ?? 0) * moved.size) / groups;
  }
  return after;
}

function inGiB(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
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
