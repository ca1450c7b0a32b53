import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { Observer, type RecentTransaction } from "../../../protocol/observe/observer.ts";
import { spansOf } from "../../../protocol/observe/spans.ts";
import { readTraceparent } from "../../../protocol/observe/traceparent.ts";
import { telemetryOf } from "../../../protocol/observe/telemetry.ts";
import type { Root } from "../../../protocol/partition/root.ts";

function root(n: number, key = "a", service = "account", name = "deposit"): Root {
  const target = { service: { contract: { name: service } }, name, key };
  return { requestId: `e${n}`, target, at: n, attempts: 1, epoch: 0, trace: null } as unknown as Root;
}

describe("what an observer remembers", () => {
  it("is the newest transactions, and no more than it may", () => {
    const observer = new Observer();
    const count = LIMITS.recentTransactions + 3;
    for (let n = 1; n <= count; n++) observer.ended(root(n, n % 2 === 0 ? "even" : "odd"), 200);
    const all = observer.recent({}, Infinity);
    expect(all).toHaveLength(LIMITS.recentTransactions);
    expect([all[0]?.id, all.at(-1)?.id]).toEqual([`e${count}`, "e4"]);
    const even = observer.recent({ service: "account", key: "even" }, 2);
    expect(even.map(({ id }) => id)).toEqual([`e${count - 1}`, `e${count - 3}`]);
    expect(observer.recent({ service: "other" }, 2)).toEqual([]);
    expect(observer.figures.outcomes[0]).toBe(count);
  });

  it("is nothing of the engine's own functions, which any service has", () => {
    const observer = new Observer();
    observer.ended(root(1, "a", "#timers", "fire"), 200);
    observer.ended(root(2, "a", "account", "#expire"), 200);
    observer.ended(root(3, "a", "account", "#erase"), 503);
    expect(observer.recent({}, Infinity)).toEqual([]);
    expect(observer.figures).toEqual({ ...new Observer().figures, internal: 3 });
  });

  it("counts outcomes by status", () => {
    const observer = new Observer();
    for (const status of [200, 202, 409, 422, 500, 503, 504]) observer.ended(root(1), status);
    expect(observer.figures.outcomes).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });
});

describe("traceparent", () => {
  const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

  it.each([
    [`00-${trace}-${span}-01`, true],
    [`00-${trace}-${span}-00`, false],
    [`00-${trace}-${span}-03`, true],
    [`01-${trace}-${span}-01-what-may-come`, true],
  ])("%s is read", (text, sampled) => {
    expect(readTraceparent(text)).toEqual({ traceId: trace, spanId: span, sampled });
  });

  it.each([
    null,
    "",
    `ff-${trace}-${span}-01`,
    `00-${"0".repeat(32)}-${span}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}`,
    `00-${trace}-${span}-1`,
    `00-${trace}-${span}-01\n`,
  ])("%j is none", (text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });

  it("that is none makes no spans", () => {
    const told = { traceparent: "x", startedAt: 0, taggedAt: 0, preparedAt: 0, calls: [], dropped: 0 };
    expect(spansOf({ ...root(1), trace: told } as unknown as RecentTransaction, 0, () => "1")).toEqual([]);
  });
});

describe("where traces go", () => {
  it("is nowhere without an address", () => {
    for (const endpoint of ["", "collector", "file:///tmp/x"])
      expect(telemetryOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toBeUndefined();
    expect(telemetryOf({})).toBeUndefined();
  });

  it("is said by OpenTelemetry's own names", () => {
    const telemetry = telemetryOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example/",
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20eDp5, x-b = 2,,bad name=3",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
    });
    expect(telemetry).toEqual({
      url: "https://collector.example/v1/traces",
      headers: { "content-type": "application/json", authorization: "Basic eDp5", "x-b": "2" },
      serviceName: "tidegate",
      ratio: 0.25,
    });
    for (const bad of ["-1", "2", "all"])
      expect(telemetryOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://x", OTEL_TRACES_SAMPLER_ARG: bad })?.ratio).toBe(0);
  });
});
