/** API2 of the OWASP API Security Top 10 (2023): broken authentication. */
import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import type { JsonWebKeySet } from "../../sdk/door.ts";
import { LIMITS } from "../../worker/limits.ts";
import { problemIn } from "../worker/support/edge.ts";
import { CLOSED, DENIED, outcome, WRITE } from "./outcome.ts";
import {
  AUDIENCE,
  base64url,
  door,
  ISSUER,
  JWKS,
  privateKey,
  PUBLIC_JWK,
  publicKey,
  staticKey,
  token,
} from "./support.ts";

describe("API2 broken authentication", () => {
  const tryWith = async (as: string, options = {}) =>
    outcome(await door(options).post(WRITE("alice"), { text: "x" }, { as }));

  it("takes a token of the issuer", async () => {
    expect(await tryWith(await token())).toBe("200");
  });

  it.each([
    ["no text", { toString: "acme" }],
    ["empty", ""],
    ["a text with control characters", "acme\n"],
  ])("refuses tokens whose tenant is %s, where data belongs to tenants", async (_, tenant) => {
    const as = await token({ tenant });
    expect(await tryWith(as, { tenants: true })).toBe(CLOSED);
    expect(await tryWith(as)).toBe("200");
  });

  it("takes a tenant that is null for none", async () => {
    const as = await token({ tenant: null });
    expect(await tryWith(as, { tenants: true })).toBe(DENIED);
    expect(await tryWith(as)).toBe("200");
  });

  it("refuses tokens with alg none", async () => {
    const payload = { sub: "alice", iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1_000) + 600 };
    for (const alg of ["none", "None", "NONE", "nOnE"]) {
      expect(await tryWith(`${base64url({ alg })}.${base64url(payload)}.`)).toBe(CLOSED);
      expect(await tryWith(`${base64url({ alg })}.${base64url(payload)}.AAAA`)).toBe(CLOSED);
    }
  });

  it("refuses tokens that are signed with the public key as if it were a shared secret", async () => {
    const payload = { sub: "alice", iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1_000) + 600 };
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(PUBLIC_JWK)]) {
      const signed = `${base64url({ alg: "HS256", kid: "one" })}.${base64url(payload)}`;
      expect(await tryWith(`${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`)).toBe(
        CLOSED,
      );
    }
  });

  it.each([
    ["for another audience", { aud: "https://elsewhere.example" }, {}],
    ["for no audience", { aud: undefined }, {}],
    ["of another issuer", { iss: "https://evil.example/" }, {}],
    ["without a subject", { sub: undefined }, {}],
    ["with an empty subject", { sub: "" }, {}],
    ["that are not valid yet", { nbf: Math.floor(Date.now() / 1_000) + 600 }, {}],
    ["that have expired", {}, { expires: Math.floor(Date.now() / 1_000) - 60 }],
    ["of an unknown key id", {}, { kid: "two" }],
  ])("refuses tokens %s", async (_, claims, options) => {
    expect(await tryWith(await token(claims as never, options))).toBe(CLOSED);
  });

  it("refuses tokens that never expire", async () => {
    const forever = new SignJWT({ sub: "alice", iss: ISSUER, aud: AUDIENCE }).setProtectedHeader({
      alg: "ES256",
      kid: "one",
    });
    expect(await tryWith(await forever.sign(privateKey))).toBe(CLOSED);
  });

  it("refuses tokens of another's key under the issuer's key id", async () => {
    const other = await generateKeyPair("ES256");
    expect(await tryWith(await token({}, { key: other.privateKey }))).toBe(CLOSED);
  });

  it("tries all keys that fit with tokens that do not name theirs, and so many only", async () => {
    const pairs = await Promise.all(Array.from({ length: LIMITS.jwksFitting + 1 }, () => generateKeyPair("ES256")));
    const published = await Promise.all(
      pairs.map(async (pair) => ({ ...(await exportJWK(pair.publicKey)), alg: "ES256" })),
    );
    const stranger = await generateKeyPair("ES256");
    const { post } = door({
      auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: published } as unknown as JsonWebKeySet } },
    });
    const tried = async (key: CryptoKey, claims = {}) =>
      outcome(await post(WRITE("alice"), { text: "x" }, { as: await token(claims, { key, kid: null }) }));
    const [first, second, last] = [pairs[0], pairs[1], pairs.at(-1)].map((pair) => (pair as CryptoKeyPair).privateKey);
    expect(await tried(first as CryptoKey)).toBe("200");
    expect(await tried(second as CryptoKey)).toBe("200");
    expect(await tried(second as CryptoKey, { aud: "https://elsewhere.example" })).toBe(CLOSED);
    expect([await tried(stranger.privateKey), await tried(last as CryptoKey)]).toEqual([CLOSED, CLOSED]);
  });

  it("refuses tokens whose claims were changed after they were signed", async () => {
    const [header, , signature] = (await token({ sub: "bob" })).split(".");
    const forged = base64url({ sub: "alice", iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1_000) + 600 });
    expect(await tryWith(`${header}.${forged}.${signature}`)).toBe(CLOSED);
  });

  it("forgets a good token when it expires", async () => {
    const { post, backend } = door({
      auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, jwks: JWKS, clockTolerance: 0 } },
    });
    const soon = Math.floor(Date.now() / 1_000) + 2;
    const as = await token({}, { expires: soon });
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as }))).toBe("200");
    backend.now = () => soon * 1_000;
    expect(await outcome(await post(WRITE("alice"), { text: "x" }, { as }))).toBe(CLOSED);
  });

  it("knows static keys by their hash only, and until they expire", async () => {
    const good = staticKey({ name: "importer", roles: ["janitor"], expires: "2100-01-01" });
    const old = staticKey({ name: "old", roles: ["janitor"], expires: "2020-01-01" });
    const { post } = door({}, [good.entry, old.entry]);
    const purge = async (as: string) => outcome(await post("/v1/services/note/x/purge", "", { as }));
    expect(await purge(good.key)).toBe("200");
    expect(await purge(old.key)).toBe(CLOSED);
    expect(await purge(`${good.key}x`)).toBe(CLOSED);
    // Who has read the configuration has nothing to call with.
    expect(await purge(good.entry.sha256)).toBe(CLOSED);
    expect(await purge(`tgk_${good.entry.sha256}`)).toBe(CLOSED);
  });

  it("closes everything when static keys are configured wrongly, and tells nothing of them", async () => {
    const { post } = door({}, [{ name: "importer", sha256: "not-a-hash" }]);
    const answer = await problemIn(await post(WRITE("alice"), { text: "x" }, { as: "tgk_abc" }));
    expect([answer.status, answer.type]).toEqual([500, "/problems/misconfigured"]);
    expect(JSON.stringify(answer)).not.toContain("not-a-hash");
  });

  it("does not take a wrong credential for none where a function is public", async () => {
    const { ask } = door();
    expect(await outcome(await ask("/v1/services/note/a/title", { as: "" }))).toBe("200");
    expect(await outcome(await ask("/v1/services/note/a/title", { as: "wrong" }))).toBe(CLOSED);
    expect(await outcome(await ask("/v1/services/note/a/title", { headers: { authorization: "Basic eDp5" } }))).toBe(
      CLOSED,
    );
  });
});
