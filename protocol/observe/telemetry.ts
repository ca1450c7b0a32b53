/** Where traces go, by the bindings that OpenTelemetry names. Without an endpoint they go nowhere. */

export interface TelemetryBindings {
  /** Base address of a collector: spans are sent to `/v1/traces` below it. */
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  /** Headers for it, `name=value` with commas between; a secret, where it has a credential. */
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;
  readonly OTEL_SERVICE_NAME?: string;
  /** Share of requests that are traced though nobody asked for it: 0 to 1. Default 0. */
  readonly OTEL_TRACES_SAMPLER_ARG?: string;
}

export interface Telemetry {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly ratio: number;
}

const SERVICE_NAME = "tidegate";

/** Undefined when nothing is configured, or no address. */
export function telemetryOf(bindings: TelemetryBindings): Telemetry | undefined {
  const endpoint = bindings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined || !/^https?:\/\//.test(endpoint)) return undefined;
  const ratio = Number(bindings.OTEL_TRACES_SAMPLER_ARG ?? 0);
  return {
    url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
    headers: { "content-type": "application/json", ...headersOf(bindings.OTEL_EXPORTER_OTLP_HEADERS ?? "") },
    serviceName: bindings.OTEL_SERVICE_NAME ?? SERVICE_NAME,
    ratio: ratio >= 0 && ratio <= 1 ? ratio : 0,
  };
}

function headersOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  const named = pairs.filter(([name = ""]) => /^\s*[\w-]+\s*$/.test(name));
  return Object.fromEntries(named.map(([name = "", value = ""]) => [name.trim().toLowerCase(), decode(value.trim())]));
}

/** Values are percent-encoded, as in W3C Baggage. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
