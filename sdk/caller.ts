/** Who calls from outside, and the rules that say what they may. Calls between functions are nobody's: no rule is asked about them. */

/** One who has called: known by a credential, or `anonymous` where a function is public. */
export interface Caller {
  /**
   * `owner`: the bearer of `TIDEGATE_TOKEN`, who may call everything. `key`: the bearer of a static key. `jwt`: the subject of a
   * token. `anonymous`: nobody said who; only what is public is open to them.
   */
  readonly kind: "owner" | "key" | "jwt" | "anonymous";
  /** Unique among callers and stable, so that it can be the scope of Idempotency-Keys. Never a secret. */
  readonly id: string;
  /** A token's `sub`, a static key's name; "" for the others. */
  readonly subject: string;
  /** The tenant that the credential names; undefined when it names none. */
  readonly tenant: string | undefined;
  readonly roles: readonly string[];
  /** All claims of a token; empty for other callers. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Whether a caller may call a function of this key. It must answer `true` at once: anything else, a promise too, and whatever it
 * throws, is no. The owner is not asked about, and `anonymous` gets in by {@link everyone} alone.
 *
 * ```ts
 * import { type Allow } from "tidegate";
 *
 * const oneself: Allow = (caller, key) => caller.subject === key || caller.roles.includes("support");
 * ```
 */
export type Allow = (caller: Caller, key: string) => boolean;

/** Makes what it is the rule of public: open to all, without a credential. Nothing else does. */
export const everyone: Allow = Object.freeze(() => true);

/** Open to every caller with a credential: for keys that are everybody's. */
export const authenticated: Allow = Object.freeze(({ kind }: Caller) => kind !== "anonymous");
