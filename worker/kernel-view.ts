/** Views of flows that the window kernel runs whole: the partition of their stream answers from the kernel's own state. */
import { ANSWER_FLAG } from "../protocol/wire/answer.ts";
import type { WindowedFlow } from "../sdk/flow.ts";
import type { ViewAnswer, ViewQuery } from "./backend.ts";
import type { Edge } from "./edge.ts";
import { partitionOf } from "./keys.ts";
import { LIMITS } from "./limits.ts";
import { ResendError, withRetries } from "./retries.ts";

export function kernelView(
  { backend, startedAt }: Pick<Edge, "backend" | "startedAt">,
  { stream }: WindowedFlow,
  query: ViewQuery,
): Promise<ViewAnswer> {
  return withRetries(backend, startedAt + LIMITS.requestDeadlineMs, async () => {
    const map = await backend.keyGroupMap();
    const port = backend.partition(partitionOf(backend.kernels(), map, stream.name));
    const found = await port.view(query);
    if (found.staleMap === true) throw new ResendError("stale-map", { ...found, line: 1, flags: ANSWER_FLAG.staleMap });
    return found;
  });
}

interface Told extends Readonly<Record<"watermark" | "events" | "late" | "batches", number | null>> {
  readonly type?: string;
  readonly drops?: readonly string[];
}

/** How far such a flow has come, in the form that flows of operators have. */
export async function kernelStatus(
  edge: Pick<Edge, "backend" | "startedAt">,
  flow: WindowedFlow,
): Promise<Pick<ViewAnswer, "status" | "body" | "epoch">> {
  const answer = await kernelView(edge, flow, { view: flow.view, key: undefined, limit: 0, after: undefined });
  const told = JSON.parse(answer.body) as Told;
  const isChanged = told.type === "/problems/flow-changed";
  if (answer.status !== 200 && !isChanged) return answer;
  const { watermark, events, late, batches, drops = [] } = told;
  const watermarks = { window: watermark };
  const status = { events, batches, late, deadLetters: 0, sources: {}, watermarks, sinks: {}, drops };
  return { ...answer, status: 200, body: JSON.stringify(status) };
}
