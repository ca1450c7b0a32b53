/** Running transactions as one partition sees them: attempts, activations, locks, failure and rollback. Commits, epochs and answers are the owner's. */
import type { AppDefinition } from "../../sdk/app.ts";
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { LockTable } from "../locks/lock-table.ts";
import { OUTBOX } from "../outbox/message.ts";
import { resolveAny } from "../partition/resolve.ts";
import { comesToLess, type Root } from "../partition/root.ts";
import { EntityCopy } from "../state/entity-copy.ts";
import type { History } from "../state/history.ts";
import type { Layers, StateView } from "../state/layers.ts";
import { ReadValues } from "../state/read-values.ts";
import type { Write } from "../state/store.ts";
import type { Epoch, TransactionId } from "../wire/messages.ts";
import { type Activation, type Attempt, isOver, isTried, type Outcome, rootOf, type Target } from "./attempt.ts";
import { AttemptTable } from "./attempt-table.ts";
import { type ActivationParts, type AttemptParts, beginActivation, beginAttempt } from "./beginnings.ts";
import { checkCall } from "./check-call.ts";
import { aborted, ABORTED_BY_ROOT, ABORTED_WITH_ERA, type Failure, failureOf, GAVE_WAY } from "./failure.ts";
import type { CallRequest, TransactionOwner } from "./owner.ts";
import { lifeOf } from "./life.ts";
import { keepSnapshots, restoreScope, settleState } from "./rollback.ts";
import { RemoteCalls } from "./remote-calls.ts";
import { tellCaller } from "./report.ts";
import { allWritesOf, writesOf } from "./writes.ts";
import { closesCycle, cycles, enterUse, type Left, leaveQueue, leaveUse } from "./uses.ts";

/** The call path of a root: nothing is above it. */
const NO_PATH: Activation["path"] = [];

export class Transactions {
  readonly app: AppDefinition;
  readonly #layers: Layers;
  readonly #history: History;
  readonly owner: TransactionOwner;
  readonly #locks = new LockTable<Attempt>();
  readonly attempts = new AttemptTable();
  readonly readValues = new ReadValues(LIMITS.readValueLeast, LIMITS.readValueUnits);
  readonly remote: RemoteCalls;
  /** Attempts of this partition's roots that have not ended. */
  #roots = 0;
  #nextAttempt = 1;
  #nextId = 1;
  readonly #wound = (victim: Attempt): void => this.giveUp(victim);
  /** Commits so far: tells a snapshot read whether anything changed while it ran. */
  #commits = 0;

  constructor(app: AppDefinition, layers: Layers, history: History, owner: TransactionOwner) {
    this.app = app;
    this.#layers = layers;
    this.#history = history;
    this.owner = owner;
    this.remote = new RemoteCalls(this);
  }

  /**
   * A snapshot query begins on the newest committed state, without locks. While an epoch is undecided that state may hold what comes after
   * it without holding it: then the query begins as of a boundary.
   */
  start(root: Root): void {
    if (root.snapshot && !this.#layers.isDecided) this.#beginAsOf(root, this.owner.boundary);
    else this.#begin(root, !root.snapshot, 0);
  }

  /** Begins a snapshot query as of an epoch, without locks; with locks where no boundary is recent enough, for now or for who asks. */
  #beginAsOf(root: Root, newest: Epoch | undefined): void {
    const boundary = newest !== undefined && newest >= root.notBefore ? newest : undefined;
    if (boundary !== undefined) this.owner.readAsOf(boundary);
    this.#begin(root, boundary === undefined, boundary ?? 0);
  }

  #begin(root: Root, locking: boolean, snapshot: Epoch): void {
    const { self, incarnation } = this.owner;
    const id: TransactionId = { root: self, incarnation, attempt: this.#nextAttempt++ };
    const attempt = this.newAttempt({ id, root, age: root.age, at: root.at, locking, snapshot });
    root.attempts += 1;
    root.attempt = attempt;
    this.#roots += 1;
    const input = root.input === "" ? null : root.input;
    const activation = this.newActivation(attempt, {
      parent: null,
      up: null,
      caller: null,
      path: NO_PATH,
      depth: 0,
      scope: attempt.scope,
      target: root.target,
      tried: false,
      input,
      remote: null,
    });
    this.enter(activation);
  }

