/** Static keys as the binding `TIDEGATE_KEYS` has them: made by `tidegate key`, known by the door. */
import { isTenant } from "./tenants.ts";

/** What every static key begins with: scanners of repositories find those that were leaked by it. */
export const KEY_PREFIX = "tgk_";

/** What is kept of a key. */
export interface KeyEntry {
  readonly name: string;
  /** Hex of the SHA-256 of the whole key. */
  readonly sha256: string;
  readonly tenant?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  /** After this moment it opens nothing: an ISO 8601 date. */
  readonly expires?: string | undefined;
}

export function isKeyEntry(entry: unknown): entry is KeyEntry {
  if (typeof entry !== "object" || entry === null) return false;
  const { name, sha256, tenant, roles, expires } = entry as Partial<Record<keyof KeyEntry, unknown>>;
  return (
    typeof name === "string" &&
    name !== "" &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    (tenant === undefined || isTenant(tenant)) &&
    (roles === undefined || (Array.isArray(roles) && roles.every((role) => typeof role === "string"))) &&
    (expires === undefined || (typeof expires === "string" && !Number.isNaN(Date.parse(expires))))
  );
}
