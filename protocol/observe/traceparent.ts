/** W3C Trace Context: what `traceparent` says, and how it is said. */

/** Version 00 of `traceparent` (W3C Trace Context, section 3.2). */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(?:-[!-~]{1,128})?$/;
const SAMPLED = 1;

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** What a `traceparent` says; undefined for one that is none. */
export function readTraceparent(text: string | null): TraceContext | undefined {
  const [matched, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(text ?? "") ?? [];
  if (matched === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function writeTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** Ids out of random UUIDs. */
export function newTraceId(uuid: string): string {
  return uuid.replaceAll("-", "");
}
export function newSpanId(uuid: string): string {
  return newTraceId(uuid).slice(-16);
}
