/** One try at running a transaction as one partition sees it, and the function activations that it consists of here. A restarted transaction is a new attempt of the same age. */
import type { FunctionContract } from "../../sdk/contract.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { invariant } from "../assert.ts";
import { Few } from "../few.ts";
import type { LockMode, LockOwner } from "../locks/lock-table.ts";
import type { Payload } from "../flows/payload.ts";
import type { Posting } from "../outbox/posting.ts";
import type { Root } from "../partition/root.ts";
import type { EntityCopy, Kept } from "../state/entity-copy.ts";
import type { Write } from "../state/store.ts";
import type { Epoch, Peer, Place, TransactionId } from "../wire/messages.ts";
import type { Failure } from "./failure.ts";
import type { Written } from "./written.ts";

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
  /** The tried call, or what stands here for another partition's; null for the attempt's own scope. */
  readonly activation: Activation | null;
  readonly parent: Scope | null;
  /** Where the tried call was made; null for the attempt's own scope. */
  readonly place: Place | null;
  /** Copies as they were before functions of the subtree changed them: one, and more where others have changed them between these. */
  readonly snapshots: Map<string, Kept[]>;
  /** Entities that the subtree has used and keeps from the rest of the transaction until it ends. */
  readonly retained: Set<string>;
  /** Other partitions that the subtree may have reached: they are told of its end. */
  readonly reached: Set<Peer>;
  /** What a scope within it still keeps goes past it. */
  ended: boolean;
}

export interface Attempt extends LockOwner {
  readonly id: TransactionId;
  /** Its root when that is here; null where functions run for another partition's root. */
  readonly root: Root | null;
  /** Fresh transactions lock; snapshot reads do not. */
  readonly locking: boolean;
  /** Boundary of a snapshot read over several partitions; 0 for none. */
  readonly snapshot: Epoch;
  readonly scope: Scope;
  /** Its own copy of every entity that it has touched, and which activations use that. */
  readonly uses: Few<string, Use>;
  /** Activations waiting in some use's queue; null while there never was one. */
  queued: Set<Activation> | null;
  /** Every activation that has not ended, by its id. */
  readonly live: Few<number, Activation>;
  /** Commits the partition had made when the attempt began. */
  readonly commitsAtStart: number;
  /** Milliseconds since 1970: what `ctx.now()` says. */
  readonly at: number;
  /**
   * Other partitions that functions here have called, or that are known to take part, with the incarnation that does; {@link UNANSWERED}
   * where only the call is known. Null while there is none.
   */
  peers: Few<Peer, number> | null;
  /** Scopes of tried calls of other partitions, by their place; null while there is none. */
  mirrors: Map<string, Scope> | null;
  /** Ways that chases have gone on from here, by their origin; null while none came. */
  chases: Map<string, Chase> | null;
  /** One-way messages that functions here have sent; null while there is none. */
  postings: Posting[] | null;
  /** Bytes of these, where the root is elsewhere: there all is counted when it ends. */
  posted: number;
  /** What functions that have ended here write, counted since one of them ended before another; null while none has. */
  written: Written | null;
  /** What finishing it here would write, as of the last answer; null when functions have run since. */
  prepared: readonly Write[] | null;
  /** When something was last heard of it from elsewhere; ms. */
  heardAt: number;
  /** The root was asked to give it up. */
  killed: boolean;
  /** A snapshot that has read what is not kept as of its epoch: whatever its functions made of that, it begins again. */
  stale: boolean;
  calls: number;
  /** `finishing`: its root function has returned and it waits for an epoch. `tagged`: it has one, and its locks are free. */
  phase: "running" | "finishing" | "tagged";
  /** Committed, refused, failed or given up: nothing of it acts any more. */
  ended: boolean;
}

/** The newest chase of an origin that came here. */
export interface Chase {
  readonly probe: number;
  readonly gone: Set<string>;
}

/** A partition that was called and has not answered: its incarnation is not known. */
export const UNANSWERED = 0;

