/**
 * The OWASP API Security Top 10 (2023), point by point, at the edge. API2 has a file of its own; what needs real objects is in
 * tests/workerd/door.test.ts.
 */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openApiDocument } from "../../worker/openapi/document.ts";
import { LIMITS } from "../../worker/limits.ts";
import { problemIn, resultLines, SAFE_HEADERS } from "../worker/support/edge.ts";
import { CLOSED, DENIED, outcome, READ, WRITE } from "./outcome.ts";
import { ADMIN_TOKEN, appWith, AUDIENCE, door, ISSUER, JWKS, staticKey, TOKEN, token } from "./support.ts";

describe("API1 broken object level authorization", () => {
  it("opens a key to whom the rule names, and another's key to nobody else", async () => {
    const { post, ask, backend } = door();
    const alice = await token({ sub: "alice" });
    expect(await outcome(await post(WRITE("alice"), { text: "mine" }, { as: alice }))).toBe("200");
    expect(await outcome(await ask(READ("alice"), { as: alice }))).toBe("200");
    const executed = backend.executed.length;
    expect(await outcome(await post(WRITE("bob"), { text: "not mine" }, { as: alice }))).toBe(DENIED);
    expect(await outcome(await ask(READ("bob"), { as: alice }))).toBe(DENIED);
    expect(await outcome(await post(`${WRITE("bob")}/send`, { text: "x" }, { as: alice }))).toBe(DENIED);
    expect(backend.executed).toHaveLength(executed);
  });

  it("asks for the key as the function will see it, however it is written in the address", async () => {
    const { post } = door();
    const alice = await token({ sub: "alice" });
    for (const written of ["al%69ce", `~${Buffer.from("alice").toString("base64url")}`])
      expect(await outcome(await post(WRITE(written), { text: "x" }, { as: alice }))).toBe("200");
    for (const written of ["al%69ce%00", `~${Buffer.from("bob").toString("base64url")}`, "alice%2F..%2Fbob", "Alice"])
      expect(await outcome(await post(WRITE(written), { text: "x" }, { as: alice }))).toBe(DENIED);
  });

  it("asks for every line of a batch, and runs the others in order", async () => {
    const { post, backend } = door();
    const line = (key: string, text: string) =>
      JSON.stringify({ service: "note", key, function: "write", input: { text } });
    const body = [line("alice", "1"), line("bob", "2"), line("alice", "3"), line("carol", "4"), "no json"].join("\n");
    const response = await post("/v1/batch?ordered=1", body, {
      as: await token({ sub: "alice" }),
      headers: { "content-type": "application/x-ndjson" },
    });
    const results = await resultLines(response);
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, 200],
      [2, 403],
      [3, 200],
      [4, 403],
      [5, 400],
    ]);
    expect(results[1]?.problem?.type).toBe("/problems/forbidden");
    expect(backend.executed.map(({ key, input }) => [key, input])).toEqual([
      ["alice", '{"text":"1"}'],
      ["alice", '{"text":"3"}'],
    ]);
  });

  it("keeps tenants apart: the credential says whose data it is, and no header or key does", async () => {
    const { post, backend } = door({ tenants: true });
    const acme = await token({ sub: "alice", tenant: "acme" });
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as: acme }))).toBe("200");
    expect([backend.executed.length, backend.domains.get("acme")?.executed.length]).toEqual([0, 1]);
    const headers = { "tidegate-tenant": "globex" };
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as: acme, headers }))).toBe(DENIED);
    expect(backend.domains.has("globex")).toBe(false);
    const none = await token({ sub: "alice" });
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as: none }))).toBe(DENIED);
    // Somebody without a credential reaches no tenant's data, and makes no tenant.
    expect(await outcome(await door({ tenants: true }).ask("/v1/services/note/a/title", { as: "", headers }))).toBe(
      DENIED,
    );
    expect(await outcome(await post(WRITE("x"), { text: "x" }, { headers }))).toBe("200");
    expect(backend.domains.get("globex")?.executed).toHaveLength(1);
  });

  it("answers no caller with what another got under the same Idempotency-Key", async () => {
    const { post, backend } = door();
    const headers = { "idempotency-key": '"one"' };
    const [first, second] = [
      staticKey({ name: "a", roles: ["janitor"] }),
      staticKey({ name: "b", roles: ["janitor"] }),
    ];
    backend.keys = JSON.stringify([first.entry, second.entry]);
    const purge = "/v1/services/note/x/purge";
    for (const { key } of [first, second]) {
      const answer = await post(purge, "", { as: key, headers });
      expect([answer.status, answer.headers.get("idempotency-replayed")]).toEqual([200, null]);
    }
    expect(backend.executed).toHaveLength(2);
  });

  it("holds for views and streams, which are closed without a rule", async () => {
    const { post, ask } = door();
    const alice = await token({ sub: "alice" });
    expect(await outcome(await ask("/v1/views/clicks-per-page/alice", { as: alice }))).toBe("200");
    expect(await outcome(await ask("/v1/views/clicks-per-page/bob", { as: alice }))).toBe(DENIED);
    expect(await outcome(await ask("/v1/views/clicks-per-page", { as: alice }))).toBe(DENIED);
    expect(await outcome(await ask("/v1/views/hidden-clicks/alice", { as: alice }))).toBe(DENIED);
    const event = '{"page":"/","at":1}\n';
    const headers = { "content-type": "application/x-ndjson" };
    expect(await outcome(await post("/v1/streams/clicks", event, { as: alice, headers }))).toBe(DENIED);
    const collector = await token({ roles: ["collector"] });
    expect(await outcome(await post("/v1/streams/clicks", event, { as: collector, headers }))).toBe("200");
  });
});

