import { describe, expect, it } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { defineApp, int64, optional, stream, timestamp } from "../../sdk/index.ts";
import { FakeBackend, platformError } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const core = loadCore();
const SALES = "/v1/streams/sales";
const event = (item: string, amount: unknown = 1) => JSON.stringify({ item, amount, price: 1.5, at: 1000, other: [] });

function ingestEdge() {
  const { backend, post } = edge(new FakeBackend(createKernels(core)));
  const send = (body: BodyInit, headers: Record<string, string> = {}, path = SALES) =>
    post(path, body, { "content-type": "application/x-ndjson", ...headers });
  return { backend, send };
}

describe("ingest", () => {
  it("sends a batch as one envelope of columns to the partition of its stream", async () => {
    const { send, backend } = ingestEdge();
    const response = await send(`${event("a")}\n${event("b")}\n\n${event("a")}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ accepted: 3, late: { "sales-per-minute": 0 } });
    expect(response.headers.get("tidegate-epoch")).toBe("8");
    const partition = backend.map.groups[backend.kernels().hashKey("sales") & 1023];
    expect(backend.ingested).toMatchObject([{ stream: "sales", rows: 3, flags: 0, partition }]);
    expect(backend.ingested[0]?.requestId).toMatch(/^e[0-9a-f]{31}$/);
  });

  it("carries the columns as the kernels read them", async () => {
    const { send, backend } = ingestEdge();
    await send(`${event("a", 5)}\n${event("b", 7)}\n${event("a", 9)}`);
    const columns = [
      { name: "item", type: "text" },
      { name: "amount", type: "i64" },
      { name: "price", type: "f64" },
      { name: "at", type: "i64" },
    ] as const;
    const plan = { columns, filter: [], key: 0, time: 3, size: 60_000, measures: [1], maxGroups: 10 };
    const state = backend.kernels().openWindow(plan);
    expect(state.apply(backend.ingested[0]!.tail, -1n)).toMatchObject({ rows: 3, applied: 3, maxTime: 1000n });
    const groups = backend.kernels().readGroups(state.snapshot());
    expect(groups.map(({ key, count, measures }) => [key, count, measures[0]?.sum])).toEqual([
      ["a", 2n, 14n],
      ["b", 1n, 7n],
    ]);
  });

  it("is taken once under one Idempotency-Key", async () => {
    const { send, backend } = ingestEdge();
    const headers = { "idempotency-key": '"batch-1"' };
    await send(event("a"), headers);
    const again = await send(event("a"), headers);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(backend.ingested).toHaveLength(1);
    expect(backend.ingested[0]).toMatchObject({
      flags: INVOKE_FLAG.clientId,
      requestId: expect.stringMatching(/^c[0-9a-f]{31}$/),
    });
  });

  it("has its Idempotency-Keys apart from those of other streams", async () => {
    const { send, backend } = ingestEdge();
    const headers = { "idempotency-key": '"batch-1"' };
    await send(event("a"), headers);
    await send(event("a"), headers, "/v1/streams/refunds");
    expect(backend.ingested.map(({ stream }) => stream)).toEqual(["sales", "refunds"]);
  });

  it("is sent again, as it was, when its answer was lost", async () => {
    const { send, backend } = ingestEdge();
    backend.leave = (answer, { index }) => {
      if (index === 0) throw platformError("Network connection lost.", { retryable: true });
      return answer;
    };
    expect((await send(event("a"))).status).toBe(200);
    expect(backend.arrivals).toHaveLength(2);
    expect(backend.ingested).toHaveLength(1);
  });

  it.each([
    [event("a", "five"), 1, "amount", "wrong-type"],
    [`${event("a")}\n{"item":"a","price":1,"at":1}`, 2, "amount", "missing"],
    [`${event("a")}\n\n${event("a").replace(":1,", ":9223372036854775808,")}`, 3, "amount", "out-of-range"],
  ])("refuses all of %j for one bad event, and says which", async (body, line, field, code) => {
    const { send, backend } = ingestEdge();
    const response = await send(body);
    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/invalid-event", line, field, code });
    expect(backend.arrivals).toHaveLength(0);
  });

  it("says what a field of a wrong type takes", async () => {
    const { send } = ingestEdge();
    const time = await send(event("a").replace(/"at":\d+/, '"at":"2026-01-01T00:00:00Z"'));
    expect((await problemIn(time)).detail).toBe(
      'line 1, field "at": wrong-type, it takes whole milliseconds since 1970, such as 1790000000000; nothing was taken',
    );
    const amount = await problemIn(await send(event("a", "five")));
    expect(amount.detail).toContain('field "amount": wrong-type, it takes a whole number');
  });

  it("refuses a batch that is not JSON, with line and offset", async () => {
    const { send, backend } = ingestEdge();
    const response = await send(`${event("a")}\n{"item":`);
    expect(response.status).toBe(400);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/malformed-json", line: 2, column: 9 });
    expect(backend.arrivals).toHaveLength(0);
  });

  it("answers 404 for a stream that is not there", async () => {
    const response = await ingestEdge().send(event("a"), {}, "/v1/streams/nothing");
    expect(response.status).toBe(404);
    expect((await problemIn(response)).type).toBe("/problems/unknown-stream");
  });

  it("refuses events whose columns no message could carry, as it does a body that is too large", async () => {
    const fields = Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`f${i}`, optional(int64())]));
    const wide = stream("wide", { at: timestamp(), ...fields });
    const { backend, post } = edge(new FakeBackend(createKernels(core)), defineApp({ services: [], streams: [wide] }));
    const send = (rows: number) =>
      post("/v1/streams/wide", `{"at":1}\n`.repeat(rows), { "content-type": "application/x-ndjson" });
    // At eight bytes for each field and a bit for each that is optional: the first is found when the columns are made, the other as they grow.
    for (const rows of [138_000, 200_000]) {
      const response = await send(rows);
      expect(await problemIn(response)).toMatchObject({ status: 413, type: expect.stringMatching(/body-too-large$/) });
    }
    expect(backend.ingested).toHaveLength(0);
    expect((await send(136_000)).status).toBe(200);
  });
});
