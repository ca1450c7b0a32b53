import { describe, expect, it } from "vitest";
import { sameSecret } from "../../worker/door/secrets.ts";
import { edge, problemIn } from "./support/edge.ts";

const CLOSED = [
  "/openapi.json",
  "/v1/services/account/a/balance",
  "/v1/views/sales-per-minute",
  "/nothing",
  "/v1/batch",
];

describe("authentication", () => {
  it.each(CLOSED)("closes %s to callers without a token", async (path) => {
    const response = await edge().ask(path, { anonymous: true });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="tidegate"');
    expect((await problemIn(response)).type).toBe("/problems/unauthorized");
  });

  it("leaves /health open, and open without a configured secret", async () => {
    const { ask, backend } = edge();
    backend.token = undefined;
    const response = await ask("/health", { anonymous: true });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
  });

  it("closes everything else without a configured secret, and says how to set it", async () => {
    for (const token of [undefined, ""]) {
      const { ask, backend } = edge();
      backend.token = token;
      const response = await ask("/openapi.json", { headers: { authorization: "Bearer " } });
      expect(response.status).toBe(401);
      expect((await problemIn(response)).detail).toContain("wrangler secret put TIDEGATE_TOKEN");
    }
  });

  it.each([
    "Bearer wrong",
    "Bearer a-secret-toke",
    "Bearer a-secret-tokenn",
    "Bearer b-secret-token",
    "Bearer a-secret-tokem",
    "Bearer ",
  ])("refuses the header %j", async (authorization) => {
    const { ask, backend } = edge();
    const response = await ask("/v1/services/account/a/deposit", { method: "POST", headers: { authorization } });
    expect(response.status).toBe(401);
    expect(backend.arrivals).toHaveLength(0);
  });

  it("tells a wrong token from a missing one by its challenge", async () => {
    const response = await edge().ask("/openapi.json", { headers: { authorization: "Bearer wrong" } });
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="tidegate", error="invalid_token"');
  });

  it("refuses other schemes", async () => {
    const response = await edge().ask("/openapi.json", { headers: { authorization: "Basic YS1zZWNyZXQtdG9rZW4=" } });
    expect(response.status).toBe(401);
  });

  it("takes the scheme in any case", async () => {
    const response = await edge().ask("/openapi.json", { headers: { authorization: "bEARER a-secret-token" } });
    expect(response.status).toBe(200);
  });

  it("compares secrets by their bytes", () => {
    expect(sameSecret("hüte", "hüte")).toBe(true);
    expect(sameSecret("hute", "hüte")).toBe(false);
    expect(sameSecret("", "x")).toBe(false);
    expect(sameSecret("xy", "x")).toBe(false);
    expect(sameSecret("x\0", "x")).toBe(false);
  });
});
