import { describe, expect, it, vi } from "vitest";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { problemOf } from "../../sdk/problems.ts";
import { ConfigurationError } from "../../worker/backend.ts";
import { LIMITS } from "../../worker/limits.ts";
import { edge, problemIn, SAFE_HEADERS } from "./support/edge.ts";

const DEPOSIT = "/v1/services/account/alice/deposit";
const BALANCE = "/v1/services/account/alice/balance";
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

describe("an invocation by POST", () => {
  it("reaches its partition as one row, and its result comes back as it is", async () => {
    const { post, backend } = edge();
    const response = await post(DEPOSIT, '{"amount": 5}');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      service: "account",
      key: "alice",
      function: "deposit",
      input: { amount: 5 },
    });
    expect(backend.executed).toMatchObject([
      { line: 1, flags: 0, service: "account", key: "alice", function: "deposit", input: '{"amount": 5}' },
    ]);
  });

  it("answers with type, epoch and security headers", async () => {
    const response = await edge().post(DEPOSIT, "{}");
    expect(Object.fromEntries(response.headers)).toEqual({
      ...SAFE_HEADERS,
      "content-type": "application/json",
      "tidegate-epoch": "7",
    });
  });

  it("passes a refusal on as 409", async () => {
    const response = await edge().post("/v1/services/account/alice/transfer", "{}");
    expect(response.status).toBe(409);
    expect(await problemIn(response)).toMatchObject({
      type: "/problems/account/insufficient-funds",
      data: { balance: 1 },
    });
  });

  it("takes an empty body as no input, with or without a type", async () => {
    const { post, ask, backend } = edge();
    await post(DEPOSIT);
    await ask(DEPOSIT, { method: "POST" });
    await ask(DEPOSIT, { method: "POST", body: new Uint8Array(0) });
    expect(backend.executed.map(({ input }) => input)).toEqual(["", "", ""]);
  });

  it("keeps the input's bytes: order, spaces, big numbers, escapes", async () => {
    const { post, backend } = edge();
    const text = '\n{"b":12345678901234567890, "a":"\\u0000\\ud800 ü🌊"}\t';
    await post(DEPOSIT, text);
    expect(backend.executed[0]?.input).toBe(text);
  });

  it("echoes a traceparent, on errors too, and ignores a malformed one", async () => {
    const { post, ask } = edge();
    expect((await post(DEPOSIT, "{}", { traceparent: TRACE })).headers.get("traceparent")).toBe(TRACE);
    expect((await ask("/nothing", { headers: { traceparent: TRACE } })).headers.get("traceparent")).toBe(TRACE);
    for (const bad of [TRACE.toUpperCase(), `ff${TRACE.slice(2)}`, "x", TRACE.replace(/4bf9\w+/, "0".repeat(32))]) {
      expect((await post(DEPOSIT, "{}", { traceparent: bad })).headers.has("traceparent")).toBe(false);
    }
  });

  it.each([
    ["{", 1, "unexpected-end"],
    ['{"a":1,\n"b":tru}', 2, "unexpected-byte"],
    ["{} {}", 1, "trailing-bytes"],
    [" ", 1, "empty"],
    ["\uFEFF{}", 1, "unexpected-byte"],
  ])("refuses %j as malformed JSON and says where", async (text, line, code) => {
    const { post, backend } = edge();
    const response = await post(DEPOSIT, new TextEncoder().encode(text));
    expect(response.status).toBe(400);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/malformed-json", line, code });
    expect(backend.arrivals).toHaveLength(0);
  });

  it("counts the column of a fault in its line", async () => {
    const problem = await problemIn(await edge().post(DEPOSIT, '{\n  "a": x\n}'));
    expect(problem).toMatchObject({ line: 2, column: 8, offset: 9 });
  });

  it("refuses bytes that are not UTF-8", async () => {
    const response = await edge().post(DEPOSIT, new Uint8Array([0x22, 0xff, 0x22]));
    expect((await problemIn(response)).code).toBe("bad-utf8");
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"])(
    "refuses the content type %s",
    async (type) => {
      const response = await edge().post(DEPOSIT, "{}", { "content-type": type });
      expect(response.status).toBe(415);
      expect((await problemIn(response)).type).toBe("/problems/unsupported-media-type");
    },
  );

  it("takes application/json with parameters and in any case", async () => {
    expect((await edge().post(DEPOSIT, "{}", { "content-type": "Application/JSON; charset=utf-8" })).status).toBe(200);
  });

  it("refuses compressed bodies", async () => {
    expect((await edge().post(DEPOSIT, "{}", { "content-encoding": "gzip" })).status).toBe(415);
  });

  it.each([
    ["/v1/services/nobody/a/deposit", "unknown-service"],
    ["/v1/services/account/a/nothing", "unknown-function"],
    ["/v1/services/account/a/constructor", "unknown-function"],
    ["/v1/services/account/a/__proto__", "unknown-function"],
    ["/v1/services/constructor/a/deposit", "unknown-service"],
    ["/v1/services/account/a", "not-found"],
    ["/v2/services/account/a/deposit", "not-found"],
    ["/v1/services/account/a/deposit/", "not-found"],
    ["/", "not-found"],
    ["/v1/message/1", "not-found"],
  ])("answers 404 for %s", async (path, type) => {
    const response = await edge().post(path, "{}");
    expect(response.status).toBe(404);
    expect((await problemIn(response)).type).toBe(`/problems/${type}`);
  });
});