  newAttempt(parts: AttemptParts): Attempt {
    const attempt = beginAttempt(parts, this.#commits, this.owner.now);
    this.attempts.add(attempt);
    return attempt;
  }

  newActivation(attempt: Attempt, parts: ActivationParts): Activation {
    return beginActivation(this.#nextId++, attempt, parts, this.owner.self);
  }

  resolve(service: string, key: string, name: string): Target {
    return resolveAny(this.app, service, key, name);
  }

  /**
   * A running function calls another. Returns the call's activation; an effect `settle` for it comes later, once.
   * @throws TidegateError when the caller's function or transaction has ended, or for a function that does not exist
   */
  call(parent: Activation, request: CallRequest): Activation {
    const { attempt } = parent;
    if (attempt.ended) throw aborted("the transaction has been aborted");
    if (isOver(parent)) throw aborted("the function that this context belongs to has ended");
    const child = this.#tryActivation(parent, request);
    if ("failure" in child) this.end(child.activation, { ok: false, failure: child.failure });
    else if (child.activation.remote !== null) this.remote.call(child.activation);
    else this.enter(child.activation);
    return child.activation;
  }

  #tryActivation(parent: Activation, request: CallRequest): { activation: Activation; failure?: Failure } {
    let target = parent.target;
    let failure: Failure | undefined;
    try {
      target = this.resolve(request.service, request.key, request.name);
      checkCall(parent, target, request.input);
    } catch (error) {
      failure = failureOf(error);
    }
    parent.calls += 1;
    parent.children += 1;
    parent.attempt.calls += 1;
    const { scope, path } = parent;
    const here = failure !== undefined || target.key === parent.target.key;
    const peer = here ? this.owner.self : this.owner.partitionOf(target.key);
    const activation = this.newActivation(parent.attempt, {
      parent,
      up: parent,
      caller: null,
      path,
      depth: parent.depth + 1,
      scope,
      target,
      tried: request.tried,
      input: request.input,
      remote: peer === this.owner.self ? null : peer,
    });
    return failure ? { activation, failure } : { activation };
  }

  /** A user function has returned or thrown; again when its last call has ended behind that. Ignored once its transaction has ended: the function outlived it. */
  returned(activation: Activation, outcome: Outcome): void {
    if (activation.attempt.ended || activation.state === "ended") return;
    const { state, children } = activation;
    const isJoined = state === "joining" && children === 0 && activation.outcome === outcome;
    invariant(isJoined || (state === "running" && activation.outcome === null), "4: a function returned twice");
    if (activation.attempt.stale) return this.tooOld(activation.attempt);
    activation.outcome = outcome;
    if (!outcome.ok) activation.scope.failure ??= outcome.failure;
    if (activation.children > 0) activation.state = "joining";
    else this.#finish(activation, outcome);
  }

  /** The boundary of a snapshot is not kept here any more: it begins again with a newer one, or with locks, which makes one. */
  tooOld(attempt: Attempt): void {
    const { boundary } = this.owner;
    if (!attempt.root) {
      this.owner.send(attempt.id.root, { kind: "too-old", id: attempt.id, decided: this.owner.decided });
      return;
    }
    const isNewer = boundary !== undefined && boundary > attempt.snapshot;
    if (isNewer && attempt.root.attempts < LIMITS.maxSnapshotAttempts) this.#restart(attempt, { asOf: boundary });
    else this.#restart(attempt);
  }

  enter(activation: Activation): void {
    activation.attempt.prepared = null;
    if (enterUse(activation)) this.#lock(activation);
    else if (closesCycle(activation)) this.breakCycle(activation);
    else this.remote.chase(activation);
  }

  breakCycle(activation: Activation): void {
    leaveQueue(activation);
    const { service, key } = activation.target;
    const error = new TidegateError(
      "call-cycle",
      `calls of one transaction wait for each other: ${service.contract.name} "${key}" is in use by a call that waits for this one`,
    );
    this.end(activation, { ok: false, failure: { kind: "engine", error } });
  }

  #lock(activation: Activation): void {
    const { attempt, target, mode } = activation;
    const run = (): void => this.#run(activation);
    if (!attempt.locking || this.#locks.acquire(target.entity, attempt, mode, run, this.#wound)) run();
  }

  #run(activation: Activation): void {
    if (activation.attempt.ended) return;
    if (activation.scope.failure) {
      const error = aborted("an earlier call of this transaction failed; it can only abort");
      this.#finish(activation, { ok: false, failure: { kind: "engine", error } });
      return;
    }
    try {
      if (activation.scope.activation !== null) keepSnapshots(activation, () => this.copyOf(activation));
    } catch (error) {
      // What the state is just now cannot be stored, and so not be set back to: the call fails before it has done anything.
      this.#finish(activation, { ok: false, failure: failureOf(error) });
      return;
    }
    activation.state = "running";
    this.owner.emit({ kind: "run", activation });
  }

