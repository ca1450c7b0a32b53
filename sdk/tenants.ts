/** Names of tenants, as keys, tokens and the header `Tidegate-Tenant` give them. */
import { TENANT_MAX_LENGTH } from "./limits.ts";

const PRINTABLE = /^[^\p{Cc}]+$/u;

/** Any text of 1 to {@link TENANT_MAX_LENGTH} characters without control characters; it becomes part of the names of objects. */
export function isTenant(name: unknown): name is string {
  return typeof name === "string" && name.length <= TENANT_MAX_LENGTH && name.isWellFormed() && PRINTABLE.test(name);
}
