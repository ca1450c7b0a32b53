/** What is seen of the app under test from outside: its metrics, and its traces at a collector. */
import { describe, expect, test } from "vitest";
import { batch, call, freshKey, freshKeyNear, partitionOf, send } from "./support/app.ts";

/** Series by name and labels. */
async function metrics(headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const response = await send("/metrics", { headers });
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const seriesOf = (partition: number, outcome: string) =>
  `tidegate_transactions_total{partition="${partition}",outcome="${outcome}"}`;

describe("/metrics", () => {
  test("counts transactions by outcome, replays, restarts and epochs, by partition", async () => {
    const key = freshKey();
    const partition = partitionOf(key);
    const before = await metrics();
    const grown = (after: Map<string, number>, series: string) =>
      (after.get(series) ?? NaN) - (before.get(series) ?? NaN);
    await call(["account", key], "deposit", { amount: 10 }, `once-${key}`);
    await call(["account", key], "deposit", { amount: 10 }, `once-${key}`);
    await call(["account", key], "withdraw", { amount: 11 });
    await call(["account", key], "deposit", { amount: -1 });
    const other = freshKeyNear(key, false);
    await call(["account", key], "transfer", { to: other, amount: 5 });
    const after = await metrics();
    expect(grown(after, seriesOf(partition, "committed"))).toBe(2);
    expect(grown(after, seriesOf(partition, "refused"))).toBe(1);
    expect(grown(after, seriesOf(partition, "invalid"))).toBe(1);
    expect(grown(after, `tidegate_replays_total{partition="${partition}"}`)).toBe(1);
    const epochs = (series: string) => grown(after, series) || (after.get(series) ?? NaN);
    expect(epochs('tidegate_epochs_total{decision="committed"}')).toBeGreaterThanOrEqual(1);
    expect(grown(after, `tidegate_partition_epoch_transactions_sum{partition="${partition}"}`)).toBe(1);
    expect(after.get(`tidegate_transaction_duration_seconds_count{partition="${partition}"}`)).toBe(
      ["committed", "accepted", "refused", "invalid", "failed", "unavailable", "expired"].reduce(
        (sum, outcome) => sum + (after.get(seriesOf(partition, outcome)) ?? NaN),
        0,
      ),
    );
    expect(after.get(`tidegate_up{partition="${partition}"}`)).toBe(1);
    expect(after.get(`tidegate_database_bytes{partition="${partition}"}`)).toBeGreaterThan(4_096);
    expect(grown(after, `tidegate_records_total{partition="${partition}"}`)).toBeGreaterThanOrEqual(2);
    for (const gauge of ["tidegate_transactions_running", "tidegate_keys_locked", "tidegate_requests_waiting"])
      expect(after.get(`${gauge}{partition="${partition}"}`)).toBe(0);
  });

  test("has a series for each line of a batch, and none of another tenant's", async () => {
    const headers = { "tidegate-tenant": "measured" };
    await send("/v1/services/account/x/deposit", {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: '{"amount":1}',
    });
    const tenant = await metrics(headers);
    const committed = [...tenant].filter(([series]) => series.includes('outcome="committed"'));
    expect(committed.reduce((sum, [, count]) => sum + count, 0)).toBe(1);
    const key = freshKey();
    const before = await metrics();
    await batch(
      Array.from({ length: 20 }, () => ({ service: "account", key, function: "deposit", input: { amount: 1 } })),
    );
    const series = seriesOf(partitionOf(key), "committed");
    expect(((await metrics()).get(series) ?? NaN) - (before.get(series) ?? NaN)).toBe(20);
  });

  test("is closed to callers who may only call", async () => {
    const response = await send("/metrics", { headers: { authorization: "Bearer tgk_alice" } });
    expect(response.status).toBe(403);
    const wrong = await send("/metrics", { headers: { authorization: "Bearer wrong" } });
    expect(wrong.status).toBe(401);
  });
});

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}
interface Collected {
  readonly token: string;
  readonly body: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: unknown }[] };
      readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
    }[];
  };
}

async function collected(traceId: string): Promise<{ spans: OtlpSpan[]; tokens: string[]; services: unknown[] }> {
  const all = (await (await fetch("http://collector.example/collected")).json()) as Collected[];
  const exports = all.map(({ token, body }) => ({ token, resource: body.resourceSpans[0]! }));
  const of = exports.filter(({ resource }) => resource.scopeSpans[0]!.spans.some((span) => span.traceId === traceId));
  return {
    spans: of.flatMap(({ resource }) => resource.scopeSpans[0]!.spans.filter((span) => span.traceId === traceId)),
    tokens: of.map(({ token }) => token),
    services: of.map(({ resource }) => resource.resource.attributes[0]?.value),
  };
}

