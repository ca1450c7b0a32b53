/**
 * Order among the calls of one transaction to one key: they run one at a time, except that a call may come back to a key
 * whose user is an ancestor on its call path (A → B → A). What the subtree of a `ctx.try` has used stays with that subtree
 * until it ends, as in nested transactions (Moss 1981), so that rolling it back cannot undo anybody else's work.
 */
import { invariant } from "../assert.ts";
import { type Activation, type Attempt, isAncestorOrSelf, MIRROR_ID, type Scope, type Use } from "./attempt.ts";

/** True when the activation may use its key now; otherwise it is queued. */
export function enterUse(activation: Activation): boolean {
  const { attempt, target } = activation;
  const use = attempt.uses.get(target.entity);
  if (!use) {
    // With its user in it: an empty list that grows takes room for many.
    attempt.uses.set(target.entity, { stack: [activation], queue: [], copy: null });
    return true;
  }
  if (mayUse(use, activation)) {
    use.stack.push(activation);
    return true;
  }
  use.queue.push(activation);
  (attempt.queued ??= new Set()).add(activation);
  return false;
}

/** The innermost alone would not do: what keeps a key for a tried call may lie above a function within that call that still runs on it. */
function mayUse(use: Use, activation: Activation): boolean {
  return use.stack.every((user) => isAncestorOrSelf(user, activation.up));
}

/** {@link waitsForItself} of an activation that was just queued: behind a sibling it waits for what that one waits for. */
export function closesCycle(activation: Activation): boolean {
  const before = activation.attempt.uses.get(activation.target.entity)?.queue.at(-2);
  return before?.up !== activation.up && waitsForItself(activation);
}

/** Whether a queued activation waits, through others of its transaction, for one of its own ancestors: then none of them can ever go on. */
function waitsForItself(activation: Activation): boolean {
  const { attempt } = activation;
  const seen = new Set<Activation>();
  const open = blockersOf(activation);
  while (open.length > 0) {
    const blocker = open.pop() as Activation;
    if (seen.has(blocker)) continue;
    seen.add(blocker);
    if (isAncestorOrSelf(blocker, activation.up)) return true;
    for (const queued of attempt.queued ?? []) {
      if (queued !== activation && isAncestorOrSelf(blocker, queued)) open.push(...blockersOf(queued));
    }
  }
  return false;
}

/** All that must end before a queued activation may use its key: everybody who uses or keeps it and is not on its call path. */
export function blockersOf(queued: Activation): Activation[] {
  const users = queued.attempt.uses.get(queued.target.entity)?.stack ?? [];
  const blockers = users.filter((user) => !isAncestorOrSelf(user, queued.up));
  invariant(blockers.length > 0, "6: a call waits for a key that nobody uses");
  return blockers;
}

/**
 * Queued activations that can never go on: to be looked for when a key that others wait for is kept by a tried call, which may
 * itself wait for them. Whoever is only let in has called nobody yet.
 */
export function* cycles(attempt: Attempt): Generator<Activation> {
  for (const queued of [...(attempt.queued ?? [])]) {
    if (!attempt.ended && attempt.queued?.has(queued) && waitsForItself(queued)) yield queued;
  }
}

export interface Left {
  /** The activations that may use a key now, already entered. */
  readonly woken: Activation[];
  /** A key that others wait for is kept by a tried call. */
  readonly kept: boolean;
}

/** Ends an activation's use of its key, and its scope when it was tried here. */
export function leaveUse(activation: Activation): Left {
  const { attempt, target, scope } = activation;
  const left = { woken: [] as Activation[], kept: false };
  const tried = scope.activation === activation;
  if (activation.remote !== null) {
    if (tried) endRetention(attempt, scope, left);
    return left;
  }
  const use = attempt.uses.get(target.entity);
  invariant(use !== undefined, "6: an activation leaves a key that it does not use");
  remove(use.stack, activation);
  if (tried) endRetention(attempt, scope, left);
  const outer = tried ? scope.parent : scope;
  if (outer) left.kept = retain(use, outer, target.entity) || left.kept;
  admit(attempt, use, left.woken);
  return left;
}

/** The functions that run on a key, or wait for their calls: not those that only keep it. */
export function usersOf({ stack }: Use, entity: string): Activation[] {
  return stack.filter(({ id, target }) => id !== MIRROR_ID && target.entity === entity);
}

/** Ends what a scope of another partition's tried call keeps here. */
export function leaveScope(attempt: Attempt, scope: Scope): Left {
  const left = { woken: [] as Activation[], kept: false };
  endRetention(attempt, scope, left);
  return left;
}

/** Takes a waiting activation out of its queue. */
export function leaveQueue(activation: Activation): void {
  const use = activation.attempt.uses.get(activation.target.entity);
  if (use) remove(use.queue, activation);
  activation.attempt.queued?.delete(activation);
}

function endRetention(attempt: Attempt, scope: Scope, left: { woken: Activation[]; kept: boolean }): void {
  scope.ended = true;
  const outer = lasting(scope.parent);
  for (const entity of scope.retained) {
    const use = attempt.uses.get(entity);
    invariant(use !== undefined, "6: a tried call keeps a key that is not in use");
    remove(use.stack, scope.activation as Activation);
    if (outer) left.kept = retain(use, outer, entity) || left.kept;
    admit(attempt, use, left.woken);
  }
  scope.retained.clear();
}

/** The ends of scopes come from their own partitions: that of an outer one may be here first, and then that keeps nothing any more. */
function lasting(scope: Scope | null): Scope | null {
  let at = scope;
  while (at?.ended) at = at.parent;
  return at;
}

/** True when others wait for what is kept now. */
function retain(use: Use, scope: Scope, entity: string): boolean {
  if (scope.activation === null || scope.retained.has(entity)) return false;
  scope.retained.add(entity);
  use.stack.push(scope.activation);
  return use.queue.length > 0;
}

function admit(attempt: Attempt, use: Use, woken: Activation[]): void {
  for (let i = 0; i < use.queue.length;) {
    const next = use.queue[i] as Activation;
    if (!mayUse(use, next)) {
      i++;
      continue;
    }
    use.queue.splice(i, 1);
    attempt.queued?.delete(next);
    use.stack.push(next);
    woken.push(next);
  }
}

function remove(list: Activation[], activation: Activation): void {
  const at = list.lastIndexOf(activation);
  if (at >= 0) list.splice(at, 1);
}
