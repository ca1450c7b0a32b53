/** Running transactions of one partition: attempts, activations, locks, failure and rollback. Commits and answers are the owner's. */
import type { AppDefinition } from "../../sdk/app.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { LockTable } from "../locks/lock-table.ts";
import type { Effect } from "../partition/effects.ts";
import { resolveTarget } from "../partition/resolve.ts";
import type { Root } from "../partition/root.ts";
import { RECORD_ROW_BYTES } from "../record/record.ts";
import { EntityCopy } from "../state/entity-copy.ts";
import type { StateStore, Write } from "../state/store.ts";
import { fitsUtf8, UTF8_PER_UNIT, utf8Length } from "../utf8.ts";
import { type Activation, type Attempt, isTried, newScope, type Outcome, type Scope, type Target } from "./attempt.ts";
import { type Failure, failureOf } from "./failure.ts";
import { closesCycle, cycles, enterUse, leaveQueue, leaveUse } from "./uses.ts";

/** What becomes of a root; exactly one of these is called, once (invariant 4). */
export interface RootOwner {
  emit(effect: Effect): void;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The root's function and all its calls are done and nothing failed. */
  committed(root: Root, writes: readonly Write[], value: unknown): void;
  failed(root: Root, failure: Failure): void;
  /** Whether a key is kept by this partition. */
  owns(key: string): boolean;
}

export interface CallRequest {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** State-codec text, or null for no argument. */
  readonly input: string | null;
  /** Made by `ctx.try`. */
  readonly tried: boolean;
}

export class Transactions {
  readonly #app: AppDefinition;
  readonly #store: StateStore;
  readonly #owner: RootOwner;
  readonly #locks = new LockTable<Attempt>();
  readonly #roots = new Map<Attempt, Root>();
  #nextId = 1;
  /** Commits so far: tells a snapshot read whether anything changed while it ran. */
  #commits = 0;

  constructor(app: AppDefinition, store: StateStore, owner: RootOwner) {
    this.#app = app;
    this.#store = store;
    this.#owner = owner;
  }

  start(root: Root): void {
    this.#begin(root, !root.snapshot);
  }

