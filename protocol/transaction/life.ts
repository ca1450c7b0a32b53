/** How a function takes its key, where the state of that has a time to live. */
import type { LockMode } from "../locks/lock-table.ts";
import type { Life } from "../state/expiry.ts";
import type { Attempt, Target } from "./attempt.ts";

/** A query may read only; where a use renews the state it writes that all the same. */
export function modeOf({ contract, service }: Target): LockMode {
  return contract.kind === "query" && service.ttl?.after !== "use" ? "shared" : "exclusive";
}

/** The time to live of what a function runs on; null where it has none. */
export function lifeOf({ at, locking }: Attempt, target: Target): Life | null {
  const { ttl } = target.service;
  return ttl ? { ...ttl, now: at, renews: locking && modeOf(target) === "exclusive" } : null;
}
