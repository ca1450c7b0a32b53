/**
 * Static keys: for programs that have no issuer of tokens. The binding `TIDEGATE_KEYS` holds their SHA-256 and not themselves, so that who reads the
 * configuration cannot call. Keys are made at random (`npx tidegate key`), with so many bits that a fast hash gives nothing away.
 */
import { createHash } from "node:crypto";
import type { Caller } from "../../sdk/caller.ts";
import { isKeyEntry, type KeyEntry } from "../../sdk/static-keys.ts";
import { ConfigurationError } from "../backend.ts";
import { LIMITS } from "../limits.ts";

interface KnownKey {
  readonly caller: Caller;
  readonly expiresAt: number;
}

/** The keys of one binding, read once. */
export class StaticKeys {
  readonly #known = new Map<string, KnownKey>();

  /** @throws ConfigurationError */
  constructor(binding: string) {
    for (const entry of entriesOf(binding)) {
      const { name, tenant, roles = [], expires } = entry;
      const caller: Caller = { kind: "key", id: `key|${name}`, subject: name, tenant, roles, claims: {} };
      this.#known.set(entry.sha256, { caller, expiresAt: expires === undefined ? Infinity : Date.parse(expires) });
    }
  }

  /** Whose key this is; undefined for no key, and for one that has expired. Looked up by a hash, which tells an attacker nothing by its time. */
  find(key: string, now: number): Caller | undefined {
    const known = this.#known.get(createHash("sha256").update(key).digest("hex"));
    return known !== undefined && now < known.expiresAt ? known.caller : undefined;
  }
}

function entriesOf(binding: string): KeyEntry[] {
  let entries: unknown;
  try {
    entries = JSON.parse(binding);
  } catch {
    throw bad("is not JSON");
  }
  if (!Array.isArray(entries)) throw bad("is no array of keys");
  if (entries.length > LIMITS.staticKeys) throw bad(`has more than ${LIMITS.staticKeys} keys`);
  for (const [at, entry] of entries.entries()) if (!isKeyEntry(entry)) throw bad(`has no key at ${at}`);
  const names = new Set((entries as KeyEntry[]).map(({ name }) => name));
  if (names.size !== entries.length) throw bad("has two keys of one name");
  return entries as KeyEntry[];
}

/** It says what is wrong with the binding, and nothing of what is in it. */
function bad(what: string): ConfigurationError {
  return new ConfigurationError(
    "misconfigured",
    `the binding TIDEGATE_KEYS ${what}; it is [{"name":…,"sha256":…,"tenant"?:…,"roles"?:[…],"expires"?:…}]`,
  );
}
