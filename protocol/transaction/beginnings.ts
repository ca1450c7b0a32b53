/** Attempts and activations as they begin. */
import { Few } from "../few.ts";
import type { Root } from "../partition/root.ts";
import type { Epoch, Peer, TransactionId } from "../wire/messages.ts";
import { modeOf } from "./life.ts";
import { type Activation, type Attempt, type Caller, newScope, type Scope, type Target } from "./attempt.ts";

/** What an activation is made from. */
export interface ActivationParts {
  readonly parent: Activation | null;
  readonly up: Activation | null;
  readonly caller: Caller | null;
  readonly path: Activation["path"];
  readonly depth: number;
  readonly scope: Scope;
  readonly target: Target;
  readonly tried: boolean;
  readonly input: string | null;
  readonly remote: Peer | null;
}

/** What an attempt of a root, or its presence at another partition, is made from. */
export interface AttemptParts {
  readonly id: TransactionId;
  readonly root: Root | null;
  readonly age: number;
  readonly at: number;
  readonly locking: boolean;
  readonly snapshot: Epoch;
}

/**
 * @param commits commits that the partition had made
 * @param now milliseconds since 1970
 */
export function beginAttempt(parts: AttemptParts, commits: number, now: number): Attempt {
  // Written out: to copy what is given by spreading costs as much as all the rest of an attempt's beginning.
  return {
    id: parts.id,
    root: parts.root,
    age: parts.age,
    at: parts.at,
    locking: parts.locking,
    snapshot: parts.snapshot,
    scope: newScope(null, null, null),
    locks: null,
    uses: new Few(),
    queued: null,
    live: new Few(),
    commitsAtStart: commits,
    peers: null,
    mirrors: null,
    chases: null,
    postings: null,
    posted: 0,
    written: null,
    prepared: null,
    heardAt: now,
    killed: false,
    stale: false,
    calls: 0,
    phase: "running",
    ended: false,
  };
}

/** @param self the partition that it begins at: a tried call opens its own scope there */
export function beginActivation(id: number, attempt: Attempt, parts: ActivationParts, self: Peer): Activation {
  const activation: { -readonly [K in keyof Activation]: Activation[K] } = {
    id,
    attempt,
    parent: parts.parent,
    up: parts.up,
    caller: parts.caller,
    path: parts.path,
    depth: parts.depth,
    target: parts.target,
    mode: modeOf(parts.target),
    scope: parts.scope,
    input: parts.input,
    payload: null,
    remote: parts.remote,
    calls: 0,
    children: 0,
    state: "waiting",
    undoing: null,
    outcome: null,
    pending: null,
  };
  if (parts.tried) activation.scope = newScope(activation, parts.scope, { peer: self, activation: id });
  attempt.live.set(id, activation);
  attempt.root?.trace?.began(activation, attempt.root.attempts);
  return activation;
}
