import { describe, expect, it } from "vitest";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn, SAFE_HEADERS } from "./support/edge.ts";

const SEND = "/v1/services/account/alice/deposit/send";

/** A back end that keeps messages. */
function keeping() {
  const backend = new FakeBackend();
  backend.answer = ({ requestId }) => ({ status: 202, body: JSON.stringify({ id: `m-${requestId}` }) });
  return edge(backend);
}

describe("a message by POST", () => {
  it("reaches its partition as one row with the flag, and is answered with 202 and its id", async () => {
    const { post, backend } = keeping();
    const response = await post(SEND, '{"amount": 5}');
    expect(response.status).toBe(202);
    expect(Object.fromEntries(response.headers)).toEqual({
      ...SAFE_HEADERS,
      "content-type": "application/json",
      "tidegate-epoch": "7",
    });
    expect(await response.json()).toEqual({ id: `m-${backend.executed[0]?.requestId}` });
    const row = { line: 1, flags: INVOKE_FLAG.oneWay, service: "account", key: "alice", function: "deposit" };
    expect(backend.executed).toMatchObject([{ ...row, input: '{"amount": 5}' }]);
  });

  it("is one under one Idempotency-Key, and none of the call's under the same", async () => {
    const { post, backend } = keeping();
    const headers = { "idempotency-key": '"one"' };
    const [first, second] = [await post(SEND, "{}", headers), await post(SEND, "{}", headers)];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await second.json()).toEqual(await first.json());
    expect([first, second].map(({ headers: own }) => own.get("idempotency-replayed"))).toEqual([null, "true"]);
    expect((await post(SEND, "[]", headers)).status).toBe(422);
    await post(SEND.replace("/send", ""), "{}", headers);
    expect(backend.executed.map(({ flags }) => flags)).toEqual([
      INVOKE_FLAG.oneWay | INVOKE_FLAG.clientId,
      INVOKE_FLAG.clientId,
    ]);
  });

  it("decodes keys as calls do", async () => {
    const { post, backend } = keeping();
    await post("/v1/services/account/a%2Fb/deposit/send", "{}");
    await post("/v1/services/account/~Li4/deposit/send", "{}");
    expect(backend.executed.map(({ key }) => key)).toEqual(["a/b", ".."]);
  });

  it.each([
    ["/v1/services/nobody/a/deposit/send", 404, "unknown-service"],
    ["/v1/services/account/a/nothing/send", 404, "unknown-function"],
    ["/v1/services/account//deposit/send", 400, "invalid-key"],
    ["/v1/services/account/a/deposit/send/", 404, "not-found"],
    ["/v1/services/account/a/balance/send", 405, "method-not-allowed"],
    [`${SEND}?delay=soon`, 400, "invalid-parameter"],
    [`${SEND}?delay=`, 400, "invalid-parameter"],
    [`${SEND}?at=2027-02-31T00:00:00Z`, 400, "invalid-parameter"],
    [`${SEND}?at=2027-13-01T00:00:00Z`, 400, "invalid-parameter"],
  ])("is refused at %s with %d %s", async (path, status, type) => {
    const { post, backend } = keeping();
    const response = await post(path, "{}");
    expect(response.status).toBe(status);
    expect((await problemIn(response)).type).toBe(`/problems/${type}`);
    expect(backend.executed).toEqual([]);
  });

  it("is refused without the token, with a body that is not JSON, too large or of another type, and by GET", async () => {
    const { post, ask, backend } = keeping();
    const responses = [
      await ask(SEND, { method: "POST", body: "{}", anonymous: true }),
      await post(SEND, "{"),
      await post(SEND, `"${"x".repeat(1 << 20)}"`),
      await post(SEND, "{}", { "content-type": "text/plain" }),
      await ask(SEND),
    ];
    expect(responses.map(({ status }) => status)).toEqual([401, 400, 413, 415, 405]);
    expect(responses.at(-1)?.headers.get("allow")).toBe("POST");
    expect(backend.executed).toEqual([]);
  });
});
