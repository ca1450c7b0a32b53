/** Keeping and setting back what functions do to the transaction's own copies. */
import type { EntityCopy } from "../state/entity-copy.ts";
import { type Activation, type Attempt, isWithin, type Outcome, type Scope } from "./attempt.ts";
import { failureOf } from "./failure.ts";
import { usersOf } from "./uses.ts";
import { countUse, postedBytes } from "./written.ts";

/** Before a function runs: so that each tried subtree around it can be undone by itself. @throws when what there is cannot be stored */
export function keepSnapshots(activation: Activation, copyOf: () => EntityCopy): void {
  if (activation.mode === "shared") return;
  const copy = copyOf();
  const use = activation.attempt.uses.get(copy.entity);
  const isHeld = use !== undefined && usersOf(use, copy.entity).length > 1;
  for (let scope: Scope | null = activation.scope; scope !== null && scope.activation !== null; scope = scope.parent) {
    if (!scope.snapshots.has(copy.entity)) scope.snapshots.set(copy.entity, copy.snapshot(isHeld));
  }
}

/** Sets back what a scope has done here. */
export function restoreScope(attempt: Attempt, scope: Scope): void {
  for (const [entity, snapshot] of scope.snapshots) {
    const use = attempt.uses.get(entity);
    if (!use?.copy) continue;
    const aliased = usersOf(use, entity).some((user) => !isWithin(user.scope, scope));
    use.copy.restore(snapshot, aliased);
    if (!aliased && attempt.written !== null) countUse(attempt, entity);
  }
  attempt.postings = attempt.postings?.filter((posting) => !isWithin(posting.scope, scope)) ?? null;
  if (attempt.root === null)
    attempt.posted = attempt.postings?.reduce((sum, posting) => sum + postedBytes(posting), 0) ?? 0;
  attempt.prepared = null;
}

/**
 * Where a transaction ends elsewhere, what a function made of its state is fixed as it ends: at the finish it is too late to fail, and what
 * functions do that go on after their end must not count.
 */
export function settleState(activation: Activation, outcome: Outcome): Outcome {
  const { attempt, scope, target, remote } = activation;
  const use = attempt.root || remote !== null ? undefined : attempt.uses.get(target.entity);
  if (!use?.copy || usersOf(use, target.entity).some((user) => user !== activation)) return outcome;
  try {
    use.copy.settle();
    countUse(attempt, target.entity);
    return outcome;
  } catch (error) {
    const failure = failureOf(error);
    scope.failure ??= failure;
    return outcome.ok ? { ok: false, failure } : outcome;
  }
}
