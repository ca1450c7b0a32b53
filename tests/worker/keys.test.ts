import { describe, expect, it } from "vitest";
import { Hono } from "hono";
import fc from "fast-check";
import { encodeKey } from "../../sdk/keys.ts";
import { createRoutes } from "../../worker/routes.ts";
import { app } from "./support/app.ts";
import { FakeBackend, TOKEN } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

async function keySeen(segment: string): Promise<string | undefined> {
  const { post, backend } = edge();
  await post(`/v1/services/account/${segment}/deposit`, "{}");
  return backend.executed[0]?.key;
}

describe("keys in addresses", () => {
  it.each([
    ["alice", "alice"],
    ["a%2Fb", "a/b"],
    ["a%2fb", "a/b"],
    ["a%252Fb", "a%2Fb"],
    ["%00", "\0"],
    ["100%25", "100%"],
    ["h%C3%BCte", "hüte"],
    ["hüte", "hüte"],
    ["a%20b", "a b"],
    ["a+b", "a+b"],
    ["a%3Fb%23c", "a?b#c"],
    ["~Lg", "."],
    ["~Li4", ".."],
    ["~fg", "~"],
    ["%7ELg", "."],
    ["~4oKs", "€"],
    ["send", "send"],
    ["a;b=c,d@e:f&g$h!i'(j)*", "a;b=c,d@e:f&g$h!i'(j)*"],
    ["%F0%9F%8C%8A", "🌊"],
    ["__proto__", "__proto__"],
  ])("reads %s as the key %j", async (segment, key) => {
    expect(await keySeen(segment)).toBe(key);
  });

  it("gets any key through a real URL", async () => {
    const key = fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((text) => text.isWellFormed());
    const arrives = fc.asyncProperty(key, async (text) => {
      expect(await keySeen(encodeKey(text))).toBe(text);
    });
    await fc.assert(arrives, { numRuns: 300 });
  });

  it.each(["%zz", "%", "%FF", "%C3", "%ED%A0%80", "~", "~***", "~_w", ""])(
    "refuses the segment %s",
    async (segment) => {
      const { post, backend } = edge();
      const response = await post(`/v1/services/account/${segment}/deposit`, "{}");
      expect(response.status).toBe(400);
      expect((await problemIn(response)).type).toBe("/problems/invalid-key");
      expect(backend.arrivals).toHaveLength(0);
    },
  );

  it("refuses a key over 512 bytes", async () => {
    for (const segment of ["x".repeat(513), "%E2%82%AC".repeat(171)]) {
      const response = await edge().post(`/v1/services/account/${segment}/deposit`, "{}");
      expect(await problemIn(response)).toMatchObject({ status: 400, type: "/problems/key-too-large" });
    }
  });

  it("takes a key of exactly 512 bytes", async () => {
    expect(await keySeen("%E2%82%AC".repeat(170) + "xx")).toBe("€".repeat(170) + "xx");
  });

  it("sends a key to the partition that owns its key group", async () => {
    const { post, backend } = edge();
    for (let i = 0; i < 64; i++) await post(`/v1/services/account/key-${i}/deposit`, "{}");
    for (const { key, partition } of backend.executed) {
      expect(partition).toBe(backend.map.groups[backend.kernels().hashKey(key) & 1023]);
    }
    expect(new Set(backend.executed.map(({ partition }) => partition)).size).toBe(4);
  });

  it("keeps keys whole when the routes are mounted in another Hono app", async () => {
    const backend = new FakeBackend();
    const outer = new Hono();
    outer.route(
      "/api",
      createRoutes(app, () => backend),
    );
    for (const segment of ["a%2Fb%25", "~Li4", "%00"]) {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const request = new Request(`https://edge.example/api/v1/services/account/${segment}/deposit?x=/y`, {
        method: "POST",
        headers,
      });
      expect((await outer.fetch(request)).status).toBe(200);
    }
    expect(backend.executed.map(({ key }) => key)).toEqual(["a/b%", "..", "\0"]);
  });
});
