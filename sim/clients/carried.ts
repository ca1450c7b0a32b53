/** Requests on their way to one partition: invocations go in one frame, a batch of events and a question to a kernel's view each by itself. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { ViewReply } from "../../protocol/partition/effects.ts";
import { envelopeOf } from "../flows/asks.ts";
import type { RequestInput } from "../world/partition-instance.ts";
import { type Answer, decodeAnswers, encodeRows } from "./frames.ts";
import type { Request } from "./ledger.ts";

export interface Carried {
  readonly requests: readonly Request[];
  readonly input: RequestInput;
}

/** Rows that a view shows at most. */
const VIEW_ROWS = 5_000;

export function carriedBy(kernels: Kernels, requests: readonly Request[]): Carried[] {
  const carried: Carried[] = [];
  const invoked: Request[] = [];
  for (const request of requests) {
    const { ask } = request.transaction;
    if (ask.kind === "events") {
      const frame = envelopeOf(kernels, request.row, ask);
      carried.push({ requests: [request], input: (ticket) => ({ kind: "ingest", ticket, frame }) });
    } else if (ask.kind === "kernel-view") {
      const query = { view: "kernel", key: undefined, limit: VIEW_ROWS, after: undefined };
      carried.push({ requests: [request], input: (ticket) => ({ kind: "view", ticket, query }) });
    } else invoked.push(request);
  }
  if (invoked.length === 0) return carried;
  const frame = encodeRows(
    kernels,
    invoked.map(({ row }) => row),
  );
  return [{ requests: invoked, input: (ticket) => ({ kind: "invoke", ticket, frame }) }, ...carried];
}

export function answersOf(kernels: Kernels, body: Uint8Array | ViewReply): Answer[] {
  if (body instanceof Uint8Array) return decodeAnswers(kernels, body);
  const { status, body: text, staleMap = false } = body;
  return [{ line: 1, status, retryable: status === 503, body: text, staleMap }];
}
