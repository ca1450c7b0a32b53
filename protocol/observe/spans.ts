/** Traces for others: OpenTelemetry spans, in the JSON encoding of OTLP over HTTP. */
import type { RecentTransaction } from "./observer.ts";
import { readTraceparent } from "./traceparent.ts";

/** OpenTelemetry's numbers. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS = { ok: 1, error: 2 } as const;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: number;
  /** ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly ok: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events?: ReadonlyArray<{ readonly name: string; readonly at: number }>;
}

/**
 * The spans of a traced transaction: itself, the calls that its functions made, and its epoch. Calls made by functions on other partitions are within the
 * span of the call that led there.
 * @param newId makes span ids
 */
export function spansOf(transaction: RecentTransaction, partition: number, newId: () => string): Span[] {
  const { trace, service, key, at, endedAt, status, epoch, attempts } = transaction;
  const context = readTraceparent(trace?.traceparent ?? null);
  if (trace === null || context === undefined) return [];
  const { traceId } = context;
  const own = newId();
  const root: Span = {
    traceId,
    spanId: own,
    parentId: context.spanId,
    name: `${service}.${transaction.function}`,
    kind: SPAN_KIND.internal,
    startedAt: at,
    endedAt,
    // A refusal is an answer.
    ok: status < 500,
    attributes: {
      "tidegate.transaction": transaction.id,
      "tidegate.service": service,
      "tidegate.key": key,
      "tidegate.function": transaction.function,
      "tidegate.partition": partition,
      "tidegate.attempts": attempts,
      "tidegate.status": status,
      ...(trace.dropped > 0 ? { "tidegate.calls_dropped": trace.dropped } : {}),
    },
    ...(trace.startedAt > 0 ? { events: [{ name: "started", at: trace.startedAt }] } : {}),
  };
  const ids = trace.calls.map(newId);
  const calls = trace.calls.map((call, index): Span => {
    return {
      traceId,
      spanId: ids[index] as string,
      parentId: call.parent === null ? own : ids[call.parent],
      name: `${call.service}.${call.function}`,
      kind: call.partition === null ? SPAN_KIND.internal : SPAN_KIND.client,
      startedAt: call.startedAt,
      endedAt: call.endedAt === 0 ? endedAt : call.endedAt,
      ok: call.ok,
      attributes: {
        "tidegate.service": call.service,
        "tidegate.key": call.key,
        "tidegate.function": call.function,
        "tidegate.partition": call.partition ?? partition,
        "tidegate.attempt": call.attempt,
      },
    };
  });
  return [root, ...calls, ...(epoch === 0 ? [] : [epochSpan(transaction, traceId, own, newId())])];
}

function epochSpan(
  { trace, epoch, endedAt }: RecentTransaction,
  traceId: string,
  parentId: string,
  spanId: string,
): Span {
  const { taggedAt = endedAt, preparedAt = 0 } = trace ?? {};
  return {
    traceId,
    spanId,
    parentId,
    name: "epoch",
    kind: SPAN_KIND.internal,
    startedAt: taggedAt,
    endedAt,
    ok: true,
    attributes: { "tidegate.epoch": String(epoch) },
    ...(preparedAt > 0 ? { events: [{ name: "prepared", at: preparedAt }] } : {}),
  };
}

/** The body of an export (OpenTelemetry protocol 1.5, JSON): ids in hex, times in nanoseconds as decimal text. */
export function otlpBody(spans: readonly Span[], serviceName: string): string {
  const resource = { attributes: attributesOf({ "service.name": serviceName }) };
  const scopeSpans = [{ scope: { name: "tidegate" }, spans: spans.map(otlpSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] });
}

function otlpSpan(span: Span): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === undefined ? {} : { parentSpanId: span.parentId }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanoseconds(span.startedAt),
    endTimeUnixNano: nanoseconds(Math.max(span.endedAt, span.startedAt)),
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name, at }) => ({ name, timeUnixNano: nanoseconds(at) })),
    status: span.ok ? { code: STATUS.ok } : { code: STATUS.error },
  };
}

function nanoseconds(ms: number): string {
  return `${Math.floor(ms)}000000`;
}

function attributesOf(attributes: Span["attributes"]): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