  #begin(root: Root, locking: boolean): void {
    const attempt: Attempt = {
      id: this.#nextId++,
      age: root.age,
      locking,
      scope: newScope(null, null),
      copies: new Map(),
      uses: new Map(),
      queued: new Set(),
      live: new Set(),
      commitsAtStart: this.#commits,
      beganAt: this.#owner.now,
      calls: 0,
      ended: false,
    };
    root.attempts += 1;
    root.attempt = attempt;
    this.#roots.set(attempt, root);
    this.#enter(this.#activation(attempt, null, root.target, false, root.input === "" ? null : root.input));
  }

  #activation(
    attempt: Attempt,
    parent: Activation | null,
    target: Target,
    tried: boolean,
    input: string | null,
  ): Activation {
    const outer = parent?.scope ?? attempt.scope;
    const activation: { -readonly [K in keyof Activation]: Activation[K] } = {
      id: this.#nextId++,
      attempt,
      parent,
      depth: parent ? parent.depth + 1 : 0,
      target,
      mode: target.contract.kind === "query" ? "shared" : "exclusive",
      scope: outer,
      input,
      children: 0,
      state: "waiting",
      outcome: null,
    };
    if (tried) activation.scope = newScope(activation, outer);
    attempt.live.add(activation);
    return activation;
  }

  /**
   * A running function calls another. Returns the call's activation; an effect `settle` for it comes later, once.
   * @throws TidegateError when the caller's function or transaction has ended, or for a function that does not exist
   */
  call(parent: Activation, request: CallRequest): Activation {
    const { attempt } = parent;
    if (attempt.ended) throw aborted("the transaction has been aborted");
    if (parent.state === "ended") throw aborted("the function that this context belongs to has ended");
    const child = this.#tryActivation(parent, request);
    if (!("failure" in child)) {
      this.#enter(child.activation);
      return child.activation;
    }
    this.#end(child.activation, { ok: false, failure: child.failure });
    return child.activation;
  }

  #tryActivation(parent: Activation, request: CallRequest): { activation: Activation; failure?: Failure } {
    let target = parent.target;
    let failure: Failure | undefined;
    try {
      target = resolveTarget(this.#app, request.service, request.key, request.name);
      this.#checkCall(parent, target);
    } catch (error) {
      failure = failureOf(error);
    }
    parent.children += 1;
    parent.attempt.calls += 1;
    const activation = this.#activation(parent.attempt, parent, target, request.tried, request.input);
    return failure ? { activation, failure } : { activation };
  }

  #checkCall(parent: Activation, target: Target): void {
    if (parent.scope.failure) throw aborted("an earlier call of this transaction failed; it can only abort");
    if (parent.mode === "shared" && target.contract.kind !== "query") {
      throw new TidegateError(
        "method-not-allowed",
        `a query cannot call ${target.service.contract.name}.${target.name}, which may write`,
      );
    }
    if (parent.depth + 1 >= LIMITS.maxCallDepth) {
      throw new TidegateError("call-depth-exceeded", `calls are nested more than ${LIMITS.maxCallDepth} deep`);
    }
    if (parent.attempt.calls >= LIMITS.maxCallsPerTransaction) {
      throw new TidegateError(
        "transaction-too-large",
        `a transaction makes at most ${LIMITS.maxCallsPerTransaction} calls`,
      );
    }
    if (target.key !== parent.target.key && !this.#owner.owns(target.key)) {
      throw new TidegateError(
        "cross-partition",
        `${target.service.contract.name} "${target.key}" is kept by another partition than "${parent.target.key}". Transactions over several ` +
          `partitions are not available yet: call functions under the same key, which are always kept together.`,
      );
    }
  }

  /** A user function has returned or thrown. Ignored once its transaction has ended: the function outlived it. */
  returned(activation: Activation, outcome: Outcome): void {
    if (activation.attempt.ended || activation.state === "ended") return;
    invariant(activation.state === "running" && activation.outcome === null, "4: a function returned twice");
    activation.outcome = outcome;
    if (!outcome.ok) activation.scope.failure ??= outcome.failure;
    if (activation.children > 0) activation.state = "joining";
    else this.#finish(activation, outcome);
  }

  #enter(activation: Activation): void {
    if (enterUse(activation)) this.#lock(activation);
    else if (closesCycle(activation)) this.#breakCycle(activation);
  }

  #breakCycle(activation: Activation): void {
    leaveQueue(activation);
    const { service, key } = activation.target;
    const error = new TidegateError(
      "call-cycle",
      `calls of one transaction wait for each other: ${service.contract.name} "${key}" is in use by a call that waits for this one`,
    );
    this.#end(activation, { ok: false, failure: { kind: "engine", error } });
  }

  #lock(activation: Activation): void {
    const { attempt, target, mode } = activation;
    const run = (): void => this.#run(activation);
    if (!attempt.locking || this.#locks.acquire(target.entity, attempt, mode, run, (victim) => this.#wound(victim)))
      run();
  }

  #run(activation: Activation): void {
    if (activation.attempt.ended) return;
    if (activation.scope.failure) {
      const error = aborted("an earlier call of this transaction failed; it can only abort");
      this.#finish(activation, { ok: false, failure: { kind: "engine", error } });
      return;
    }
    try {
      if (activation.scope.activation !== null) this.#keepSnapshots(activation);
    } catch (error) {
      // What the state is just now cannot be stored, and so not be set back to: the call fails before it has done anything.
      this.#finish(activation, { ok: false, failure: failureOf(error) });
      return;
    }
    activation.state = "running";
    this.#owner.emit({ kind: "run", activation });
  }

  /** So that each tried subtree around this call can be undone by itself. */
  #keepSnapshots(activation: Activation): void {
    if (activation.mode === "shared") return;
    const copy = this.copyOf(activation);
    for (
      let scope: Scope | null = activation.scope;
      scope !== null && scope.activation !== null;
      scope = scope.parent
    ) {
      if (!scope.snapshots.has(copy.entity)) scope.snapshots.set(copy.entity, copy.snapshot());
    }
  }

  /** The transaction's own copy of what its function runs on. */
  copyOf(activation: Activation): EntityCopy {
    const { attempt, target } = activation;
    let copy = attempt.copies.get(target.entity);
    if (!copy) {
      copy = new EntityCopy(target.entity, this.#store, target.service.state);
      attempt.copies.set(target.entity, copy);
    }
    return copy;
  }

  /** The function is done and so are its calls. */
  #finish(activation: Activation, outcome: Outcome): void {
    const { attempt, scope } = activation;
    if (isTried(activation) && scope.failure) {
      for (const [entity, snapshot] of scope.snapshots) attempt.copies.get(entity)?.restore(snapshot);
    }
    const { woken, kept } = leaveUse(activation);
    this.#end(activation, outcome);
    if (!attempt.ended) for (const next of woken) this.#lock(next);
    if (kept) for (const queued of cycles(attempt)) this.#breakCycle(queued);
  }

  /** Ends an activation that uses no key (any more) and tells its caller. */
  #end(activation: Activation, outcome: Outcome): void {
    const { attempt, scope, parent } = activation;
    activation.state = "ended";
    attempt.live.delete(activation);
    if (!outcome.ok) scope.failure ??= outcome.failure;
    if (!parent) {
      this.#finishRoot(attempt, outcome);
      return;
    }
    const told: Outcome = isTried(activation) && scope.failure ? { ok: false, failure: scope.failure } : outcome;
    this.#owner.emit({ kind: "settle", activation, outcome: told });
    parent.children -= 1;
    invariant(parent.children >= 0, "6: more calls ended than were made");
    if (parent.children === 0 && parent.state === "joining") this.#finish(parent, parent.outcome as Outcome);
  }

  #finishRoot(attempt: Attempt, outcome: Outcome): void {
    const root = this.#rootOf(attempt);
    if (!attempt.locking && this.#commits !== attempt.commitsAtStart) {
      this.#restart(root, attempt, true);
      return;
    }
    const failure = attempt.scope.failure;
    if (failure || !outcome.ok) {
      this.#close(attempt);
      this.#owner.failed(root, failure ?? (outcome as { failure: Failure }).failure);
      return;
    }
    this.#commit(root, attempt, outcome.value);
  }

  #commit(root: Root, attempt: Attempt, value: unknown): void {
    let writes: Write[];
    try {
      writes = this.#writesOf(attempt);
    } catch (error) {
      this.#close(attempt);
      this.#owner.failed(root, failureOf(error));
      return;
    }
    invariant(attempt.locking || writes.length === 0, "2: a snapshot read wrote");
    if (writes.length > 0) this.#commits += 1;
    this.#owner.committed(root, writes, value);
    this.#close(attempt);
  }

  #writesOf(attempt: Attempt): Write[] {
    const writes: Write[] = [];
    for (const copy of attempt.copies.values()) {
      for (const write of copy.writes()) {
        if (!fitsUtf8(write.text, LIMITS.maxValueBytes)) {
          throw new TidegateError(
            "transaction-too-large",
            `a stored value is at most ${LIMITS.maxValueBytes} bytes; use a collection for more`,
          );
        }
        writes.push(write);
      }
    }
    if (!fitRecord(writes)) {
      throw new TidegateError(
        "transaction-too-large",
        `a transaction writes at most ${LIMITS.maxTransactionBytes} bytes`,
      );
    }
    return writes;
  }

  /** An older transaction needs what this attempt holds. */
  #wound(attempt: Attempt): void {
    if (attempt.ended) return;
    this.#restart(this.#rootOf(attempt), attempt, true);
  }

  /** The next attempt queues for the root's lock before the old one's locks are free, so that its place by age is kept. */
  #restart(root: Root, attempt: Attempt, locking: boolean): void {
    attempt.ended = true;
    this.#roots.delete(attempt);
    this.#endCalls(attempt, aborted("the transaction gave way to an older one and runs again"));
    if (root.attempts < LIMITS.maxAttempts) this.#begin(root, locking);
    else {
      root.attempt = null;
      const error = new TidegateError(
        "overloaded",
        `the transaction gave way to older ones ${LIMITS.maxAttempts} times`,
      );
      this.#owner.failed(root, { kind: "engine", error });
    }
    this.#locks.release(attempt);
  }

  /** Tells the callers that still wait inside an attempt that it has ended. */
  #endCalls(attempt: Attempt, error: TidegateError): void {
    const outcome: Outcome = { ok: false, failure: { kind: "engine", error } };
    for (const activation of attempt.live) {
      if (activation.parent) this.#owner.emit({ kind: "settle", activation, outcome });
    }
    attempt.live.clear();
  }

  /** Gives up the attempts that began before this time (ms since 1970): a function that never settles would keep its keys for ever. */
  expire(before: number): void {
    for (const [attempt, root] of [...this.#roots]) {
      if (attempt.ended || attempt.beganAt >= before) continue;
      const error = new TidegateError("deadline-exceeded", `a transaction is given up after ${LIMITS.attemptMs} ms`);
      this.#endCalls(attempt, error);
      this.#close(attempt);
      this.#owner.failed(root, { kind: "engine", error });
    }
  }

  get isRunning(): boolean {
    return this.#roots.size > 0;
  }

  #close(attempt: Attempt): void {
    attempt.ended = true;
    const root = this.#rootOf(attempt);
    root.attempt = null;
    this.#roots.delete(attempt);
    this.#locks.release(attempt);
  }

  #rootOf(attempt: Attempt): Root {
    const root = this.#roots.get(attempt);
    invariant(root !== undefined, "6: an attempt without a root");
    return root;
  }

  /** What `ctx.now()` says in this activation. */
  startedAt(activation: Activation): number {
    return this.#roots.get(activation.attempt)?.at ?? 0;
  }

  /** Attempts running and keys locked: both 0 when nothing runs (invariant 6). */
  get load(): { attempts: number; locks: number } {
    return { attempts: this.#roots.size, locks: this.#locks.size };
  }
}

function aborted(message: string): TidegateError {
  return new TidegateError("transaction-aborted", message);
}

/** Whether writes are as small together as a transaction's must be; their bytes are counted only when their lengths leave that open. */
function fitRecord(writes: readonly Write[]): boolean {
  let units = 0;
  for (const { key, text } of writes) units += key.length + text.length;
  const rows = writes.length * RECORD_ROW_BYTES;
  if (rows + units * UTF8_PER_UNIT <= LIMITS.maxTransactionBytes) return true;
  const bytes = writes.reduce((sum, { key, text }) => sum + utf8Length(key) + utf8Length(text), rows);
  return bytes <= LIMITS.maxTransactionBytes;
}
