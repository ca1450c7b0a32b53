/** How the events of a request are written: by its media type, and by the headers of a CloudEvent in binary mode. */
import type { EventFormat, EventIdentity } from "../core-wasm/types.ts";
import { mediaType, NDJSON_TYPES } from "./body.ts";
import { REPLACEMENT } from "./headers.ts";
import { refuse } from "./problems.ts";

export interface EventEnvelope {
  readonly format: EventFormat;
  /** Of a CloudEvent whose attributes are headers. */
  readonly identity: EventIdentity | null;
}

const ADVICE =
  "send application/x-ndjson, application/json (an array of events, or one), application/cloudevents+json or application/cloudevents-batch+json";
/** A map, since a media type may be any word, also one that every object has. */
const FORMATS: ReadonlyMap<string, EventFormat> = new Map([
  ...NDJSON_TYPES.map((type) => [type, "ndjson"] as const),
  ["application/json", "json"],
  ["application/cloudevents+json", "cloudevent"],
  ["application/cloudevents-batch+json", "cloudevents"],
]);
const IS_JSON = /[/+]json$/;
const REQUIRED = ["ce-id", "ce-source", "ce-type"] as const;

/** The format of a request's events. @throws ProblemError `unsupported-media-type`, or `invalid-event` for the headers of a CloudEvent */
export function eventFormat(request: Request): EventEnvelope {
  const type = mediaType(request, ADVICE);
  const version = request.headers.get("ce-specversion");
  // In structured and batched mode the media type decides, and such headers are copies for whoever forwards the event.
  if (version === null || type?.startsWith("application/cloudevents") === true) {
    const format = type === null ? "ndjson" : FORMATS.get(type);
    if (format !== undefined) return { format, identity: null };
    throw refuse("unsupported-media-type", `${JSON.stringify(type)} is not taken here; ${ADVICE}`);
  }
  if (type !== null && !IS_JSON.test(type)) {
    throw refuse("unsupported-media-type", `the data of a CloudEvent is JSON here, not ${JSON.stringify(type)}`);
  }
  if (version !== "1.0") throw invalid("ce-specversion", "wrong-version", "CloudEvents 1.0 are taken");
  const [id, source] = REQUIRED.map((name) => attribute(request, name)) as [string, string, string];
  return { format: "object", identity: { id, source } };
}

/** A header of the binary mode, whose value may be a quoted string and percent-encoded UTF-8 (CloudEvents HTTP binding, 3.1.3.2). */
function attribute(request: Request, name: string): string {
  const header = unquoted(request.headers.get(name) ?? "");
  if (header === "") throw invalid(name, "missing", "a CloudEvent has it");
  // Two events whose ids differ there would be taken for one.
  if (header.includes(REPLACEMENT)) throw invalid(name, "bad-utf8", "what is not ASCII is percent-encoded UTF-8");
  try {
    return decodeURIComponent(header);
  } catch {
    // A percent sign that encodes nothing stands for itself: receivers are to be lenient.
    return header;
  }
}

const QUOTED = /^"((?:[^"\\]|\\.)*)"$/;

function unquoted(header: string): string {
  return QUOTED.exec(header)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? header;
}

function invalid(field: string, code: string, detail: string) {
  return refuse("invalid-event", `header ${field}: ${code}; ${detail}`, { code, field });
}
