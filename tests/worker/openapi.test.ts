import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineApp } from "../../sdk/app.ts";
import { contract, fn, query } from "../../sdk/contract.ts";
import { outcome } from "../../sdk/outcome.ts";
import { saga } from "../../sdk/saga.ts";
import type { Schema } from "../../sdk/schema.ts";
import { flow } from "../../sdk/flow.ts";
import { service } from "../../sdk/service.ts";
import { boolean, int64, nested, optional, stream, text, timestamp } from "../../sdk/stream.ts";
import { testApp } from "../../testing/index.ts";
import { openApiDocument } from "../../worker/openapi/document.ts";
import { app } from "./support/app.ts";
import { edge } from "./support/edge.ts";

type Json = { readonly [member: string]: Json } & readonly Json[];

const DATA = new Set(["const", "enum", "default", "examples"]);

/** What a JSON pointer in the document leads to. */
function resolve(document: unknown, reference: string): unknown {
  expect(reference.startsWith("#/")).toBe(true);
  let at = document as Record<string, unknown> | undefined;
  for (const token of reference.slice(2).split("/")) {
    at = at?.[token.replaceAll("~1", "/").replaceAll("~0", "~")] as Record<string, unknown> | undefined;
  }
  return at;
}

function references(value: unknown, found: string[] = []): string[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [member, inner] of Object.entries(value)) {
    if (member === "$ref" && typeof inner === "string") found.push(inner);
    else if (!DATA.has(member)) references(inner, found);
  }
  return found;
}

