/** The door of an app: every request passes it once, and has a caller and a domain behind it. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { Caller } from "../../sdk/caller.ts";
import { KEY_PREFIX } from "../../sdk/static-keys.ts";
import type { Backend } from "../backend.ts";
import { JwtVerifier, looksLikeJwt } from "./jwt.ts";
import { networkOf } from "./network.ts";
import { Rates } from "./rate.ts";
import { hasPublic } from "./rules.ts";
import { bearerToken, invalidToken, missing, sameSecret, unset } from "./secrets.ts";
import { StaticKeys } from "./static-keys.ts";
import { tenantOf } from "./tenants.ts";

/** The bearer of `TIDEGATE_TOKEN`. Its id is not the secret, which may be replaced. */
export const OWNER: Caller = { kind: "owner", id: "owner", subject: "", tenant: undefined, roles: [], claims: {} };
export const ANONYMOUS: Caller = { ...OWNER, kind: "anonymous", id: "anonymous" };

export class Door {
  readonly #app: AppDefinition;
  readonly #isOpen: boolean;
  readonly #jwt: JwtVerifier | undefined;
  readonly #rates: Rates | undefined;
  #keysBinding = "";
  #keys: StaticKeys | undefined;

  constructor(app: AppDefinition) {
    const { jwt, rate, tenants } = app.door;
    this.#app = app;
    this.#isOpen = hasPublic(app);
    this.#jwt = jwt && new JwtVerifier(jwt, tenants);
    this.#rates = rate && new Rates(rate);
  }

  /** Who calls. At once for all but tokens that were not seen before. @throws ProblemError `unauthorized`, ConfigurationError */
  caller(request: Request, backend: Backend): Caller | Promise<Caller> {
    const { token: owner } = backend;
    const keys = this.#staticKeys(backend.keys);
    const hasOwner = owner !== undefined && owner !== "";
    if (this.#isOpen && !request.headers.has("authorization")) return ANONYMOUS;
    if (!hasOwner && keys === undefined && this.#jwt === undefined)
      throw unset("TIDEGATE_TOKEN", "so everything but /health is closed");
    const given = bearerToken(request);
    if (given === null) throw missing();
    if (hasOwner && sameSecret(given, owner)) return OWNER;
    if (keys !== undefined && given.startsWith(KEY_PREFIX)) {
      const caller = keys.find(given, backend.now());
      if (caller !== undefined) return caller;
    } else if (this.#jwt !== undefined && looksLikeJwt(given)) return this.#jwt.verify(given, backend.now());
    throw invalidToken("the bearer token is wrong");
  }

  /** The domain that the request is for. @throws ProblemError `forbidden` */
  domain(request: Request, caller: Caller, backend: Backend): Backend {
    return this.#app.door.tenants ? backend.inDomain(tenantOf(request, caller)) : backend;
  }

  /** Counts a request. @throws ProblemError `rate-limited` */
  count(request: Request, caller: Caller, now: number): void {
    this.#take(request, caller, 1, now, 0);
  }

  /** Counts lines of a batch whose request is counted. @throws ProblemError `rate-limited` */
  countLines(request: Request, caller: Caller, lines: number, now: number): void {
    if (lines > 0) this.#take(request, caller, lines, now, 1);
  }

  #take(request: Request, caller: Caller, count: number, now: number, taken: number): void {
    if (this.#rates === undefined || caller.kind === "owner") return;
    this.#rates.take(caller.kind === "anonymous" ? addressOf(request) : caller.id, count, now, taken);
  }

  #staticKeys(binding: string | undefined): StaticKeys | undefined {
    if (binding === undefined || binding === "") return undefined;
    if (binding !== this.#keysBinding) {
      this.#keys = new StaticKeys(binding);
      this.#keysBinding = binding;
    }
    return this.#keys;
  }
}

/** The platform sets it; whoever calls cannot. */
function addressOf(request: Request): string {
  return `anonymous|${networkOf(request.headers.get("cf-connecting-ip") ?? "")}`;
}
