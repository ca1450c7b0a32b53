/** Request bodies: their type, read into one buffer within a limit, and checked to be JSON. */
import type { Kernels } from "../core-wasm/types.ts";
import { Gathering } from "./gathering.ts";
import { ProblemError, refuse } from "./problems.ts";

const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const JSON_TYPES = ["application/json"];
export const NDJSON_TYPES: readonly string[] = ["application/x-ndjson", "application/ndjson", "text/plain"];

/** An invocation's body: JSON, or untyped. @throws ProblemError `unsupported-media-type` */
export function requireJson(request: Request): void {
  requireType(request, JSON_TYPES, "send application/json");
}

/** A body of one JSON text a line. @throws ProblemError `unsupported-media-type` */
export function requireNdjson(request: Request): void {
  requireType(request, NDJSON_TYPES, "send application/x-ndjson, one JSON object a line");
}

function requireType(request: Request, accepted: readonly string[], advice: string): void {
  const type = mediaType(request, advice);
  if (type === null || accepted.includes(type)) return;
  throw refuse("unsupported-media-type", `${JSON.stringify(type)} is not taken here; ${advice}`);
}

/** The media type of the body in lower case and without parameters; null when the request does not say. @throws ProblemError `unsupported-media-type` for a compressed body */
export function mediaType(request: Request, advice: string): string | null {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    throw refuse("unsupported-media-type", `compressed bodies are not taken; without Content-Encoding, ${advice}`);
  }
  const type = request.headers.get("content-type");
  if (type === null || !/[;A-Z ]/.test(type)) return type;
  return (type.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/**
 * The whole body, never buffering more than `limit` bytes of it.
 * A declared length is believed for the choice of method only: the server has cut the body to it, and it is checked again.
 * @throws ProblemError `body-too-large`, `body-incomplete`
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  try {
    return await read(request, limit);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    // Whoever sent it has gone, or the connection broke: that is no failure of ours, and the platform's errors say no more.
    throw refuse("body-incomplete", "the body broke off before its end; nothing was done", { retryable: true });
  }
}

async function read(request: Request, limit: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared === null) return request.body === null ? NOTHING : readStream(request.body, limit);
  if (Number(declared) > limit) throw tooLarge(limit);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > limit) throw tooLarge(limit);
  return bytes;
}

async function readStream(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const gathering = new Gathering(limit);
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (gathering.length + value.length > limit) {
      await reader.cancel();
      throw tooLarge(limit);
    }
    gathering.add(value);
  }
  return gathering.take();
}

function tooLarge(limit: number) {
  return refuse("body-too-large", `at most ${limit} bytes are taken here`, { limit });
}

/** The JSON text that `bytes` are; "" when there are none. @throws ProblemError `malformed-json` with `line`, `column`, `offset` and `code` */
export function jsonText(kernels: Kernels, bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const fault = kernels.checkJson(bytes);
  if (fault === null) return decoder.decode(bytes);
  throw refuse("malformed-json", `not JSON at line ${fault.line}, byte ${fault.offset}: ${fault.code}`, {
    line: fault.line,
    column: columnOf(bytes, fault.offset),
    offset: fault.offset,
    code: fault.code,
  });
}

/** 1-based column in bytes. */
export function columnOf(bytes: Uint8Array, offset: number): number {
  const lineFeed = offset === 0 ? -1 : bytes.lastIndexOf(0x0a, offset - 1);
  return offset - lineFeed;
}