describe("the OpenAPI document", () => {
  const document = JSON.parse(JSON.stringify(openApiDocument(app))) as Json;
  const paths = document["paths"] as Json;

  it("is served to callers with the token", async () => {
    const { ask } = edge();
    const response = await ask("/openapi.json");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual(document);
    expect(await (await ask("/openapi.json")).json()).toEqual(document);
  });

  it("names its version, info, security and servers", () => {
    expect(document["openapi"]).toBe("3.1.1");
    expect(document["info"]).toEqual({ title: expect.any(String), version: expect.any(String) });
    expect(document["security"]).toEqual([{ bearer: [] }]);
    expect(document["components"]).toHaveProperty(
      "securitySchemes.bearer",
      expect.objectContaining({ type: "http", scheme: "bearer" }),
    );
  });

  it("has a path for each function, for messages to those that write, for each stream, view, and for the batch and health", () => {
    expect(Object.keys(paths).toSorted()).toEqual([
      "/health",
      "/metrics",
      "/v1/batch",
      "/v1/dead-letters/{id}",
      "/v1/dead-letters/{id}/redrive",
      "/v1/flows/{flow}",
      "/v1/flows/{flow}/dead-letters",
      "/v1/flows/{flow}/dead-letters/{number}",
      "/v1/flows/{flow}/dead-letters/{number}/redrive",
      "/v1/flows/{flow}/late",
      "/v1/messages/{id}",
      "/v1/promises/{key}",
      "/v1/promises/{key}/reject",
      "/v1/services/account/{key}/balance",
      "/v1/services/account/{key}/deposit",
      "/v1/services/account/{key}/deposit/send",
      "/v1/services/account/{key}/plant",
      "/v1/services/account/{key}/plant/send",
      "/v1/services/account/{key}/transfer",
      "/v1/services/account/{key}/transfer/send",
      "/v1/streams/refunds",
      "/v1/streams/sales",
      "/v1/views/refunds-per-minute",
      "/v1/views/refunds-per-minute/{key}",
      "/v1/views/sales-per-minute",
      "/v1/views/sales-per-minute/{key}",
    ]);
  });

  it("describes a message by the function's input, 202 and its id", () => {
    const { post } = paths["/v1/services/account/{key}/deposit/send"] as Json;
    const call = paths["/v1/services/account/{key}/deposit"] as Json;
    expect(post!["requestBody"]).toEqual(call["post"]!["requestBody"]);
    expect(Object.keys(post!["responses"]!)).toEqual(
      ["202", "400", "401", "403", "413", "415", "422", "429", "500", "503", "504"].toSorted(),
    );
    const schema = post!["responses"]!["202"]!["content"]!["application/json"]!["schema"]!;
    expect(schema["required"]).toEqual(["id"]);
  });

  it("resolves every reference", () => {
    const found = references(document);
    expect(found.length).toBeGreaterThan(30);
    for (const reference of found)
      expect([reference, typeof resolve(document, reference)]).toEqual([reference, "object"]);
  });

  it("moves the inner references of recursive schemas along", () => {
    const inside = references(resolve(document, "#/components/schemas/account.plant.input"));
    expect(inside.length).toBeGreaterThan(0);
    for (const reference of inside) expect(reference).toMatch(/^#\/components\/schemas\/account\.plant\.input\b/);
  });

  it("offers GET for queries only, with typed input", () => {
    expect(Object.keys(paths["/v1/services/account/{key}/balance"]!)).toContain("get");
    expect(Object.keys(paths["/v1/services/account/{key}/deposit"]!)).not.toContain("get");
    const parameters = resolve(paths, "#/~1v1~1services~1account~1{key}~1balance/get/parameters") as unknown[];
    expect(parameters).toContainEqual({
      name: "input",
      in: "query",
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/account.balance.input" } } },
    });
  });

  it("says whether an input may be left out, and a result may be nothing", () => {
    const both = { input: z.int().optional(), output: z.int().optional() };
    const late: Schema = { "~standard": { ...z.int()["~standard"], validate: (value) => Promise.resolve({ value }) } };
    const declared = contract("one", {
      maybe: query(both),
      surely: query({ input: z.int(), output: z.int() }),
      late: query({ input: late, output: late }),
      always: query({ input: z.int().default(1), output: z.int().default(1) }),
    });
    const handlers = Object.fromEntries(Object.keys(declared.functions).map((name) => [name, () => 1]));
    const made = openApiDocument(defineApp({ services: [service(declared, {}, handlers as never)] }));
    const said = Object.keys(declared.functions).map((name) => {
      const { get, post } = resolve(made, `#/paths/~1v1~1services~1one~1{key}~1${name}`) as Json;
      const parameters = get!["parameters"] as unknown as { name?: string; required?: boolean }[];
      const answer = resolve(post, "#/responses/200/content/application~1json/schema") as Json;
      const isRequired = parameters.find((one) => one.name === "input")?.required;
      return [name, post!["requestBody"]!["required"], isRequired, answer["anyOf"]?.[1]];
    });
    expect(said).toEqual([
      ["maybe", false, false, { type: "null" }],
      ["surely", true, true, undefined],
      ["late", false, false, undefined],
      ["always", false, false, undefined],
    ]);
  });

  it("describes refusals as typed 409 answers", () => {
    const schema = resolve(
      paths,
      "#/~1v1~1services~1account~1{key}~1transfer/post/responses/409/content/application~1problem+json/schema",
    ) as { oneOf: { properties: Record<string, unknown> }[] };
    expect(schema.oneOf.map(({ properties }) => properties["type"])).toEqual([
      { const: "/problems/account/insufficient-funds" },
      { const: "/problems/account/account-closed" },
    ]);
    expect(resolve(document, "#/components/schemas/account.transfer.refusal.insufficient-funds")).toMatchObject({
      properties: { balance: { type: "number" } },
    });
    expect(resolve(paths, "#/~1v1~1services~1account~1{key}~1deposit/post/responses/409")).toBeUndefined();
  });

  it("gives each operation an id of its own, answers, and declares each path parameter", () => {
    const ids: unknown[] = [];
    for (const [path, item] of Object.entries(paths)) {
      const methods = Object.entries(item).filter(([name]) => ["get", "post", "delete"].includes(name));
      expect(methods.length).toBeGreaterThan(0);
      for (const [, operation] of methods) {
        ids.push(operation["operationId"]);
        const statuses = Object.keys(operation["responses"]!);
        expect(statuses).toContain(path.endsWith("/send") ? "202" : "200");
        if (path !== "/health") expect(statuses).toEqual(expect.arrayContaining(["401", "500", "503"]));
      }
      expect("parameters" in item).toBe(path.includes("{"));
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("types the events of a stream and the rows of a view", () => {
    expect(resolve(document, "#/components/schemas/stream.sales.event")).toMatchObject({
      properties: {
        item: { type: "string" },
        amount: { type: "integer" },
        price: { type: "number" },
        at: { type: "integer" },
      },
      required: ["item", "amount", "price", "at"],
    });
    expect(resolve(document, "#/components/schemas/view.sales-per-minute.row")).toMatchObject({
      required: ["key", "window", "orders", "revenue", "worth", "final"],
      properties: { key: { type: "string" }, revenue: { type: "integer" }, worth: { type: "number" } },
    });
  });

  it("has nested fields of events in their objects, and null where they are optional", () => {
    const Parcels = stream("parcels", {
      id: nested("parcel.id", text()),
      country: optional(nested("parcel.to.country", text())),
      express: boolean(),
      grams: optional(int64()),
      at: timestamp(),
    });
    const flows = [flow("parcels").from(Parcels, { time: "at" }).toView("parcels", { key: "id" })];
    const parcels = openApiDocument(defineApp({ services: [], flows }));
    const country = { type: ["string", "null"] };
    const to = { type: ["object", "null"], properties: { country }, required: [] };
    expect(resolve(parcels, "#/components/schemas/stream.parcels.event")).toEqual({
      type: "object",
      properties: {
        parcel: { type: "object", properties: { id: { type: "string" }, to }, required: ["id"] },
        express: { type: "boolean" },
        grams: { type: ["integer", "null"], format: "int64" },
        at: { type: "integer", format: "int64", description: "Milliseconds since 1970." },
      },
      required: ["parcel", "express", "at"],
    });
    expect(resolve(parcels, "#/components/schemas/view.parcels.row")).toMatchObject({
      properties: { id: { type: "string" }, country, express: { type: "boolean" } },
      required: ["id", "country", "express", "grams", "at"],
    });
  });

  it("has events by the names of their fields where they are read", async () => {
    const fields = { id: nested("parcel.id", text()), grams: optional(int64()) };
    const Kept = stream("parcels", fields, { retention: "1h" });
    const served = testApp({ services: [], streams: [Kept] });
    await served
      .client({})
      .stream(Kept)
      .send([{ id: "a" }]);
    const asked = await served.fetch("/v1/streams/parcels", { headers: { accept: "application/json" } });
    const page = (await asked.json()) as { events: { event: unknown }[] };
    expect(page.events[0]?.event).toEqual({ id: "a", grams: null });
    const made = await (await served.fetch("/openapi.json")).json();
    const answer = resolve(made, "#/paths/~1v1~1streams~1parcels/get/responses/200/content/application~1json/schema");
    expect(references(answer)).toEqual(["#/components/schemas/stream.parcels.kept"]);
    expect(resolve(made, "#/components/schemas/stream.parcels.kept")).toMatchObject({
      properties: { id: { type: "string" }, grams: { type: ["integer", "null"], format: "int64" } },
      required: ["id", "grams"],
    });
  });

  it("moves references also in members that are called as what holds data", () => {
    const leaf: z.ZodType = z.object({ of: z.array(z.lazy(() => leaf)).optional() });
    const input = z.object({ default: leaf, enum: z.array(leaf), properties: z.object({ const: leaf }) });
    const declared = contract("one", {
      go: fn({ input: input.default({ default: {}, enum: [], properties: { const: {} } }) }),
    });
    const made = openApiDocument(defineApp({ services: [service(declared, {}, { go: () => undefined })] }));
    const text = JSON.stringify(resolve(made, "#/components/schemas/one.go.input"));
    const found = Array.from(text.matchAll(/"\$ref":"([^"]*)"/g), ([, reference]) => reference as string);
    expect(found.length).toBeGreaterThan(3);
    for (const reference of found) expect([reference, typeof resolve(made, reference)]).toEqual([reference, "object"]);
  });

  it("tells a service from a saga, stream and view that are called like it", () => {
    const same = (name: string) => {
      const declared = contract(name, { orders: fn({ input: z.object({ n: z.int() }) }) });
      return service(declared, {}, { orders: () => undefined });
    };
    const Orders = stream("orders", { id: text(), at: timestamp() });
    const made = openApiDocument(
      defineApp({
        services: ["saga", "stream", "view"].map(same),
        sagas: [saga("orders", { input: z.object({ s: z.string() }), steps: [{ name: "wait", delay: "1s" }] })],
        flows: [flow("orders").from(Orders, { time: "at" }).toView("orders", { key: "id" })],
      }),
    ) as Json;
    const ids = Object.values(made["paths"]!).flatMap((item) =>
      Object.values(item).flatMap((operation) => operation["operationId"] ?? []),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, member] of [
      ["services/saga/{key}/orders", "n"],
      ["sagas/orders/{key}", "s"],
    ] as const) {
      const body = resolve(made["paths"]![`/v1/${path}`], "#/post/requestBody/content/application~1json/schema");
      expect(resolve(made, (body as { $ref: string }).$ref)).toHaveProperty(`properties.${member}`);
    }
  });

  it("leaves a schema without JSON Schema undescribed, with the reason", () => {
    const bare: Schema = { "~standard": { version: 1, vendor: "bare", validate: (value) => ({ value }) } };
    const other = contract("other", { go: fn({ input: bare }), date: fn({ input: z.date() }) });
    const handlers = { go: () => undefined, date: () => undefined };
    const bareDocument = openApiDocument(defineApp({ services: [service(other, {}, handlers)] }));
    for (const [name, reason] of Object.entries({ go: '"bare" offers no JSON Schema', date: "Date cannot" })) {
      expect(resolve(bareDocument, `#/components/schemas/other.${name}.input`)).toEqual({
        description: expect.stringContaining(reason),
      });
    }
  });

  it("describes a Date in a result as it is written", () => {
    expect(resolve(document, "#/components/schemas/account.plant.output")).toMatchObject({
      properties: { when: { type: "string", format: "date-time" } },
    });
  });

  it("has the paths of sagas, and the input of outcomes", () => {
    const ship = saga("ship", {
      input: z.object({ item: z.string() }),
      steps: [{ name: "go", run: () => undefined }],
    });
    const part = z.object({ name: z.string() }).meta({ id: "part" });
    const told = contract("told", { tell: fn({ input: outcome(z.object({ parts: z.array(part) })) }) });
    const sagaApp = defineApp({ services: [service(told, {}, { tell: () => undefined })], sagas: [ship] });
    const described = JSON.parse(JSON.stringify(openApiDocument(sagaApp))) as Json;
    const path = "/v1/sagas/ship/{key}";
    expect(Object.keys(described["paths"] as Json)).toEqual(
      expect.arrayContaining([path, `${path}/cancel`, `${path}/retry`]),
    );
    expect(Object.keys((described["paths"] as Json)[path] as Json)).toEqual(["parameters", "get", "post", "delete"]);
    expect(resolve(described, "#/components/schemas/saga.ship.input")).toMatchObject({ required: ["item"] });
    expect(resolve(described, "#/components/schemas/told.tell.input")).toHaveProperty("oneOf");
    const all = references(described);
    expect(all.filter((reference) => resolve(described, reference) === undefined)).toEqual([]);
    expect(all.some((reference) => reference.startsWith("#/components/schemas/told.tell.input/oneOf/0/"))).toBe(true);
  });

  it("does not take data for references", () => {
    const odd = z.object({ kind: z.literal("#/x").meta({ examples: [{ $ref: "#/not-a-reference" }] }) });
    const other = contract("other", { go: fn({ input: odd }) });
    const oddApp = defineApp({ services: [service(other, {}, { go: () => undefined })] });
    expect(JSON.stringify(openApiDocument(oddApp))).toContain('{"$ref":"#/not-a-reference"}');
  });
});
