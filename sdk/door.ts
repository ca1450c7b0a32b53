/** How an app is closed: who callers are, which of them may what, from which pages, how fast, and where a tenant's data lies. */

import type { Allow } from "./caller.ts";
import { type Duration, milliseconds } from "./duration.ts";
import { misconfigured } from "./errors.ts";

/** A public key set (RFC 7517) as it is published. */
export interface JsonWebKeySet {
  readonly keys: ReadonlyArray<Readonly<Record<string, unknown>>>;
}

/** Tokens (RFC 7519) of one issuer. They must have `exp` and `sub`, and a signature by one of its public keys. */
export interface JwtOptions {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must be, or have among its values. */
  readonly audience: string;
  /** Where the issuer publishes its keys, by https; or the keys themselves. */
  readonly jwks: string | JsonWebKeySet;
  /** Signature algorithms; by default all asymmetric ones in use. Shared secrets and `none` cannot be had. */
  readonly algorithms?: readonly JwtAlgorithm[];
  /** Claim that names the tenant, such as `"org_id"`. Default `"tenant"`. */
  readonly tenant?: string;
  /** Claim that lists roles, as an array or as words with spaces between them. Default `"roles"`. */
  readonly roles?: string;
  /** By how much clocks may differ. Default `"5s"`, at most a minute. */
  readonly clockTolerance?: Duration;
}

export const JWT_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Pages of other origins that may call from a browser. Without it none may. */
export interface CorsOptions {
  /** `"*"` for all, or origins such as `"https://app.example"`. */
  readonly origins: "*" | readonly string[];
  /** How long a browser may remember the answer. Default `"1h"`. */
  readonly maxAge?: Duration;
}

/** How fast one caller may be, in each isolate of the Worker: requests, and lines of a batch. The owner is not limited. */
export interface RateOptions {
  readonly perSecond: number;
  /** So many at once after a pause. Default: those of two seconds. */
  readonly burst?: number;
}

/** Limits of one app, each at most what Tidegate has. */
export interface LimitOptions {
  /** Bytes of the body of one call. Default and most: 1 MiB. */
  readonly callBytes?: number;
  /** Bytes of a batch. Default and most: 32 MiB. */
  readonly batchBytes?: number;
  /** Lines of a batch. Default and most: 100,000. */
  readonly batchLines?: number;
  /** Bytes of a batch of events. Default and most: 32 MiB. */
  readonly eventsBytes?: number;
  /** Without it callers are as fast as they can. */
  readonly rate?: RateOptions;
}

/** Where the objects of a domain are made and kept. It takes effect when a domain is first used, and never changes. */
export interface Placement {
  /** Where they are made, such as `"weur"`: a wish, for latency. */
  readonly locationHint?: "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";
  /** Where they may only be: a promise, for law. */
  readonly jurisdiction?: "eu" | "us" | "fedramp" | "fedramp-high";
}

/** Who may send events to a stream, and who may read those that it keeps. The key is the stream's name. */
export interface StreamRules {
  readonly send?: Allow;
  readonly read?: Allow;
}

/** Who may see what a flow is and how far it has come; and who may read its late events and its dead letters, which have data in them. The key is the flow's name. */
export interface FlowRules {
  readonly explain?: Allow;
  readonly late?: Allow;
  readonly deadLetters?: Allow;
}

/** Rules for what is no function. */
export interface AllowOptions {
  /** By the stream's name. A rule by itself is for sending. */
  readonly streams?: Readonly<Record<string, Allow | StreamRules>>;
  /** By the flow's name. A rule by itself is for all that can be read of it. */
  readonly flows?: Readonly<Record<string, Allow | FlowRules>>;
  /** By the view's name, who may read it; the key is the row's, or "" for all rows. */
  readonly views?: Readonly<Record<string, Allow>>;
}

export interface DoorOptions {
  /** Callers with tokens of an issuer, beside the owner's and static keys. */
  readonly auth?: { readonly jwt?: JwtOptions };
  /** Who may use streams, flows and views. What has no rule is the owner's alone. */
  readonly allow?: AllowOptions;
  /** Every tenant has a domain of its own: the caller's tenant says which. */
  readonly tenants?: boolean;
  /** Where the objects of a domain are, by its tenant; "" is the domain of no tenant. It must always say the same. */
  readonly placement?: (tenant: string) => Placement | undefined;
  readonly cors?: CorsOptions;
  /** Whether the page for people is at `/console`; default true. */
  readonly console?: boolean;
  readonly limits?: LimitOptions;
}

/** For each thing that may be done, the rules by name. */
export type RuleTables<R> = Readonly<Record<keyof R, ReadonlyMap<string, Allow>>>;

/** The same, checked. */
export interface DoorDefinition {
  readonly jwt: CheckedJwt | undefined;
  readonly streams: RuleTables<StreamRules>;
  readonly flows: RuleTables<FlowRules>;
  readonly views: ReadonlyMap<string, Allow>;
  readonly tenants: boolean;
  readonly placement: (tenant: string) => Placement | undefined;
  readonly cors: { readonly origins: "*" | ReadonlySet<string>; readonly maxAgeSeconds: number } | undefined;
  readonly console: boolean;
  readonly limits: LimitOptions;
  readonly rate: Required<RateOptions> | undefined;
}

export type CheckedJwt = Required<Omit<JwtOptions, "clockTolerance">> & { readonly clockToleranceSeconds: number };

