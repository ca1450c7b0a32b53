/** One try at running a transaction, and the function activations that it consists of. A restarted transaction is a new attempt of the same age. */
import type { FunctionContract } from "../../sdk/contract.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import type { LockMode, LockOwner } from "../locks/lock-table.ts";
import type { CopySnapshot, EntityCopy } from "../state/entity-copy.ts";
import type { Failure } from "./failure.ts";

/** A function of a service, resolved. */
export interface Target {
  readonly service: ServiceDefinition;
  readonly name: string;
  readonly contract: FunctionContract;
  readonly key: string;
  /** State-key prefix of (service, key): the unit of locking. */
  readonly entity: string;
}

/** What can be rolled back by itself: the whole attempt, or the subtree of one `ctx.try` call. The first failure inside it sticks. */
export interface Scope {
  failure: Failure | null;
  /** The tried call; null for the attempt's own scope. */
  readonly activation: Activation | null;
  readonly parent: Scope | null;
  /** Copies as they were before the subtree first touched them. */
  readonly snapshots: Map<string, CopySnapshot>;
  /** Entities that the subtree has used and keeps from the rest of the transaction until it ends. */
  readonly retained: Set<string>;
}

export interface Attempt extends LockOwner {
  readonly id: number;
  /** Fresh transactions lock; snapshot reads do not, and are checked at the end. */
  readonly locking: boolean;
  readonly scope: Scope;
  readonly copies: Map<string, EntityCopy>;
  /** Which activations of this attempt use an entity, innermost last, and which wait for it. */
  readonly uses: Map<string, Use>;
  /** Activations waiting in some use's queue. */
  readonly queued: Set<Activation>;
  /** Every activation that has not ended. */
  readonly live: Set<Activation>;
  /** Commits the partition had made when the attempt began. */
  readonly commitsAtStart: number;
  /** Milliseconds since 1970. */
  readonly beganAt: number;
  calls: number;
  /** Committed, refused, failed or given up: nothing of it acts any more. */
  ended: boolean;
}

export interface Use {
  readonly stack: Activation[];
  readonly queue: Activation[];
}

export interface Activation {
  readonly id: number;
  readonly attempt: Attempt;
  readonly parent: Activation | null;
  readonly depth: number;
  readonly target: Target;
  readonly mode: LockMode;
  /** The scope its failure falls into: its own when it was called by `ctx.try`. */
  readonly scope: Scope;
  /** JSON text for a root's input, state-codec text for a call's; null for none. */
  readonly input: string | null;
  /** Calls it made that have not ended. */
  children: number;
  state: "waiting" | "running" | "joining" | "ended";
  outcome: Outcome | null;
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure };

export function isAncestorOrSelf(ancestor: Activation, of: Activation | null): boolean {
  for (let at = of; at !== null; at = at.parent) if (at === ancestor) return true;
  return false;
}

/** Called by `ctx.try`: it opened its own scope. */
export function isTried(activation: Activation): boolean {
  return activation.scope.activation === activation;
}

export function newScope(activation: Activation | null, parent: Scope | null): Scope {
  return { failure: null, activation, parent, snapshots: new Map(), retained: new Set() };
}
