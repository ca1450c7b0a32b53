import { describe, expect, it } from "vitest";
import { INVOKE_FLAG, issuedAt } from "../../protocol/wire/invoke.ts";
import { clientRequestId, edgeIdPrefix, edgeRequestId } from "../../worker/idempotency.ts";
import { edge, problemIn } from "./support/edge.ts";

const DEPOSIT = "/v1/services/account/alice/deposit";
const withKey = (key: string) => ({ "idempotency-key": key });

describe("Idempotency-Key", () => {
  it("runs a repeated request once, and says that the second answer is a replay", async () => {
    const { post, backend } = edge();
    const first = await post(DEPOSIT, '{"amount":1}', withKey('"k"'));
    const second = await post(DEPOSIT, '{"amount":1}', withKey('"k"'));
    expect(backend.executed).toHaveLength(1);
    expect(backend.executed[0]?.flags).toBe(INVOKE_FLAG.clientId);
    expect(first.headers.has("idempotency-replayed")).toBe(false);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(await second.text()).toBe(await first.text());
  });

  it("sends another fingerprint for another body, which the partition refuses", async () => {
    const { post } = edge();
    await post(DEPOSIT, '{"amount":1}', withKey('"k"'));
    const response = await post(DEPOSIT, '{"amount":2}', withKey('"k"'));
    expect(response.status).toBe(422);
    expect((await problemIn(response)).type).toBe("/problems/idempotency-conflict");
  });

  it("makes one request of both spellings of a key", async () => {
    const { post, backend } = edge();
    await post("/v1/services/account/a/deposit", "{}", withKey('"k"'));
    await post("/v1/services/account/~YQ/deposit", "{}", withKey('"k"'));
    expect(backend.executed).toHaveLength(1);
  });

  it("is scoped by service key, function and value", async () => {
    const { post, backend } = edge();
    for (const path of ["a/deposit", "b/deposit", "a/plant", "a%22,%22b/deposit"]) {
      await post(`/v1/services/account/${path}`, "{}", withKey('"k"'));
    }
    await post("/v1/services/account/a/deposit", "{}", withKey('"K"'));
    expect(new Set(backend.executed.map(({ requestId }) => requestId)).size).toBe(5);
  });

  it("is scoped by the path also where two lead to one function", async () => {
    const { post, backend } = edge();
    expect((await post("/v1/promises/p", "{}", withKey('"k"'))).status).toBe(200);
    expect((await post("/v1/promises/p/reject", "{}", withKey('"k"'))).status).toBe(200);
    expect(backend.executed.map(({ input }) => input)).toEqual(['{"ok":true,"value":{}}', '{"ok":false,"reason":{}}']);
  });

  it("makes a new id for each request without one", async () => {
    const { post, backend } = edge();
    await post(DEPOSIT, "{}");
    await post(DEPOSIT, "{}");
    const ids = backend.executed.map(({ requestId }) => requestId);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^e[0-9a-f]{23}00000001$/);
  });

  it.each([
    ["k", "unquoted"],
    ["'k'", "other quotes"],
    ['""', "empty"],
    ['"a', "not closed"],
    ['"a" "b"', "two strings"],
    ['"a", "b"', "a list"],
    ['"a"b', "trailing text"],
    ['"\\n"', "an escape that strings do not have"],
    ['"a"b"', "an inner quote"],
    ['"\u00fc"', "beyond ASCII"],
    [`"${"x".repeat(256)}"`, "too long"],
    ["", "nothing"],
  ])("refuses %j: %s", async (header) => {
    const { post, backend } = edge();
    const response = await post(DEPOSIT, "{}", withKey(header));
    expect(response.status).toBe(400);
    expect((await problemIn(response)).type).toBe("/problems/invalid-idempotency-key");
    expect(backend.arrivals).toHaveLength(0);
  });

  it.each(['"k"', '"a b"', '"say \\"x\\" \\\\ y"', '"k";version=1', `"${"x".repeat(255)}"`, `"${"\\\\".repeat(255)}"`])(
    "takes %s",
    async (header) => {
      expect((await edge().post(DEPOSIT, "{}", withKey(header))).status).toBe(200);
    },
  );

  it("reads escapes and drops parameters", async () => {
    const { post, backend } = edge();
    await post(DEPOSIT, "{}", withKey('"k"'));
    await post(DEPOSIT, "{}", withKey('"k"; v=2'));
    await post(DEPOSIT, "{}", withKey('"\\"k\\""'));
    expect(backend.executed).toHaveLength(2);
  });
});

describe("request ids", () => {
  it("of clients are stable and depend on every part, unambiguously", () => {
    const id = clientRequestId("owner", "POST", ["account", "a", "deposit"], "k");
    expect(id).toMatch(/^c[0-9a-f]{31}$/);
    expect(clientRequestId("owner", "POST", ["account", "a", "deposit"], "k")).toBe(id);
    const others = [
      clientRequestId("owner", "POST", ["account", "a", "depositk"], ""),
      clientRequestId("owner", "POST", ["account", 'a","deposit', "k"], ""),
      clientRequestId("owner", "POST", ["accounta", "", "deposit"], "k"),
      clientRequestId("other", "POST", ["account", "a", "deposit"], "k"),
      clientRequestId("owner", "PUT", ["account", "a", "deposit"], "k"),
    ];
    expect(new Set([id, ...others]).size).toBe(6);
  });

  it("of the edge carry their time, which the protocol reads", () => {
    const now = Date.UTC(2026, 10, 23);
    const id = edgeRequestId(now, "01234567-89ab-4cde-8f01-23456789abcd");
    expect(id).toBe(`e${now.toString(16).padStart(11, "0")}0123456789ab00000001`);
    expect(id).toHaveLength(32);
    expect(issuedAt(id)).toBe(now);
    expect(edgeIdPrefix(now, "01234567-89ab-4cde-8f01-23456789abcd")).toHaveLength(24);
  });
});