describe("API3 broken object property level authorization", () => {
  it("passes __proto__ and constructor on as members like any other, and pollutes nothing", async () => {
    const { post, backend } = door();
    const body = '{"text":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    expect(await outcome(await post(WRITE("alice"), body))).toBe("200");
    expect(backend.executed[0]?.input).toBe(body);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "has no service, function, stream or view %s",
    async (name) => {
      const { post, ask } = door();
      expect(await outcome(await post(`/v1/services/${name}/a/write`, {}))).toBe("404 /problems/unknown-service");
      expect(await outcome(await post(`/v1/services/note/a/${name}`, {}))).toBe("404 /problems/unknown-function");
      expect(await outcome(await post(`/v1/streams/${name}`, ""))).toBe("404 /problems/unknown-stream");
      expect(await outcome(await ask(`/v1/views/${name}`))).toBe("404 /problems/unknown-view");
    },
  );
});

describe("API4 unrestricted resource consumption", () => {
  it("refuses bodies above the app's limits, declared or not", async () => {
    const { post, ask } = door({ limits: { callBytes: 100, batchBytes: 200, batchLines: 2, eventsBytes: 100 } });
    const large = JSON.stringify({ text: "x".repeat(100) });
    expect(await outcome(await post(WRITE("a"), large))).toBe("413 /problems/body-too-large");
    const streamed = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(new TextEncoder().encode("x".repeat(50)));
        controller.close();
      },
    });
    const headers = { "content-type": "application/json" };
    expect(await outcome(await ask(WRITE("a"), { method: "POST", body: streamed, headers }))).toBe(
      "413 /problems/body-too-large",
    );
    expect(await outcome(await post("/v1/batch", "x".repeat(201)))).toBe("413 /problems/body-too-large");
    expect(await outcome(await post("/v1/batch", "{}\n{}\n{}\n"))).toBe("413 /problems/batch-too-large");
    expect(
      await outcome(
        await post("/v1/streams/clicks", "x".repeat(101), { headers: { "content-type": "application/x-ndjson" } }),
      ),
    ).toBe("413 /problems/body-too-large");
  });

  it("refuses JSON that is nested too deeply, in calls and in batches", async () => {
    const { post } = door();
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect((await problemIn(await post(WRITE("a"), deep)))["code"]).toBe("too-deep");
    const line = `{"service":"note","key":"a","function":"write","input":${deep}}`;
    const [result] = await resultLines(await post("/v1/batch", line));
    expect([result?.status, result?.problem?.["code"]]).toEqual([400, "too-deep"]);
  });

  it("refuses keys, inputs of queries, Idempotency-Keys and tokens that are too long", async () => {
    const { post, ask } = door();
    expect(await outcome(await post(WRITE("k".repeat(513)), {}))).toBe("400 /problems/key-too-large");
    expect(await outcome(await ask(`${READ("a")}?input="${"x".repeat(LIMITS.queryInputBytes)}"`))).toBe(
      "413 /problems/body-too-large",
    );
    const headers = { "idempotency-key": `"${"k".repeat(256)}"` };
    expect(await outcome(await post(WRITE("a"), {}, { headers }))).toBe("400 /problems/invalid-idempotency-key");
    expect(
      await outcome(await post(WRITE("alice"), {}, { as: await token({ filling: "x".repeat(LIMITS.jwtChars) }) })),
    ).toBe(CLOSED);
  });

  it("slows a caller that is too fast, by requests and by lines, and no other", async () => {
    const { post, ask, backend } = door({ limits: { rate: { perSecond: 2, burst: 4 } } });
    let now = 1_000_000_000_000;
    const hour = Math.floor(now / 1_000) + 3_600;
    backend.now = () => now;
    const [alice, bob] = [
      await token({ sub: "alice" }, { expires: hour }),
      await token({ sub: "bob" }, { expires: hour }),
    ];
    for (let i = 0; i < 4; i++) expect((await ask(READ("alice"), { as: alice })).status).toBe(200);
    const slowed = await ask(READ("alice"), { as: alice });
    expect(await outcome(slowed)).toBe("429 /problems/rate-limited");
    expect(slowed.headers.get("retry-after")).toBe("1");
    expect((await ask(READ("bob"), { as: bob })).status).toBe(200);
    expect((await ask(READ("alice"))).status).toBe(200);
    now += 1_000;
    const line = '{"service":"note","key":"alice","function":"read"}\n';
    expect(await outcome(await post("/v1/batch", line.repeat(3), { as: alice }))).toBe("429 /problems/rate-limited");
    now += 1_500;
    expect((await post("/v1/batch", line.repeat(3), { as: alice })).status).toBe(200);
    expect((await ask(READ("alice"), { as: alice })).status).toBe(429);
  });
});