describe("a query by GET", () => {
  it("sends its input parameter and the query-only flag", async () => {
    const { ask, backend } = edge();
    const response = await ask(`${BALANCE}?input=${encodeURIComponent('{"at":"a+b & c"}')}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(backend.executed).toMatchObject([{ flags: INVOKE_FLAG.queryOnly, input: '{"at":"a+b & c"}' }]);
  });

  it("takes + for a space, as forms do", async () => {
    const { ask, backend } = edge();
    await ask(`${BALANCE}?x=1&input=%22a+b%22#frag`);
    expect(backend.executed[0]?.input).toBe('"a b"');
  });

  it("asks for a snapshot when told to", async () => {
    const { ask, backend } = edge();
    await ask(`${BALANCE}?consistency=snapshot`);
    await ask(`${BALANCE}?consistency=fresh`);
    expect(backend.executed.map(({ flags }) => flags)).toEqual([
      INVOKE_FLAG.queryOnly | INVOKE_FLAG.snapshot,
      INVOKE_FLAG.queryOnly,
    ]);
  });

  it("asks for a snapshot that is not older than what its caller was told", async () => {
    const { ask, backend } = edge();
    const headers = { "tidegate-epoch": "3.17" };
    await ask(`${BALANCE}?consistency=snapshot`, { headers });
    await ask(BALANCE, { headers });
    const notBefore = INVOKE_FLAG.queryOnly | INVOKE_FLAG.snapshot | INVOKE_FLAG.notBefore;
    expect(backend.executed.map(({ flags }) => flags)).toEqual([notBefore, INVOKE_FLAG.queryOnly]);
    for (const wrong of ["", "3", "3.x", "9999999.1", "1.4294967296"]) {
      const refused = await ask(`${BALANCE}?consistency=snapshot`, { headers: { "tidegate-epoch": wrong } });
      expect((await problemIn(refused)).type).toBe("/problems/invalid-parameter");
    }
  });

  it.each([
    ["?consistency=stale", "invalid-parameter", 400],
    ["?input=%zz", "invalid-parameter", 400],
    ["?input={", "malformed-json", 400],
    [`?input="${"x".repeat(LIMITS.queryInputBytes)}"`, "body-too-large", 413],
  ])("refuses %s", async (search, type, status) => {
    const { ask, backend } = edge();
    const response = await ask(BALANCE + search);
    expect(response.status).toBe(status);
    expect((await problemIn(response)).type).toBe(`/problems/${type}`);
    expect(backend.arrivals).toHaveLength(0);
  });

  it("does not reach functions that may write", async () => {
    const { ask, backend } = edge();
    const response = await ask(DEPOSIT);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect((await problemIn(response)).type).toBe("/problems/method-not-allowed");
    expect(backend.arrivals).toHaveLength(0);
  });

  it("answers HEAD without a body", async () => {
    const response = await edge().ask(BALANCE, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});

describe("methods", () => {
  it.each([
    ["PUT", DEPOSIT, "GET, POST"],
    ["DELETE", DEPOSIT, "GET, POST"],
    ["OPTIONS", DEPOSIT, "GET, POST"],
    ["GET", `${DEPOSIT}/send`, "POST"],
    ["GET", "/v1/batch", "POST"],
    ["PUT", "/v1/streams/sales", "GET, POST"],
    ["POST", "/v1/views/sales-per-minute", "GET"],
    ["POST", "/v1/views/sales-per-minute/a", "GET"],
    ["POST", "/openapi.json", "GET"],
    ["POST", "/health", "GET"],
  ])("refuses %s %s and names what is allowed", async (method, path, allow) => {
    const response = await edge().ask(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect((await problemIn(response)).type).toBe("/problems/method-not-allowed");
  });
});

describe("errors", () => {
  it("says what is wrong with the configuration", async () => {
    const { post, backend } = edge();
    backend.keyGroupMap = () => Promise.reject(new ConfigurationError("misconfigured", "stored 4, declared 8"));
    const response = await post(DEPOSIT, "{}");
    expect(response.status).toBe(500);
    expect(await problemIn(response)).toMatchObject({
      type: "/problems/misconfigured",
      detail: "stored 4, declared 8",
    });
  });

  it("logs what it does not know, and shows nothing of it", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { post, backend } = edge();
    backend.kernels = () => {
      throw new TypeError("inner secret");
    };
    const response = await post(DEPOSIT, "{}");
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ type: "/problems/internal-error", status: 500 });
    expect(text).not.toMatch(/inner secret|\.ts:|at /);
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });

  it("sends Retry-After with a 503 that a partition made", async () => {
    const { post, backend } = edge();
    backend.answer = () => ({ status: 503, flags: 4, body: JSON.stringify(problemOf("overloaded")) });
    const response = await post(DEPOSIT, "{}");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(backend.arrivals).toHaveLength(1);
  });
});
