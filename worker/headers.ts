/** The headers of every answer: nothing is cached or sniffed, and a caller's trace goes back to it. */

export const JSON_TYPE = "application/json";
export const NDJSON_TYPE = "application/x-ndjson";
export const PROBLEM_JSON = "application/problem+json";

/** What the platform reads where the bytes of a header are no UTF-8. */
export const REPLACEMENT = "\uFFFD";

/** W3C Trace Context, section 3.2; version ff is forbidden, later versions may append fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{1,128})?$/;

/** A fresh object that the caller may add to. */
export function answerHeaders(request: Request, contentType: string): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": contentType,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    // What is answered is data: a browser that takes it for a page is to run nothing of it, and show it in no frame.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
  };
  const trace = request.headers.get("traceparent");
  if (trace !== null && TRACEPARENT.test(trace)) headers["traceparent"] = trace;
  return headers;
}
