/** Keeping and setting back what functions do to the transaction's own copies. */
import type { TidegateError } from "../../sdk/errors.ts";
import type { EntityCopy, Kept } from "../state/entity-copy.ts";
import { type Activation, type Attempt, isWithin, type Outcome, type Scope, type Use } from "./attempt.ts";
import { aborted, type Failure, failureOf } from "./failure.ts";
import { usersOf } from "./uses.ts";
import { changeFault, triedFault } from "./tried-writes.ts";
import { countUse, postedBytes } from "./written.ts";

/** Before a function runs: so that each tried subtree around it can be undone by itself. @throws when what there is cannot be stored */
export function keepSnapshots(activation: Activation, copyOf: () => EntityCopy): void {
  if (activation.mode === "shared") return;
  const copy = copyOf();
  const use = activation.attempt.uses.get(copy.entity);
  const isHeld = use !== undefined && usersOf(use, copy.entity).length > 1;
  for (const scope of triedScopes(activation)) {
    const kept = scope.snapshots.get(copy.entity);
    if (kept === undefined) scope.snapshots.set(copy.entity, [{ before: copy.snapshot(isHeld), after: null }]);
    else if (!isRunning(use, activation, scope) && !isUnchanged(copy, kept))
      kept.push({ before: copy.snapshot(isHeld), after: null });
  }
}

/** Innermost first. */
function triedScopes({ scope: innermost }: Activation): Scope[] {
  const scopes: Scope[] = [];
  for (let scope: Scope | null = innermost; scope !== null && scope.activation !== null; scope = scope.parent)
    scopes.push(scope);
  return scopes;
}

/** Nobody but the subtree has changed it since a function of that had it last. */
function isUnchanged(copy: EntityCopy, kept: readonly Kept[]): boolean {
  const after = kept.at(-1)?.after ?? null;
  return after === null || copy.isAt(after);
}

/**
 * A function of tried subtrees has ended: what others write to its key from here on is told apart from what it did. If that cannot be stored it is set
 * back at once and returned as a failure: until here all that was written counts as its own.
 */
function noteEnd(activation: Activation): Failure | null {
  const { attempt, target, mode, remote } = activation;
  if (activation.scope.activation === null || remote !== null || mode === "shared") return null;
  const use = attempt.uses.get(target.entity);
  if (!use?.copy) return null;
  let failure: Failure | null = null;
  for (const scope of triedScopes(activation)) {
    const kept = scope.snapshots.get(target.entity)?.at(-1);
    if (kept === undefined || isRunning(use, activation, scope)) continue;
    if (outside(use, target.entity, scope).length === 0) continue;
    kept.after = use.copy.mark();
    // Set back for the innermost, it is as it was for those around.
    if (scope === activation.scope) failure = changeFault(use.copy, kept);
    if (failure === null || scope !== activation.scope) continue;
    use.copy.restore({ before: kept.before, after: null }, true);
    kept.after = use.copy.mark();
  }
  return failure;
}

/** Another function of the scope has the key, and goes on with it: what it writes is the scope's, too. */
function isRunning(use: Use | undefined, activation: Activation, scope: Scope): boolean {
  if (use === undefined) return false;
  const users = usersOf(use, activation.target.entity);
  return users.some((user) => user !== activation && isWithin(user.scope, scope));
}

/** Functions on a key that are not of a scope: they have called into it, and go on meanwhile. */
function outside(use: Use, entity: string, scope: Scope): readonly Activation[] {
  return usersOf(use, entity).filter((user) => !isWithin(user.scope, scope));
}

/** Sets back what a scope has done here; what functions around it have done on the same keys meanwhile stays. */
export function restoreScope(attempt: Attempt, scope: Scope): void {
  for (const [entity, kept] of scope.snapshots) {
    const use = attempt.uses.get(entity);
    if (!use?.copy) continue;
    const users = outside(use, entity, scope);
    const aliased = users.length > 0;
    if (!aliased) use.copy.restore(kept[0] as Kept, false);
    // Part by part, the newest first: between them others may have written.
    else if (!kept.toReversed().every((part) => (use.copy as EntityCopy).restore(part, true)))
      for (const user of users) user.scope.failure ??= { kind: "engine", error: bothWrote(user) };
    if (!aliased && attempt.written !== null) countUse(attempt, entity);
  }
  attempt.postings = attempt.postings?.filter((posting) => !isWithin(posting.scope, scope)) ?? null;
  if (attempt.root !== null) {
    // They are counted when the next tried call ends.
    attempt.posted = 0;
    if (attempt.written !== null) attempt.written.messages = 0;
  } else attempt.posted = attempt.postings?.reduce((sum, posting) => sum + postedBytes(posting), 0) ?? 0;
  attempt.prepared = null;
}

function bothWrote({ target }: Activation): TidegateError {
  const { service, key, name } = target;
  return aborted(
    `${service.contract.name} "${key}": a tried call that came back to this key and failed cannot be undone, since ${name} has changed the same part of ` +
      "its state meanwhile; change that before the call or behind it",
  );
}

/**
 * A function has ended. What it made of its state is fixed now: what functions do that go on after their end must not count, and where their
 * transaction ends elsewhere it is too late to fail at the finish. A root's is at its finish already. What a tried call wrote is looked at wherever that
 * is: it fails alone.
 */
export function settleState(activation: Activation, outcome: Outcome): Outcome {
  const { scope } = activation;
  let failure = noteEnd(activation) ?? settleKey(activation);
  if (failure === null && outcome.ok && scope.failure === null) failure = triedFault(activation);
  if (failure === null) return outcome;
  scope.failure ??= failure;
  return outcome.ok ? { ok: false, failure } : outcome;
}

function settleKey(activation: Activation): Failure | null {
  const { attempt, target, remote, mode } = activation;
  const isRoot = activation.parent === null && activation.caller === null;
  if (remote !== null || (isRoot && attempt.written === null)) return null;
  const use = attempt.uses.get(target.entity);
  if (!use?.copy || usersOf(use, target.entity).some((user) => user !== activation)) return null;
  try {
    // What a reader has of it is its own. Of a large state a transaction that calls its key again and again would make texts and values and nothing else.
    const isTooMuch = attempt.root !== null && use.copy.isLarge;
    if (!isRoot && mode !== "shared" && !isTooMuch) use.copy.settle();
    if (attempt.root === null || attempt.written !== null) countUse(attempt, target.entity);
    return null;
  } catch (error) {
    return failureOf(error);
  }
}
