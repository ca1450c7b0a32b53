/** An app with every kind of rule, an issuer of tokens, and static keys, over a fake back end. */
import { createHash, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { z } from "zod";
import { defineApp } from "../../sdk/app.ts";
import { authenticated, everyone } from "../../sdk/caller.ts";
import { contract, fn, query } from "../../sdk/contract.ts";
import type { DoorOptions, JsonWebKeySet } from "../../sdk/door.ts";
import { flow } from "../../sdk/flow.ts";
import { count } from "../../sdk/aggregate.ts";
import { service } from "../../sdk/service.ts";
import { stream, text, timestamp } from "../../sdk/stream.ts";
import { tumbling } from "../../sdk/window.ts";
import { FakeBackend, TOKEN } from "../worker/support/backend.ts";
import { type Asked, edge } from "../worker/support/edge.ts";

export const ISSUER = "https://issuer.example/";
export const AUDIENCE = "https://api.example";
export const ADMIN_TOKEN = "an-admin-token";

const { publicKey, privateKey } = await generateKeyPair("ES256");
export { privateKey, publicKey };
export const PUBLIC_JWK: JWK = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" };
export const JWKS = { keys: [PUBLIC_JWK] } as unknown as JsonWebKeySet;

const Note = contract("note", {
  write: fn({ input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) }),
  read: query({ output: z.string() }),
  title: query({ output: z.string() }),
  purge: fn(),
});
const note = service(
  Note,
  {
    state: () => ({ text: "" }),
    allow: (caller, key) => caller.subject === key,
    functions: { title: { allow: everyone }, purge: { allow: ({ roles }) => roles.includes("janitor") } },
  },
  { write: (_ctx, { text }) => ({ text }), read: () => "", title: () => "", purge: () => undefined },
);

const Ledger = contract("ledger", { book: fn(), show: query({ output: z.string() }) });
const ledger = service(Ledger, {}, { book: () => undefined, show: () => "" });

const Clicks = stream("clicks", { page: text(), at: timestamp() });
const Visits = stream("visits", { page: text(), at: timestamp() }, { retention: "1h" });
const visits = flow("visits").from(Visits, { time: "at" }).toView("visits", { key: "page" });
const perPage = (name: string) =>
  flow(name)
    .from(Clicks, { time: "at" })
    .keyBy("page")
    .window(tumbling("1m"))
    .aggregate({ clicks: count() })
    .toView(name);

export function appWith(options: DoorOptions = {}) {
  return defineApp({
    services: [note, ledger],
    flows: [perPage("clicks-per-page"), perPage("hidden-clicks"), visits],
    auth: { jwt: { issuer: ISSUER, audience: AUDIENCE, jwks: JWKS } },
    allow: {
      streams: {
        clicks: ({ roles }) => roles.includes("collector"),
        visits: { read: ({ roles }) => roles.includes("reader") },
      },
      flows: {
        visits: { explain: authenticated, late: ({ roles }) => roles.includes("auditor") },
        "clicks-per-page": ({ roles }, key) => roles.includes(`owner of ${key}`),
      },
      views: { "clicks-per-page": (caller, key) => caller.subject === key },
    },
    ...options,
  });
}

/** A static key, and the entry that knows it by its hash. */
export function staticKey(entry: { name: string; tenant?: string; roles?: string[]; expires?: string }) {
  const key = `tgk_${randomBytes(32).toString("base64url")}`;
  return { key, entry: { ...entry, sha256: createHash("sha256").update(key).digest("hex") } };
}

export interface Claims {
  readonly sub?: string;
  readonly iss?: string;
  readonly aud?: string;
  readonly [claim: string]: unknown;
}

/** A token as the issuer makes it, but for what is said. */
export function token(
  claims: Claims = {},
  options: { expires?: string | number; key?: CryptoKey; kid?: string | null } = {},
) {
  const { expires = "1h", key = privateKey, kid = "one" } = options;
  const signed = new SignJWT({ sub: "alice", iss: ISSUER, aud: AUDIENCE, ...claims })
    .setProtectedHeader({ alg: "ES256", ...(kid === null ? {} : { kid }) })
    .setIssuedAt();
  return signed.setExpirationTime(expires).sign(key);
}

export const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export interface AskedAs extends Asked {
  /** A bearer credential; the owner's token by default. */
  readonly as?: string;
}

/** The edge with those doors, and the ways to ask it. */
export function door(options: DoorOptions = {}, keys: readonly object[] = []) {
  const backend = new FakeBackend();
  if (keys.length > 0) backend.keys = JSON.stringify(keys);
  const silent = { figures: () => Promise.reject(new Error("gone")), recent: () => Promise.resolve([]) };
  Object.assign(backend, {
    admin: { token: ADMIN_TOKEN, partition: () => ({}) },
    observed: { partition: () => silent, coordinator: () => Promise.reject(new Error("gone")) },
  });
  const made = edge(backend, appWith(options));
  const ask = (path: string, { as, headers, ...asked }: AskedAs = {}) =>
    made.ask(path, {
      ...asked,
      anonymous: as === "" || as === undefined ? (asked.anonymous ?? as === "") : true,
      headers: { ...(as ? { authorization: `Bearer ${as}` } : {}), ...headers },
    });
  const post = (path: string, body: unknown, asked: AskedAs = {}) =>
    ask(path, {
      ...asked,
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": path === "/v1/batch" ? "application/x-ndjson" : "application/json", ...asked.headers },
    });
  return { backend, ask, post };
}

export { TOKEN };