  /** The transaction's own copy of what its function runs on. */
  copyOf(activation: Activation): EntityCopy {
    const { attempt, target } = activation;
    const use = attempt.uses.get(target.entity);
    invariant(use !== undefined, "2: a function looks at a key that it does not use");
    const { entity, service } = target;
    return (use.copy ??= new EntityCopy(entity, this.#viewOf(attempt), service, lifeOf(attempt, target)));
  }

  #viewOf(attempt: Attempt): StateView {
    if (attempt.locking) return this.#layers;
    const { committed } = this.#layers;
    if (attempt.snapshot === 0) return committed;
    return this.#history.at(attempt.snapshot, committed, () => void (attempt.stale = true));
  }

  /** The function is done and so are its calls. A tried subtree that failed is set back everywhere before its caller hears of it. */
  #finish(activation: Activation, returned: Outcome): void {
    const { attempt, scope } = activation;
    const outcome = settleState(activation, returned);
    if (isTried(activation)) {
      if (scope.failure) restoreScope(attempt, scope);
      if (this.remote.endScope(activation, outcome)) return;
    }
    this.leave(activation, outcome);
  }

  /** Ends an activation and its use of its key. */
  leave(activation: Activation, outcome: Outcome): void {
    const left = leaveUse(activation);
    this.end(activation, outcome);
    this.wake(activation.attempt, left);
  }

  /** Goes on with those that may use a key now. */
  wake(attempt: Attempt, { woken, kept }: Left): void {
    for (const next of woken) if (!attempt.ended) this.#lock(next);
    if (!kept || attempt.ended) return;
    for (const queued of cycles(attempt)) this.breakCycle(queued);
    for (const queued of attempt.queued ?? []) this.remote.chase(queued);
  }

  /** A call to another partition was answered. */
  answered(activation: Activation, outcome: Outcome): void {
    if (!outcome.ok) activation.scope.failure ??= outcome.failure;
    this.#finish(activation, outcome);
  }

  /** Ends an activation that uses no key (any more) and tells its caller. */
  end(activation: Activation, outcome: Outcome): void {
    const { attempt, scope, parent } = activation;
    activation.state = "ended";
    attempt.live.delete(activation.id);
    attempt.root?.trace?.ended(activation, outcome.ok);
    if (!outcome.ok) scope.failure ??= outcome.failure;
    if (activation.caller) {
      this.remote.answer(activation, outcome);
      return;
    }
    if (!parent) {
      this.#finishRoot(attempt, outcome);
      return;
    }
    tellCaller(this.owner, activation, outcome);
    parent.children -= 1;
    invariant(parent.children >= 0, "6: more calls ended than were made");
    if (parent.children === 0 && parent.state === "joining") this.owner.emit({ kind: "joined", activation: parent });
  }

