/** The domain that a request is for: that of its caller's tenant, in apps that have tenants. */
import type { Caller } from "../../sdk/caller.ts";
import { TENANT_MAX_LENGTH } from "../../sdk/limits.ts";
import { isTenant } from "../../sdk/tenants.ts";
import { OWN_DOMAIN } from "../../protocol/keygroups/names.ts";
import { REPLACEMENT } from "../headers.ts";
import { refuse } from "../problems.ts";

/** Names the tenant where the credential leaves it open: for the owner, and for administrators. */
export const TENANT_HEADER = "tidegate-tenant";

/** The tenant of a caller's domain. Nobody but the owner has a choice. @throws ProblemError `forbidden` */
export function tenantOf(request: Request, caller: Caller): string {
  const named = namedTenant(request);
  if (caller.kind === "owner") return named ?? OWN_DOMAIN;
  // Without a credential a tenant that nobody has would be made by its first request.
  const own = caller.kind === "anonymous" ? OWN_DOMAIN : caller.tenant;
  if (own === undefined) throw refuse("forbidden", "the credential names no tenant, and data here belongs to tenants");
  if (named !== null && named !== own) throw refuse("forbidden", "the credential is for another tenant");
  return own;
}

/** The tenant whose domain is administered. */
export function administeredTenant(request: Request): string {
  return namedTenant(request) ?? OWN_DOMAIN;
}

/** Null without the header. @throws ProblemError `invalid-parameter` */
function namedTenant(request: Request): string | null {
  const header = request.headers.get(TENANT_HEADER);
  if (header === null) return null;
  const name = percentDecoded(header);
  // Bytes that are no UTF-8 are all read as this one character: names that differ in them would share a domain.
  if (isTenant(name) && !header.includes(REPLACEMENT)) return name;
  const detail = `Tidegate-Tenant is 1 to ${TENANT_MAX_LENGTH} characters, of which those beyond ASCII are percent-encoded UTF-8`;
  throw refuse("invalid-parameter", detail);
}

/** A percent sign that encodes nothing stands for itself. */
function percentDecoded(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
