/** The ways in which events may be written in a request, and what makes a batch the same one when it comes again. */
import { describe, expect, it } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const core = loadCore();
const SALES = "/v1/streams/sales";
const sale = (item: string) => ({ item, amount: 1, price: 1.5, at: 1000 });
const cloudEvent = (id: string, data: unknown = sale(id)) => ({
  specversion: "1.0",
  id,
  source: "/tills/7",
  type: "sale",
  data,
});

function formats() {
  const { backend, post } = edge(new FakeBackend(createKernels(core)));
  const send = (body: unknown, type: string | null, headers: Record<string, string> = {}) =>
    post(SALES, typeof body === "string" ? body : JSON.stringify(body), {
      ...(type === null ? {} : { "content-type": type }),
      ...headers,
    });
  const items = () => backend.ingested.map(({ tail }) => decodeColumns(tail).columns[0]?.cells);
  return { backend, send, items };
}

const BINARY = { "ce-specversion": "1.0", "ce-id": "17", "ce-source": "/tills/7", "ce-type": "sale" };

describe("the events of a request", () => {
  it.each(["constructor", "__proto__", "valueof"])("are of no media type such as %s", async (type) => {
    const { send, items } = formats();
    const answer = await send([sale("a")], type);
    expect((await problemIn(answer)).type).toMatch(/unsupported-media-type$/);
    expect(items()).toEqual([]);
  });

  it("are an array of JSON, or one event", async () => {
    const { send, items } = formats();
    expect((await send([sale("a"), sale("b")], "application/json")).status).toBe(200);
    expect((await send(sale("c"), "Application/JSON; charset=utf-8")).status).toBe(200);
    expect((await send([], "application/json")).status).toBe(200);
    expect(items()).toEqual([["a", "b"], ["c"], []]);
  });

  it("are CloudEvents in structured, batched and binary mode", async () => {
    const { send, items } = formats();
    expect((await send(cloudEvent("a"), "application/cloudevents+json")).status).toBe(200);
    expect((await send([cloudEvent("b"), cloudEvent("c")], "application/cloudevents-batch+json")).status).toBe(200);
    expect((await send(sale("d"), "application/json", BINARY)).status).toBe(200);
    expect((await send(sale("e"), "application/vnd.till+json", { ...BINARY, "ce-id": "18" })).status).toBe(200);
    expect(items()).toEqual([["a"], ["b", "c"], ["d"], ["e"]]);
  });

  it.each([
    [
      [sale("a"), { ...sale("b"), amount: "x" }],
      "application/json",
      422,
      { code: "wrong-type", field: "amount", line: 1 },
    ],
    ["[\n{}]", "application/json", 422, { code: "missing", line: 2, column: 1 }],
    ["[1]", "application/json", 400, { code: "not-object", offset: 1 }],
    [`[${JSON.stringify(sale("a"))}`, "application/json", 400, { code: "unexpected-end" }],
    ["", "application/json", 400, { code: "empty" }],
    [[cloudEvent("a")], "application/cloudevents+json", 400, { code: "not-object" }],
    [cloudEvent("a"), "application/cloudevents-batch+json", 400, { code: "not-object" }],
    [
      { ...cloudEvent("a"), specversion: "0.3" },
      "application/cloudevents+json",
      422,
      { code: "wrong-version", field: "specversion" },
    ],
    [{ ...cloudEvent("a"), id: undefined }, "application/cloudevents+json", 422, { code: "missing", field: "id" }],
    [{ ...cloudEvent("a"), source: "" }, "application/cloudevents+json", 422, { code: "wrong-type", field: "source" }],
    [{ ...cloudEvent("a"), datacontenttype: "text/xml" }, "application/cloudevents+json", 422, { code: "not-json" }],
    [{ ...cloudEvent("a"), data_base64: "AA==" }, "application/cloudevents+json", 422, { code: "unsupported" }],
    [cloudEvent("a", { item: "a" }), "application/cloudevents+json", 422, { code: "missing", field: "amount" }],
  ])("are refused whole: %j as %s", async (body, type, status, members) => {
    const { send, backend } = formats();
    const response = await send(body, type);
    expect([response.status, await problemIn(response)]).toMatchObject([status, members]);
    expect(backend.arrivals).toHaveLength(0);
  });

  it.each([
    [{ ...BINARY, "ce-specversion": "2.0" }, "application/json", 422, { field: "ce-specversion" }],
    [{ ...BINARY, "ce-id": '""' }, "application/json", 422, { field: "ce-id", code: "missing" }],
    [{ ...BINARY, "ce-source": "" }, "application/json", 422, { field: "ce-source", code: "missing" }],
    [BINARY, "text/xml", 415, {}],
  ])("need the headers of binary mode: %j", async (headers, type, status, members) => {
    const { send, backend } = formats();
    const response = await send(sale("a"), type, headers);
    expect([response.status, await problemIn(response)]).toMatchObject([status, members]);
    expect(backend.arrivals).toHaveLength(0);
  });

  it("are of a type that is taken here", async () => {
    const response = await formats().send("<a/>", "text/xml");
    expect(response.status).toBe(415);
    expect((await problemIn(response)).detail).toContain("application/cloudevents+json");
  });
});