  #finishRoot(attempt: Attempt, outcome: Outcome): void {
    const root = rootOf(attempt);
    if (!attempt.locking && attempt.snapshot === 0 && this.#commits !== attempt.commitsAtStart) {
      this.#restart(attempt);
      return;
    }
    const failure = attempt.scope.failure ?? (outcome.ok ? null : outcome.failure);
    const settled: Outcome = failure ? { ok: false, failure } : outcome;
    if (attempt.snapshot !== 0) this.#finishSnapshot(root, attempt, settled);
    else if (this.#needsEpoch(attempt)) this.#finishInEpoch(root, attempt, settled);
    else this.#finishHere(root, attempt, settled);
  }

  #needsEpoch(attempt: Attempt): boolean {
    // What comes after an undecided transaction in order must not be there without it.
    if (attempt.peers !== null || (attempt.root?.after ?? null) !== null) return true;
    if (!attempt.locking || this.#layers.isDecided) return false;
    // Committed at once, a message would overtake one that its sender sent before.
    if (attempt.postings !== null && this.#layers.isUndecided(OUTBOX)) return true;
    for (const entity of attempt.uses.keys()) if (this.#layers.isUndecided(entity)) return true;
    return false;
  }

  #finishHere(root: Root, attempt: Attempt, outcome: Outcome): void {
    let writes: Write[] = [];
    let failure = outcome.ok ? null : outcome.failure;
    if (!failure) {
      try {
        writes = writesOf(attempt, () => this.owner.mail.nextId());
      } catch (error) {
        failure = failureOf(error);
      }
    }
    if (failure) {
      if (comesToLess(root, failure)) return this.#restart(attempt);
      this.#close(attempt);
      this.owner.failed(root, failure);
      return;
    }
    invariant(attempt.locking || writes.length === 0, "2: a snapshot read wrote");
    if (writes.length > 0) this.#commits += 1;
    this.owner.committed(root, writes, (outcome as { value: unknown }).value);
    this.#close(attempt);
  }

  #finishSnapshot(root: Root, attempt: Attempt, outcome: Outcome): void {
    this.#abandon(attempt);
    this.#close(attempt);
    if (outcome.ok) this.owner.committed(root, [], outcome.value);
    else this.owner.failed(root, outcome.failure);
  }

