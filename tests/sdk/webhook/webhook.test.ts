/** Webhooks as they are sent, to receivers on this machine. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EffectContext, EffectFailure, queueProducer, verifyWebhook, webhook } from "../../../sdk/index.ts";
import * as z from "zod";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let origin: string;
let received: Received[];
/** What the receiver answers, request by request: a status, or where it redirects to with 307. */
let answers: Array<number | string>;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body });
      const answer = answers.shift() ?? 204;
      if (typeof answer === "number") response.writeHead(answer, { location: "/moved" }).end();
      else response.writeHead(307, { location: answer }).end("moved");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  received = [];
  answers = [];
});

const context = (env: Record<string, unknown> = { HOOKS: SECRET }): EffectContext => ({
  idempotencyKey: "m0010000000000020000000000000003",
  attempt: 1,
  at: 1_700_000_000_000,
  signal: new AbortController().signal,
  env,
  fail: (message) => new EffectFailure(message),
});

const input = z.object({ path: z.string().default("/"), order: z.string() });
const paid = webhook("order-paid", {
  input,
  url: ({ path }) => (path.startsWith("http") ? path : origin + path),
  data: ({ order }) => ({ order }),
  secret: "HOOKS",
  allow: () => ({ hosts: [new URL(origin).host], http: true }),
});
const deliver = (order: { path: string; order: string }, ctx = context()) =>
  Promise.resolve().then(() => paid.handler(ctx, order));

describe("a webhook", () => {
  test("is posted, signed as its receiver checks it", async () => {
    expect(await deliver({ path: "/hook?a=1", order: "7" })).toEqual({ status: 204 });
    const [{ headers, path, body } = {} as Received] = received;
    expect(path).toBe("/hook?a=1");
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.parse(body)).toEqual({
      type: "order-paid",
      timestamp: "2023-11-14T22:13:20.000Z",
      data: { order: "7" },
    });
    const verified = await verifyWebhook(SECRET, new Headers(headers as Record<string, string>), body);
    expect(verified.id).toBe(context().idempotencyKey);
    expect(Math.abs(verified.sentAt - Date.now())).toBeLessThan(10_000);
  });

  test.each([500, 429, 404, 301, 302, 303])("that is answered %i is tried again", async (status) => {
    answers = [status];
    const error = await deliver({ path: "/", order: "7" }).catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(EffectFailure);
    expect((error as Error).message).toBe(`the receiver answered ${status}`);
    expect(received.length).toBe(1);
  });

  test("that is answered 410 has failed", async () => {
    answers = [410];
    await expect(deliver({ path: "/", order: "7" })).rejects.toThrow(EffectFailure);
  });

  test("follows redirects by 307 and 308 a few times", async () => {
    answers = ["/b", 308, 200];
    expect(await deliver({ path: "/a", order: "7" })).toEqual({ status: 200 });
    expect(received.map(({ path }) => path)).toEqual(["/a", "/b", "/moved"]);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    answers = ["/1", "/2", "/3", "/4", "/5"];
    await expect(deliver({ path: "/0", order: "7" })).rejects.toThrow(EffectFailure);
  });

  test.each(["https://127.0.0.1/", "http://localhost:1/", "//169.254.169.254/latest", "file:///etc/passwd"])(
    "does not follow a redirect to %s",
    async (where) => {
      answers = [where];
      await expect(deliver({ path: "/", order: "7" })).rejects.toThrow(EffectFailure);
      expect(received.length).toBe(1);
    },
  );

  test("goes nowhere that is not allowed, and not without its secret", async () => {
    await expect(deliver({ path: "https://localhost/", order: "7" })).rejects.toThrow(EffectFailure);
    const error = await deliver({ path: "/", order: "7" }, context({})).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ message: "the secret HOOKS is not set" });
    expect(error).not.toBeInstanceOf(EffectFailure);
    expect(received).toEqual([]);
  });
});

describe("a queue", () => {
  const audit = queueProducer("audit", { binding: "AUDIT", input: z.object({ order: z.string(), at: z.date() }) });

  test("is sent the input with the effect's id", async () => {
    const sent: unknown[] = [];
    const env = { AUDIT: { send: async (body: unknown, options: unknown) => void sent.push([body, options]) } };
    await audit.handler(context(env), { order: "7", at: new Date(0) });
    const data = { order: "7", at: "1970-01-01T00:00:00.000Z" };
    expect(sent).toEqual([[{ id: context().idempotencyKey, at: 1_700_000_000_000, data }, { contentType: "json" }]]);
  });

  test("that is not bound is tried again", async () => {
    await expect(audit.handler(context(), { order: "7", at: new Date(0) })).rejects.toThrow("no queue bound as AUDIT");
  });
});