describe("API5 broken function level authorization", () => {
  const ADMIN = ["/admin/partitions", "/admin/backup", "/admin/restore", "/admin/export", "/admin/erase"];

  it.each(ADMIN)("closes %s to everybody but the administrator", async (path) => {
    const janitor = staticKey({ name: "j", roles: ["admin", "owner"] });
    const { ask } = door({}, [janitor.entry]);
    for (const as of ["", TOKEN, janitor.key, await token({ roles: ["admin"] }), "wrong"]) {
      for (const method of ["GET", "POST", "DELETE"])
        expect(await outcome(await ask(path, { as, method }))).toBe(CLOSED);
    }
  });

  it("does not let the administrator's token call", async () => {
    expect(await outcome(await door().ask(READ("a"), { as: ADMIN_TOKEN }))).toBe(CLOSED);
  });

  it("asks for each function by itself, whatever the rule of the service", async () => {
    const { post } = door();
    const alice = await token({ sub: "alice" });
    expect(await outcome(await post("/v1/services/note/alice/purge", "", { as: alice }))).toBe(DENIED);
    const janitor = await token({ sub: "j", roles: "cleaner janitor" });
    expect(await outcome(await post("/v1/services/note/alice/purge", "", { as: janitor }))).toBe("200");
  });

  it("closes services without a rule to all but the owner, whatever roles a token claims", async () => {
    const { post, ask } = door();
    const boss = await token({ sub: "owner", roles: ["owner", "admin"], kind: "owner" });
    expect(await outcome(await ask("/v1/services/ledger/a/show", { as: boss }))).toBe(DENIED);
    expect(await outcome(await post("/v1/services/ledger/a/book", "", { as: boss }))).toBe(DENIED);
    expect(await outcome(await ask("/v1/services/ledger/a/show"))).toBe("200");
  });

  it("opens to callers without a credential what is public by explicit choice, and nothing else", async () => {
    const { post, ask } = door();
    expect(await outcome(await ask("/v1/services/note/a/title", { as: "" }))).toBe("200");
    for (const path of [
      READ("a"),
      "/v1/services/ledger/a/show",
      "/openapi.json",
      "/v1/views/clicks-per-page",
      "/nothing",
    ])
      expect(await outcome(await ask(path, { as: "" }))).toBe(CLOSED);
    expect(await outcome(await post(WRITE("anonymous"), {}, { as: "" }))).toBe(CLOSED);
    expect(await outcome(await post(WRITE(""), {}, { as: "" }))).toBe(CLOSED);
    const lines = await resultLines(
      await post(
        "/v1/batch",
        '{"service":"note","key":"a","function":"title"}\n{"service":"note","key":"a","function":"read"}\n{"service":"nothing","key":"a","function":"read"}\n',
        { as: "" },
      ),
    );
    expect(lines.toSorted((a, b) => a.line - b.line).map(({ status }) => status)).toEqual([200, 401, 401]);
  });

  it("takes a rule that throws, or answers something else than true, for no", async () => {
    const quiet = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const fail = (): boolean => {
      throw new Error("a rule that fails");
    };
    for (const rule of [fail, (() => 1) as never, (() => "yes") as never, (async () => true) as never]) {
      const { ask } = door({ allow: { views: { "clicks-per-page": rule } } });
      expect(await outcome(await ask("/v1/views/clicks-per-page/a", { as: await token() }))).toBe(DENIED);
    }
    expect(quiet).toHaveBeenCalledTimes(1);
    quiet.mockRestore();
  });
});