  /** Errors of the engine show nothing of what was read: they need no epoch. */
  #finishInEpoch(root: Root, attempt: Attempt, outcome: Outcome): void {
    let settled = outcome;
    let writes: readonly Write[] = [];
    try {
      if (settled.ok) writes = writesOf(attempt, () => this.owner.mail.nextId());
    } catch (error) {
      settled = { ok: false, failure: failureOf(error) };
    }
    if (!settled.ok && comesToLess(root, settled.failure)) return this.#restart(attempt);
    if (!settled.ok && settled.failure.kind === "engine") {
      this.#abandon(attempt);
      this.#close(attempt);
      this.owner.failed(root, settled.failure);
      return;
    }
    attempt.phase = "finishing";
    this.owner.finishing(attempt, settled, writes);
  }

  /** What finishing an attempt here writes; messages that it sends are writes too. @throws when it is too much */
  preparedOf(attempt: Attempt): readonly Write[] {
    return (attempt.prepared ??= writesOf(attempt, () => this.owner.mail.nextId()));
  }

  /** The same at its finish, where nothing may fail: what was undone since the last answer can only have made it a little more. */
  finishedOf(attempt: Attempt): readonly Write[] {
    return attempt.prepared ?? allWritesOf(attempt, () => this.owner.mail.nextId());
  }

  /** An older transaction needs what this attempt holds, or one of its participants was lost: its root begins again, unless it has its epoch. */
  giveUp(attempt: Attempt): void {
    if (attempt.ended) return;
    if (attempt.root) this.#restart(attempt);
    else this.remote.kill(attempt);
  }

  /** The next attempt queues for the root's lock before the old one's locks are free, so that its place by age is kept. */
  #restart(attempt: Attempt, snapshot?: { readonly asOf: Epoch | undefined }): void {
    const root = rootOf(attempt);
    this.#abandon(attempt);
    this.#finishAttempt(attempt);
    this.#endCalls(attempt, GAVE_WAY);
    if (root.attempts < LIMITS.maxAttempts) {
      if (snapshot) this.#beginAsOf(root, snapshot.asOf);
      else this.#begin(root, true, 0);
    } else {
      root.attempt = null;
      const error = comeAgain(`the transaction gave way to older ones ${LIMITS.maxAttempts} times`);
      this.owner.failed(root, { kind: "engine", error });
    }
    this.#locks.release(attempt);
  }

  /** A snapshot query that reaches another partition begins again as of a boundary: only so do several partitions show one state. */
  restartAsSnapshot(attempt: Attempt): void {
    this.#restart(attempt, { asOf: this.owner.boundary });
  }

  /** Tells every partition that this attempt may have reached that it is over. */
  #abandon(attempt: Attempt): void {
    for (const peer of attempt.peers?.keys() ?? []) this.owner.send(peer, { kind: "abort", id: attempt.id });
  }

  /** Tells the callers that still wait inside an attempt that it has ended. */
  #endCalls(attempt: Attempt, error: TidegateError): void {
    const outcome: Outcome = { ok: false, failure: { kind: "engine", error } };
    for (const activation of attempt.live.values()) {
      this.remote.forget(activation);
      if (activation.parent) this.owner.emit({ kind: "settle", activation, outcome });
    }
    attempt.live.clear();
  }

  /** The attempt of another partition's root is over: whoever was called from here hears it behind the call. */
  aborted(attempt: Attempt, isPassedOn = true): void {
    if (isPassedOn) this.#abandon(attempt);
    this.#drop(attempt);
  }

  #drop(attempt: Attempt): void {
    this.#finishAttempt(attempt);
    this.#endCalls(attempt, ABORTED_BY_ROOT);
    this.#locks.release(attempt);
  }

  /** It has its epoch: its locks are free, its id stays known until the epoch is decided. */
  tagged(attempt: Attempt): void {
    invariant(attempt.live.size === 0, "1: an attempt finishes while calls of it run");
    attempt.phase = "tagged";
    attempt.ended = true;
    if (attempt.root) {
      this.#roots -= 1;
      attempt.root.attempt = null;
    } else this.attempts.delete(attempt);
    this.#locks.release(attempt);
  }

  /** Gives up the transactions that were admitted before this time (ms since 1970): a function that never settles would keep its keys for ever. */
  expire(before: number): void {
    for (const attempt of this.attempts.all()) {
      const { root } = attempt;
      if (attempt.ended || !root || root.at >= before) continue;
      const error = new TidegateError(
        "deadline-exceeded",
        "the transaction took longer than a transaction may; nothing of it was done",
      );
      this.#abandon(attempt);
      this.#finishAttempt(attempt);
      root.attempt = null;
      root.tooMuch.tookTooLong = true;
      this.#endCalls(attempt, error);
      this.#locks.release(attempt);
      this.owner.failed(root, { kind: "engine", error });
    }
  }

  /** Everything that runs here ends, and no lock is left: the era is over, and what ran in it elsewhere ends likewise. */
  reset(): void {
    for (const attempt of this.attempts.all()) {
      if (attempt.ended) {
        this.attempts.delete(attempt);
        continue;
      }
      if (attempt.root) attempt.root.attempt = null;
      this.#finishAttempt(attempt);
      this.#endCalls(attempt, ABORTED_WITH_ERA);
    }
    this.#locks.clear();
    invariant(this.#roots === 0 && this.attempts.size === 0, "6: an attempt outlives its era");
  }

  /** Something was committed here. */
  noteCommit(): void {
    this.#commits += 1;
  }

  /** Roots whose functions run or wait for an epoch. */
  get isRunning(): boolean {
    return this.#roots > 0;
  }

  #close(attempt: Attempt): void {
    rootOf(attempt).attempt = null;
    this.#finishAttempt(attempt);
    this.#locks.release(attempt);
  }

  #finishAttempt(attempt: Attempt): void {
    attempt.ended = true;
    if (attempt.root) this.#roots -= 1;
    this.attempts.delete(attempt);
  }

  /** Attempts running and keys locked: both 0 when nothing runs (invariant 6). */
  get load(): { attempts: number; locks: number } {
    return { attempts: this.attempts.size, locks: this.#locks.size };
  }
}
