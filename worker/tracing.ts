/** Requests that are traced: the edge's span of each, and the context that goes on to the partition. Nearly all are not. */
import { otlpBody, type Span, SPAN_KIND } from "../protocol/observe/spans.ts";
import type { Telemetry } from "../protocol/observe/telemetry.ts";
import { newSpanId, newTraceId, readTraceparent, writeTraceparent } from "../protocol/observe/traceparent.ts";
import type { Caller } from "../sdk/caller.ts";
import type { Backend } from "./backend.ts";
import { LIMITS } from "./limits.ts";

type EdgeSpan = Pick<Span, "traceId" | "spanId" | "parentId" | "name" | "startedAt">;

export class EdgeTrace {
  /** What the partition is told: its spans are within the edge's. */
  readonly traceparent: string;
  readonly #span: EdgeSpan;

  constructor(span: EdgeSpan) {
    this.#span = span;
    this.traceparent = writeTraceparent({ ...span, sampled: true });
  }

  /** The request is answered. */
  ended(status: number, backend: Backend): void {
    backend.tracing?.send([
      {
        ...this.#span,
        kind: SPAN_KIND.server,
        endedAt: backend.now(),
        ok: status < 500,
        attributes: { "http.response.status_code": status },
      },
    ]);
  }
}

/**
 * The trace of a request, if it has one: because the owner's request says that it is sampled, or by chance. What others say of sampling is not believed,
 * since traces cost; the trace id of a request is kept whoever sends it.
 */
export function traceOf(request: Request, caller: Caller, backend: Backend): EdgeTrace | undefined {
  const header = request.headers.get("traceparent");
  const ratio = backend.tracing?.ratio ?? 0;
  if (header === null && ratio === 0) return undefined;
  const parent = readTraceparent(header);
  const isAsked = caller.kind === "owner" && parent?.sampled === true;
  if (!isAsked && !(ratio > 0 && Math.random() < ratio)) return undefined;
  return new EdgeTrace({
    traceId: parent?.traceId ?? newTraceId(backend.uuid()),
    spanId: newSpanId(backend.uuid()),
    parentId: parent?.spanId,
    name: request.method,
    startedAt: backend.now(),
  });
}

/** What a collector does not take is dropped. Does not reject. */
export async function sendSpans({ url, headers, serviceName }: Telemetry, spans: readonly Span[]): Promise<void> {
  try {
    const signal = AbortSignal.timeout(LIMITS.collectorTimeoutMs);
    const response = await fetch(url, { method: "POST", headers, body: otlpBody(spans, serviceName), signal });
    await response.body?.cancel();
  } catch (error) {
    console.warn({ message: "spans were not taken by the collector", error: String(error) });
  }
}