describe("API6 unrestricted access to sensitive business flows", () => {
  it("lets a repetition buy nothing twice: it is executed once for an Idempotency-Key", async () => {
    const { post, backend } = door();
    const asked = { as: await token(), headers: { "idempotency-key": '"buy-1"' } };
    for (let i = 0; i < 3; i++) expect((await post(WRITE("alice"), { text: "x" }, asked)).status).toBe(200);
    expect(backend.executed).toHaveLength(1);
  });

  it("watches the rate of callers without a credential by their address", async () => {
    const { ask } = door({ limits: { rate: { perSecond: 1, burst: 1 } } });
    const from = (address: string) =>
      ask("/v1/services/note/a/title", { as: "", headers: { "cf-connecting-ip": address } });
    expect([
      (await from("192.0.2.1")).status,
      (await from("192.0.2.1")).status,
      (await from("192.0.2.2")).status,
    ]).toEqual([200, 429, 200]);
    // One customer has all addresses of an IPv6 network.
    expect([
      (await from("2001:db8:0:1::1")).status,
      (await from("2001:db8:0:1:ffff::2")).status,
      (await from("2001:db8:0:2::1")).status,
    ]).toEqual([200, 429, 200]);
  });
});

describe("API7 server side request forgery", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("fetches no keys from where a token says, only from where the app does", async () => {
    const fetched: string[] = [];
    vi.stubGlobal("fetch", (input: string | URL | Request) => {
      fetched.push(input instanceof Request ? input.url : String(input));
      return Promise.resolve(Response.json(JWKS));
    });
    const { post } = door({ auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, jwks: `${ISSUER}jwks` } } });
    const evil = await generateKeyPair("ES256", { extractable: true });
    const brought = {
      jku: "http://169.254.169.254/latest",
      x5u: "http://127.0.0.1/",
      jwk: await exportJWK(evil.publicKey),
    };
    const forged = await new SignJWT({ sub: "alice", iss: ISSUER, aud: AUDIENCE })
      .setProtectedHeader({ alg: "ES256", ...brought } as never)
      .setExpirationTime("1h")
      .sign(evil.privateKey);
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as: forged }))).toBe(CLOSED);
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as: await token() }))).toBe("200");
    expect(new Set(fetched)).toEqual(new Set([`${ISSUER}jwks`]));
  });

  it("takes key sets from https addresses alone, or this very machine", () => {
    const jwt = (jwks: string) => () => appWith({ auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, jwks } } });
    for (const bad of ["http://issuer.example/jwks", "file:///etc/passwd", "http://127.0.0.1.evil.example/", ""])
      expect(jwt(bad)).toThrow(/jwks/);
    expect(jwt("http://127.0.0.1:9000/jwks")).not.toThrow();
  });
});

