/** Sends the spans of an object to a collector, some at a time. What cannot be sent is dropped: traces are worth no retries. */
import { otlpBody, type Span } from "../../protocol/observe/spans.ts";
import type { Telemetry } from "../../protocol/observe/telemetry.ts";
import { platformFetch, platformTimers } from "../sandbox.ts";

/** How long spans gather, and how many may wait; beyond it they are dropped. */
const GATHER_MS = 1_000;
const SPANS_MAX = 2_000;
/** What a collector does not take in this time is dropped. */
const TIMEOUT_MS = 10_000;

export class Exporter {
  readonly #telemetry: Telemetry;
  #spans: Span[] = [];
  #isWaiting = false;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  add(spans: readonly Span[]): void {
    if (this.#spans.length + spans.length > SPANS_MAX) return;
    this.#spans.push(...spans);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    platformTimers.setTimeout(() => this.#send(), GATHER_MS);
  }

  #send(): void {
    this.#isWaiting = false;
    const spans = this.#spans;
    this.#spans = [];
    const { url, headers, serviceName } = this.#telemetry;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    platformFetch(url, { method: "POST", headers, body: otlpBody(spans, serviceName), signal }).then(
      (response) => response.body?.cancel(),
      (error: unknown) => console.warn({ message: "spans were not taken by the collector", error: String(error) }),
    );
  }
}