/** What stands here for a tried call made elsewhere has no id: it is never called, answered or waited for by one. */
export const MIRROR_ID = 0;

export interface Use {
  /** Activations that use the entity, innermost last. */
  readonly stack: Activation[];
  /** Those that wait for it. */
  readonly queue: Activation[];
  /** The transaction's own copy; null until a function looks at it. */
  copy: EntityCopy | null;
}

/** Who waits for an activation that another partition called. */
export interface Caller {
  readonly peer: Peer;
  readonly callId: number;
}

export interface Activation {
  readonly id: number;
  readonly attempt: Attempt;
  /** The calling activation, when that is here. */
  readonly parent: Activation | null;
  /** Nearest ancestor on the call path that is here, whatever lies between; a tried call of another partition counts as one. */
  readonly up: Activation | null;
  /** The call of another partition that it answers. */
  readonly caller: Caller | null;
  /** Where its call path crossed partitions, outermost first; empty when all of it is here. */
  readonly path: readonly Place[];
  readonly depth: number;
  readonly target: Target;
  readonly mode: LockMode;
  /** The scope its failure falls into: its own when it was called by `ctx.try`. */
  readonly scope: Scope;
  /** State-codec text for a call's input, for a root's what that says; null for none. */
  readonly input: string | null;
  /** Input of an internal function that is called within a partition: it need not be a text. */
  payload: Payload | null;
  /** The partition that it was sent to; null when it runs here. */
  readonly remote: Peer | null;
  /** Calls it made. */
  calls: number;
  /** Those of them that have not ended. */
  children: number;
  /** `undoing`: its tried subtree has failed and other partitions are setting it back. */
  state: "waiting" | "running" | "joining" | "remote" | "undoing" | "ended";
  /** Partitions whose word is still awaited while undoing. */
  undoing: Set<Peer> | null;
  outcome: Outcome | null;
  /** Who waits for its outcome here; the engine's own. */
  pending: PendingCall | null;
}

/** The promise of a call, which is settled once. */
export interface PendingCall {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure };

export function isAncestorOrSelf(ancestor: Activation, of: Activation | null): boolean {
  for (let at = of; at !== null; at = at.up) if (at === ancestor) return true;
  return false;
}

/** Whatever its code still does is not its function's: that has ended, or has failed and is being set back. */
export function isOver({ state }: Activation): boolean {
  return state === "ended" || state === "undoing";
}

/** Called by `ctx.try` here: it opened its own scope. */
export function isTried(activation: Activation): boolean {
  return activation.scope.activation === activation;
}

export function newScope(activation: Activation | null, parent: Scope | null, place: Place | null): Scope {
  const whole = activation === null;
  return {
    failure: null,
    activation,
    parent,
    place,
    snapshots: whole ? NO_SNAPSHOTS : new Map(),
    retained: whole ? NO_ENTITIES : new Set(),
    reached: whole ? NO_PEERS : new Set(),
    ended: false,
  };
}

/** An attempt's own scope keeps nothing to be set back to: what is in it is dropped as a whole. Nothing is ever put into these. */
const NO_SNAPSHOTS: Scope["snapshots"] = new Map();
const NO_ENTITIES: Scope["retained"] = new Set();
const NO_PEERS: Scope["reached"] = new Set();

/** Whether a scope is another one or lies within it. */
export function isWithin(scope: Scope, outer: Scope): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at === outer) return true;
  return false;
}

/** Other partitions that are known to take part, with the incarnation that does. */
export function participantsOf({ peers }: Attempt): Few<Peer, number> {
  const parts = new Few<Peer, number>();
  for (const [peer, incarnation] of peers ?? []) if (incarnation !== UNANSWERED) parts.set(peer, incarnation);
  return parts;
}

/** Of an attempt that is known to be at its root's partition. */
export function rootOf({ root }: Attempt): Root {
  invariant(root !== null, "6: an attempt without a root");
  return root;
}