describe("API8 security misconfiguration", () => {
  it("says on every answer that it is not to be kept, sniffed, framed or sent by plain http", async () => {
    const { ask } = door();
    for (const [path, as] of [
      ["/health", ""],
      [READ("a"), undefined],
      ["/nothing", undefined],
      [READ("a"), ""],
    ] as const) {
      const response = await ask(path, as === undefined ? {} : { as });
      expect(Object.fromEntries(response.headers)).toMatchObject(SAFE_HEADERS);
    }
  });

  it("lets pages of other origins read nothing unless they are named", async () => {
    const preflight = {
      method: "OPTIONS",
      as: "",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    };
    const none = await door().ask(WRITE("a"), preflight);
    expect([none.status, none.headers.get("access-control-allow-origin")]).toEqual([405, null]);
    const { ask } = door({ cors: { origins: ["https://app.example"], maxAge: "10m" } });
    const allowed = await ask(WRITE("a"), preflight);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, "https://app.example"]);
    expect(allowed.headers.get("access-control-max-age")).toBe("600");
    const headers = allowed.headers.get("access-control-allow-headers")?.split(", ");
    for (const name of ["idempotency-key", "tidegate-producer", "tidegate-sequence", "ce-specversion", "ce-id"])
      expect(headers).toContain(name);
    expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
    for (const origin of ["https://evil.example", "https://app.example.evil.example", "null", "http://app.example"]) {
      const refused = await ask(WRITE("a"), { ...preflight, headers: { ...preflight.headers, origin } });
      expect(refused.headers.get("access-control-allow-origin")).toBeNull();
      expect(refused.headers.get("vary")).toBe("origin");
    }
    // Errors too are answers that a page must be able to read; and /admin is for no page of another origin.
    for (const as of [TOKEN, "wrong"]) {
      const answer = await ask(READ("a"), { as, headers: { origin: "https://app.example" } });
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
      expect(answer.headers.get("access-control-expose-headers")).toContain("tidegate-epoch");
    }
    const admin = await ask("/admin/partitions", { as: ADMIN_TOKEN, headers: { origin: "https://app.example" } });
    expect(admin.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("refuses methods that a route does not have, and shows no stack when something fails", async () => {
    const { ask, backend, post } = door();
    for (const method of ["PUT", "PATCH", "DELETE", "TRACE-ME", "constructor", "__proto__", "toString"])
      expect((await ask(WRITE("a"), { method })).status).toBe(405);
    const quiet = vi.spyOn(console, "error").mockImplementation(() => undefined);
    backend.arrive = () => {
      throw new TypeError("a secret path /srv/app/db.ts:12");
    };
    const text = await (await post(WRITE("a"), { text: "x" })).text();
    quiet.mockRestore();
    expect(text).toContain("internal-error");
    expect(text).not.toMatch(/secret|\.ts|at /);
  });

  it.each([
    ["an empty audience", { auth: { jwt: { issuer: ISSUER, audience: "", jwks: JWKS } } }],
    [
      "a shared secret's algorithm",
      { auth: { jwt: { issuer: ISSUER, audience: "a", jwks: JWKS, algorithms: ["HS256"] } } },
    ],
    ["alg none", { auth: { jwt: { issuer: ISSUER, audience: "a", jwks: JWKS, algorithms: ["none"] } } }],
    ["an origin with a path", { cors: { origins: ["https://app.example/"] } }],
    ["a rule for a stream that there is not", { allow: { streams: { click: () => true } } }],
    ["a rule that is no function", { allow: { views: { "clicks-per-page": true } } }],
    ["a rate of nothing", { limits: { rate: { perSecond: 0 } } }],
    ["a limit of nothing", { limits: { callBytes: 0 } }],
  ])("does not start with %s", (_, options) => {
    expect(() => appWith(options as never)).toThrow(expect.objectContaining({ type: "misconfigured" }));
  });
});

/** What is told of an address that no route has. */
const NO_ROUTE = "see /openapi.json for the routes";

describe("API9 improper inventory management", () => {
  it("describes every route of callers that it answers, with who may use it", async () => {
    const document = openApiDocument(appWith()) as { paths: Record<string, Record<string, { security?: unknown }>> };
    const { ask, post } = door();
    for (const [path, item] of Object.entries(document.paths)) {
      const address = path.replace("{key}", "a").replace("{id}", "x");
      // What is not there under an id is 404 too, but never with the type of a route that there is not.
      const asked = ["get" in item ? await ask(address) : null, "post" in item ? await post(address, "") : null];
      for (const response of asked.filter((each) => each !== null))
        if (response.status === 404) expect([path, (await problemIn(response)).detail]).not.toContain(NO_ROUTE);
    }
    const operation = (path: string) => document.paths[path]?.["get"]?.security;
    expect(operation("/v1/services/note/{key}/title")).toEqual([{}, { bearer: [] }]);
    expect(operation("/v1/services/note/{key}/read")).toBeUndefined();
  });

  it.each([
    "/v0/services/note/a/read",
    "/services/note/a/read",
    "/v1/admin",
    "/debug",
    "/.env",
    "/v1/services/note/a/read/",
  ])("has nothing at %s", async (path) => {
    expect((await door().ask(path)).status).toBe(404);
  });
});

describe("API10 unsafe consumption of APIs", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["fails", () => Promise.reject(new TypeError("no route"))],
    ["answers with an error", () => Promise.resolve(new Response("", { status: 500 }))],
    ["answers with a page", () => Promise.resolve(new Response("<html>"))],
    ["answers with no key set", () => Promise.resolve(Response.json({ keys: "all" }))],
  ])("lets nobody in when the issuer %s, and says that it may be tried again", async (_, answer) => {
    vi.stubGlobal("fetch", answer);
    const quiet = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { post } = door({ auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, jwks: `${ISSUER}jwks` } } });
    const response = await post(WRITE("alice"), { text: "x" }, { as: await token() });
    quiet.mockRestore();
    expect(await outcome(response)).toBe("503 /problems/auth-unavailable");
    expect(response.headers.get("retry-after")).toBe("1");
  });
});
