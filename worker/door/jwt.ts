/** Tokens of an issuer (RFC 7519, by RFC 8725): signed by one of its public keys, for this app, not expired. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from "jose";
import type { Caller } from "../../sdk/caller.ts";
import type { CheckedJwt } from "../../sdk/door.ts";
import { isTenant } from "../../sdk/tenants.ts";
import { logEntry } from "../../protocol/observe/log-entry.ts";
import { LIMITS } from "../limits.ts";
import { refuse } from "../problems.ts";
import { invalidToken } from "./secrets.ts";

/** Three parts of base64url: nothing else is worth a signature check. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Whether it has the form of a token, whatever is in it. */
export function looksLikeJwt(token: string): boolean {
  return token.length <= LIMITS.jwtChars && COMPACT.test(token);
}

interface Verified {
  readonly caller: Caller;
  /** ms since 1970. */
  readonly until: number;
}

/** Verifies tokens of one issuer. */
export class JwtVerifier {
  readonly #options: CheckedJwt;
  readonly #tenants: boolean;
  readonly #keys: JWTVerifyGetKey;
  /** A signature takes longer to check than all else at the door: tokens that were good are known for a while, the oldest are forgotten. */
  readonly #verified = new Map<string, Verified>();

  /** @param tenants whether data belongs to them */
  constructor(options: CheckedJwt, tenants: boolean) {
    this.#options = options;
    this.#tenants = tenants;
    const { jwks } = options;
    // Keys that a token brings along, or says where to find, are not looked at.
    this.#keys =
      typeof jwks === "string"
        ? createRemoteJWKSet(new URL(jwks), {
            timeoutDuration: LIMITS.jwksTimeoutMs,
            cooldownDuration: LIMITS.jwksCooldownMs,
            cacheMaxAge: LIMITS.jwksAgeMs,
          })
        : createLocalJWKSet(jwks as unknown as JSONWebKeySet);
  }

  /** @throws ProblemError `unauthorized`, or `auth-unavailable` when the issuer's keys cannot be had */
  verify(token: string, now: number): Caller | Promise<Caller> {
    const known = this.#verified.get(token);
    if (known !== undefined && now < known.until) return known.caller;
    return this.#verify(token, now);
  }

  async #verify(token: string, now: number): Promise<Caller> {
    const { issuer, audience, algorithms, clockToleranceSeconds } = this.#options;
    const options: JWTVerifyOptions = {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now),
      requiredClaims: ["exp", "sub"],
    };
    let payload: JWTPayload;
    try {
      const verified = jwtVerify(token, this.#keys, options);
      ({ payload } = await verified.catch((error: unknown) => verifyByEach(token, error, options)));
    } catch (error) {
      throw problemFor(error);
    }
    const caller = this.#callerOf(payload);
    this.#remember(token, { caller, until: Math.min((payload.exp ?? 0) * 1_000, now + LIMITS.verifiedTokenMs) });
    return caller;
  }

  #callerOf(claims: JWTPayload): Caller {
    const { issuer, tenant: tenantClaim, roles: rolesClaim } = this.#options;
    const subject = claims.sub as unknown;
    if (typeof subject !== "string" || subject === "") throw invalidToken("the token's sub is empty");
    // Null is how some issuers say that there is none.
    const claim = claims[tenantClaim] ?? undefined;
    const tenant = isTenant(claim) ? claim : undefined;
    // Where data belongs to no tenants an issuer may mean anything by it.
    if (this.#tenants && claim !== tenant) throw invalidToken("the token's tenant is no name of one");
    const id = `jwt|${issuer}|${subject}`;
    return { kind: "jwt", id, subject, tenant, roles: rolesOf(claims[rolesClaim]), claims };
  }

  #remember(token: string, verified: Verified): void {
    if (this.#verified.size >= LIMITS.verifiedTokens) {
      const [oldest] = this.#verified.keys();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(token, verified);
  }
}

/** A token that does not name its key may be signed with any that fits: while an issuer changes its keys it publishes two. @throws what it is not good for */
async function verifyByEach(token: string, failure: unknown, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  if (!(failure instanceof errors.JWKSMultipleMatchingKeys)) throw failure;
  let tried = 0;
  for await (const key of failure) {
    if (++tried > LIMITS.jwksFitting) break;
    try {
      return await jwtVerify(token, key, options);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw failure;
}

function rolesOf(claim: unknown): readonly string[] {
  if (typeof claim === "string") return claim.split(" ").filter((role) => role !== "");
  return Array.isArray(claim) ? claim.filter((role) => typeof role === "string") : [];
}

/** What is wrong with a token its bearer may know: all of it is in the token, but for the keys. */
function problemFor(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return invalidToken("the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalidToken(`the token's claim ${JSON.stringify(error.claim)} is missing or not what it must be here`);
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return invalidToken("the token is signed with no key that the issuer publishes");
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || !isOfToken(error)) {
    console.error(logEntry("tidegate: the issuer's keys cannot be had", { error }));
    return refuse("auth-unavailable", "the keys of the tokens' issuer cannot be had", { retryable: true });
  }
  return invalidToken("the token is not one, or its signature is wrong");
}

/** Errors of the token and not of getting keys: of jose, and with a code of their own. */
function isOfToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && error.code !== errors.JOSEError.code;
}