const CLOCK_TOLERANCE_MAX_MS = 60_000;
const LOCAL = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?\//;

/** @throws TidegateError `misconfigured` */
export function doorOf(options: DoorOptions): DoorDefinition {
  return Object.freeze({
    jwt: options.auth?.jwt && checkedJwt(options.auth.jwt),
    streams: tablesOf("stream", options.allow?.streams, { send: true, read: false }),
    flows: tablesOf("flow", options.allow?.flows, { explain: true, late: true, deadLetters: true }),
    views: rulesOf("view", options.allow?.views),
    tenants: options.tenants ?? false,
    placement: options.placement ?? (() => undefined),
    cors: options.cors && checkedCors(options.cors),
    console: options.console ?? true,
    limits: checkedLimits(options.limits ?? {}),
    rate: options.limits?.rate && checkedRate(options.limits.rate),
  });
}

function checkedJwt(jwt: JwtOptions): CheckedJwt {
  const { issuer, audience, jwks, algorithms = JWT_ALGORITHMS } = jwt;
  if (typeof issuer !== "string" || issuer === "") throw misconfigured("auth.jwt.issuer is what tokens have as iss");
  // Without it, a token that the issuer made for another application would open this one.
  if (typeof audience !== "string" || audience === "")
    throw misconfigured("auth.jwt.audience is what tokens for this app have as aud");
  if (typeof jwks === "string" ? !jwks.startsWith("https://") && !LOCAL.test(jwks) : !Array.isArray(jwks?.keys))
    throw misconfigured("auth.jwt.jwks is an https address, or a key set: { keys: […] }");
  const unknown = algorithms.find((name) => !JWT_ALGORITHMS.includes(name));
  if (unknown !== undefined || algorithms.length === 0)
    throw misconfigured(`auth.jwt.algorithms are of ${JWT_ALGORITHMS.join(", ")}; not ${JSON.stringify(unknown)}`);
  const tolerance = milliseconds(jwt.clockTolerance ?? "5s", "auth.jwt.clockTolerance");
  if (tolerance > CLOCK_TOLERANCE_MAX_MS) throw misconfigured("auth.jwt.clockTolerance is at most a minute");
  return {
    issuer,
    audience,
    jwks,
    algorithms: [...algorithms],
    tenant: jwt.tenant ?? "tenant",
    roles: jwt.roles ?? "roles",
    clockToleranceSeconds: tolerance / 1_000,
  };
}

function rulesOf(what: string, rules: Readonly<Record<string, Allow>> = {}): ReadonlyMap<string, Allow> {
  for (const [name, rule] of Object.entries(rules)) checkRule(`the ${what} "${name}"`, rule);
  return new Map(Object.entries(rules));
}

/** @param alone which of them a rule by itself is for */
function tablesOf<R extends object>(
  what: string,
  rules: Readonly<Record<string, Allow | R>> = {},
  alone: Readonly<Record<keyof R & string, boolean>>,
): RuleTables<R> {
  const tables: Record<string, Map<string, Allow>> = {};
  for (const deed of Object.keys(alone)) tables[deed] = new Map();
  for (const [name, given] of Object.entries(rules)) {
    const all =
      typeof given === "function"
        ? Object.entries(alone).flatMap(([deed, isMeant]) => (isMeant === true ? [[deed, given] as const] : []))
        : Object.entries((given ?? {}) as Readonly<Record<string, unknown>>);
    for (const [deed, rule] of all) {
      const table = Object.hasOwn(tables, deed) ? tables[deed] : undefined;
      if (table === undefined)
        throw misconfigured(
          `allow has "${deed}" for the ${what} "${name}"; there are ${Object.keys(alone).join(", ")}`,
        );
      if (rule === undefined) continue;
      checkRule(`${deed} of the ${what} "${name}"`, rule);
      table.set(name, rule);
    }
  }
  return tables as unknown as RuleTables<R>;
}

/** @throws TidegateError `misconfigured` */
export function checkRule(what: string, rule: unknown): asserts rule is Allow {
  if (typeof rule !== "function")
    throw misconfigured(`what is allowed for ${what} must be a function of caller and key`);
}

function checkedCors({ origins, maxAge = "1h" }: CorsOptions): DoorDefinition["cors"] {
  const maxAgeSeconds = Math.floor(milliseconds(maxAge, "cors.maxAge") / 1_000);
  if (origins === "*") return { origins, maxAgeSeconds };
  for (const origin of origins) {
    if (typeof origin !== "string" || !URL.canParse(origin) || new URL(origin).origin !== origin)
      throw misconfigured(
        `cors.origins has ${JSON.stringify(origin)}, which is no origin such as "https://app.example"`,
      );
  }
  return { origins: new Set(origins), maxAgeSeconds };
}

function checkedLimits(limits: LimitOptions): LimitOptions {
  for (const name of ["callBytes", "batchBytes", "batchLines", "eventsBytes"] as const) {
    const value = limits[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw misconfigured(`limits.${name} is a whole number of 1 or more`);
  }
  return limits;
}

function checkedRate({ perSecond, burst = Math.max(1, perSecond * 2) }: RateOptions): Required<RateOptions> {
  if (!(perSecond > 0 && Number.isFinite(perSecond) && burst >= 1 && Number.isFinite(burst)))
    throw misconfigured("limits.rate has perSecond above 0 and a burst of 1 or more");
  return { perSecond, burst };
}