const traceIdOf = (n: number) => n.toString(16).padStart(32, "a");
const PARENT = "00f067aa0ba902b7";

describe("a trace", () => {
  test("has the request, the transaction, its calls and its epoch as spans within each other", async () => {
    const traceId = traceIdOf(1);
    const [from, to] = [freshKey(), freshKey()];
    const far = freshKeyNear(from, false);
    await call(["account", from], "deposit", { amount: 10 });
    const traced = (key: string) =>
      send(`/v1/services/account/${from}/transfer`, {
        method: "POST",
        headers: { "content-type": "application/json", traceparent: `00-${traceId}-${PARENT}-01` },
        body: JSON.stringify({ to: key, amount: 3 }),
      });
    const response = await traced(far);
    expect([response.status, response.headers.get("traceparent")]).toEqual([200, `00-${traceId}-${PARENT}-01`]);
    await expect.poll(async () => (await collected(traceId)).spans.length, { timeout: 10_000 }).toBe(5);
    const { spans, tokens, services } = await collected(traceId);
    expect(new Set(tokens)).toEqual(new Set(["a secret"]));
    expect(services[0]).toEqual({ stringValue: "tests" });
    const [edge] = spans.filter(({ parentSpanId }) => parentSpanId === PARENT);
    expect(edge).toMatchObject({ name: "POST", kind: 2, status: { code: 1 } });
    const [transaction] = spans.filter(({ parentSpanId }) => parentSpanId === edge!.spanId);
    expect(transaction).toMatchObject({ name: "account.transfer", kind: 1 });
    const within = spans.filter(({ parentSpanId }) => parentSpanId === transaction!.spanId);
    expect(within.map(({ name, kind }) => [name, kind])).toEqual([
      ["account.withdraw", 1],
      ["account.deposit", 3],
      ["epoch", 1],
    ]);
    const attribute = (span: OtlpSpan, name: string) => span.attributes.find(({ key }) => key === name)?.value;
    expect(attribute(within[1]!, "tidegate.partition")).toEqual({ intValue: String(partitionOf(far)) });
    expect(attribute(transaction!, "tidegate.key")).toEqual({ stringValue: from });
    for (const span of spans) expect(BigInt(span.startTimeUnixNano)).toBeLessThanOrEqual(BigInt(span.endTimeUnixNano));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5);
    expect(to).not.toBe(far);
  });

  test("is none of requests that do not ask for it, or whose asking is not believed", async () => {
    const key = freshKey();
    const asks = async (traceparent: string | undefined, authorization?: string) =>
      (
        await send(`/v1/services/locker/alice/things`, {
          headers: {
            ...(traceparent === undefined ? {} : { traceparent }),
            ...(authorization === undefined ? {} : { authorization }),
          },
        })
      ).status;
    expect(await asks(undefined)).toBe(200);
    expect(await asks(`00-${traceIdOf(2)}-${PARENT}-00`)).toBe(200);
    expect(await asks(`00-${traceIdOf(3)}-${PARENT}-01`, "Bearer tgk_alice")).toBe(200);
    expect(await asks(`00-${"0".repeat(32)}-${PARENT}-01`)).toBe(200);
    // One that is traced, behind them.
    const traceId = traceIdOf(4);
    await send(`/v1/services/account/${key}/balance`, { headers: { traceparent: `00-${traceId}-${PARENT}-01` } });
    await expect.poll(async () => (await collected(traceId)).spans.length, { timeout: 10_000 }).toBe(2);
    for (const n of [2, 3]) expect((await collected(traceIdOf(n))).spans).toEqual([]);
  });

  test("tells a failure", async () => {
    const traceId = traceIdOf(5);
    const response = await send(`/v1/services/unruly/${freshKey()}/boom`, {
      method: "POST",
      headers: { "content-type": "application/json", traceparent: `00-${traceId}-${PARENT}-01` },
    });
    expect(response.status).toBe(500);
    await expect
      .poll(async () => (await collected(traceId)).spans.length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(2);
    expect((await collected(traceId)).spans.map(({ status }) => status.code)).toEqual([2, 2]);
  });

  test("has requests that are refused before anybody is asked", async () => {
    const traceId = traceIdOf(6);
    const response = await send(`/v1/services/no-such-service/${freshKey()}/boom`, {
      method: "POST",
      headers: { "content-type": "application/json", traceparent: `00-${traceId}-${PARENT}-01` },
    });
    expect(response.status).toBe(404);
    await expect.poll(async () => (await collected(traceId)).spans.length, { timeout: 10_000 }).toBe(1);
    const attributes = [{ key: "http.response.status_code", value: { intValue: "404" } }];
    expect((await collected(traceId)).spans).toMatchObject([{ name: "POST", status: { code: 1 }, attributes }]);
  });
});