describe("a batch that comes again", () => {
  it("is known by a CloudEvent's source and id, in whichever mode it comes", async () => {
    const { send, backend } = formats();
    await send(cloudEvent("17", sale("a")), "application/cloudevents+json");
    const again = await send(cloudEvent("17", sale("a")), "application/cloudevents+json");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    await send({ ...cloudEvent("17"), source: "/tills/8" }, "application/cloudevents+json");
    await send(sale("a"), null, { ...BINARY, "ce-id": "9" });
    await send(sale("a"), null, { ...BINARY, "ce-id": "%39" });
    await send(sale("a"), null, { ...BINARY, "ce-id": '"9"', "ce-source": '"\\/tills/%37"' });
    expect(backend.ingested).toHaveLength(3);
    expect(backend.ingested.map(({ requestId }) => requestId.slice(0, 1))).toEqual(["c", "c", "c"]);
  });

  it("is the same CloudEvent with other attributes, in the other mode, and with its data written otherwise", async () => {
    const { send, backend } = formats();
    const type = "application/cloudevents+json";
    await send(cloudEvent("17", sale("a")), type);
    const again = [
      await send({ ...cloudEvent("17", sale("a")), time: "2026-01-01T00:00:00Z" }, type),
      await send(cloudEvent("17", { at: 1e3, price: 1.5, item: "\u0061", amount: 1, note: "dropped" }), type),
      await send(sale("a"), "application/json", BINARY),
    ];
    for (const answer of again)
      expect([answer.status, answer.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect(backend.ingested).toHaveLength(1);
  });

  it("is known by its producer and number", async () => {
    const { send, backend } = formats();
    const headers = (sequence: number) => ({ "tidegate-producer": "till-7", "tidegate-sequence": String(sequence) });
    await send(sale("a"), "application/json", headers(1));
    await send(sale("b"), "application/json", headers(2));
    await send(sale("b"), "application/json", headers(2));
    expect(backend.ingested.map(({ produced }) => produced)).toEqual([
      { producer: '["owner","till-7"]', sequence: 1 },
      { producer: '["owner","till-7"]', sequence: 2 },
    ]);
    expect(new Set(backend.ingested.map(({ requestId }) => requestId)).size).toBe(2);
  });

  it.each([
    { "tidegate-producer": "till-7" },
    { "tidegate-sequence": "1" },
    { "tidegate-producer": "till 7", "tidegate-sequence": "1" },
    { "tidegate-producer": "t".repeat(256), "tidegate-sequence": "1" },
    { "tidegate-producer": "till-7", "tidegate-sequence": "0" },
    { "tidegate-producer": "till-7", "tidegate-sequence": "1.5" },
    { "tidegate-producer": "till-7", "tidegate-sequence": "9007199254740993" },
    { "tidegate-producer": "till-7", "tidegate-sequence": "1", "idempotency-key": '"a"' },
  ])("is refused with headers that say it wrongly: %j", async (headers) => {
    const { send, backend } = formats();
    const response = await send(sale("a"), "application/json", headers);
    expect([response.status, (await problemIn(response)).type]).toEqual([400, "/problems/invalid-sequence"]);
    expect(backend.arrivals).toHaveLength(0);
  });
});
