/** Calls between partitions within one transaction: what is sent for a call and its answer, and what is done on receiving them (docs/protocol.md, "Running a transaction"). */
import { comeAgain } from "../../sdk/errors.ts";
import { Few } from "../few.ts";
import { isFlowService } from "../flows/internal.ts";
import { LIMITS } from "../limits.ts";
import type {
  AbortMessage,
  AnswerMessage,
  AnswerOutcome,
  CallMessage,
  ChaseMessage,
  CycleMessage,
  InquireMessage,
  KillMessage,
  PartitionMessage,
  Peer,
  ScopeEndedMessage,
  ScopeEndMessage,
  TooOldMessage,
} from "../wire/messages.ts";
import { type Activation, type Attempt, type Outcome, participantsOf, type Target, UNANSWERED } from "./attempt.ts";
import { answeredBy, chased, hopsFrom, untrodden } from "./chase.ts";
import { type Failure, failureOf } from "./failure.ts";
import { decodeOutcome, encodeOutcome } from "./remote-failure.ts";
import { report } from "./report.ts";
import { restoreScope } from "./rollback.ts";
import { enclosing, placesOf, scopeKey } from "./scopes.ts";
import type { Transactions } from "./transactions.ts";
import { leaveScope } from "./uses.ts";
import { assertWrittenFits } from "./written.ts";

type TransactionMessage = Extract<PartitionMessage, { readonly id: unknown }>;

interface Waiting {
  readonly activation: Activation;
  /** When it was last sent or asked after; ms. */
  at: number;
}

export class RemoteCalls {
  readonly #transactions: Transactions;
  /** Calls without an answer, by the id of their activation. */
  readonly #waiting = new Map<number, Waiting>();
  /** Tried calls that are being undone elsewhere, likewise. */
  readonly #undoing = new Map<number, Activation>();
  #probes = 0;

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  get #owner(): Transactions["owner"] {
    return this.#transactions.owner;
  }

  /** Sends a call. A query that takes no locks goes on as a snapshot first: only then do several partitions show one state. */
  call(activation: Activation): void {
    const { attempt } = activation;
    if (!attempt.locking && attempt.snapshot === 0) {
      this.#transactions.restartAsSnapshot(attempt);
      return;
    }
    const peer = activation.remote as Peer;
    activation.state = "remote";
    const peers = (attempt.peers ??= new Few());
    if (!peers.has(peer)) peers.set(peer, UNANSWERED);
    for (const scope of homeScopes(activation)) scope.reached.add(peer);
    this.#waiting.set(activation.id, { activation, at: this.#owner.now });
    if (attempt.locking) this.#owner.reaching();
    this.#owner.send(peer, {
      kind: "call",
      id: attempt.id,
      age: attempt.age,
      callId: activation.id,
      caller: activation.parent?.id ?? 0,
      reading: activation.parent?.target.contract.kind === "query",
      depth: activation.depth,
      path: activation.path,
      scopes: placesOf(activation.scope),
      snapshot: attempt.snapshot,
      at: attempt.at,
      service: activation.target.service.contract.name,
      key: activation.target.key,
      name: activation.target.name,
      input: activation.input,
    });
  }

  receive(from: Peer, message: TransactionMessage): void {
    const attempt = this.#transactions.attempts.find(message.id);
    if (attempt) attempt.heardAt = this.#owner.now;
    switch (message.kind) {
      case "call":
        return this.#onCall(from, message, attempt);
      case "answer":
        return this.#onAnswer(from, message, attempt);
      case "abort":
        return this.#onAbort(message, attempt);
      case "kill":
        return this.#onKill(message, attempt);
      case "inquire":
        return this.#onInquire(from, message, attempt);
      case "scope-end":
        return this.#onScopeEnd(from, message, attempt);
      case "scope-ended":
        return this.#onScopeEnded(from, message, attempt);
      case "chase":
        return this.#onChase(from, message, attempt);
      case "cycle":
        return this.#onCycle(message, attempt);
      case "too-old":
        return this.#onTooOld(message, attempt);
      case "finish":
    }
  }

  #onCall(from: Peer, message: CallMessage, known: Attempt | undefined): void {
    const { id } = message;
    // Of an attempt that is over: its abort is on the way to the caller, or was there already.
    if (known ? known.ended : id.root === this.#owner.self) return;
    if (id.incarnation < this.#owner.incarnationOf(id.root)) return;
    // Roots elsewhere know nothing of how far behind this partition is.
    if (!known && message.snapshot === 0 && this.#owner.room.isCongested) return this.#refuse(from, message);
    if (message.snapshot !== 0) this.#owner.readAsOf(message.snapshot);
    const { age, at, snapshot } = message;
    const attempt =
      known ?? this.#transactions.newAttempt({ id, root: null, age, at, locking: snapshot === 0, snapshot });
    const activation = this.#activationOf(from, message, attempt);
    if (typeof activation === "string") return;
    if (activation) this.#transactions.enter(activation);
  }

  /** Names no participant: nothing is kept here of a transaction that had not come before. */
  #refuse(to: Peer, { id, callId }: CallMessage): void {
    const error = comeAgain(NO_ROOM);
    const outcome = encodeOutcome({ ok: false, failure: { kind: "engine", error } });
    this.#owner.send(to, { kind: "answer", id, callId, outcome, parts: new Map(), clock: this.#owner.clock });
  }

  /** Null when it was answered already: there is no such function. The word when the call path names what is gone. */
  #activationOf(from: Peer, message: CallMessage, attempt: Attempt): Activation | null | "stale" {
    const { self } = this.#owner;
    const back = message.path.findLast(({ peer }) => peer === self);
    const again = back ? this.#waiting.get(back.activation)?.activation : undefined;
    if (back && again?.attempt !== attempt) return "stale";
    const caller = { peer: from, callId: message.callId };
    let target;
    try {
      target = this.#transactions.resolve(message.service, message.key, message.name);
      if (message.snapshot !== 0 || message.reading) assertReads(target);
      else if (target.contract.kind !== "query" && this.#owner.room.isFull) throw comeAgain(NO_ROOM);
    } catch (error) {
      this.#send(attempt, caller, encodeOutcome({ ok: false, failure: ofOtherVersion(failureOf(error)) }));
      return null;
    }
    const { scope, up } = enclosing(attempt, message.scopes, again ?? null, target);
    return this.#transactions.newActivation(attempt, {
      parent: null,
      up,
      caller,
      path: [...message.path, { peer: from, activation: message.callId }],
      depth: message.depth,
      scope,
      target,
      tried: false,
      input: message.input,
      remote: null,
    });
  }

  /** Answers the call that an activation stands for. Nothing is held back for others: each call is answered by itself. */
  answer(activation: Activation, outcome: Outcome): void {
    const { attempt, scope, caller } = activation;
    if (!caller) return;
    let told: Outcome = scope.failure ? { ok: false, failure: scope.failure } : outcome;
    if (told.ok && !attempt.root && attempt.locking) {
      // What cannot be stored must be known before the root finishes: after that it is too late to fail.
      try {
        if (attempt.live.size === 0) this.#transactions.preparedOf(attempt);
        else assertWrittenFits(attempt);
      } catch (error) {
        told = { ok: false, failure: failureOf(error) };
      }
    }
    if (!told.ok) scope.failure ??= told.failure;
    if (!told.ok && told.failure.kind === "thrown") report(this.#owner, activation, told.failure.error);
    if (!attempt.locking) this.#owner.show();
    // Of rows as many may come back as were sent.
    const most = isFlowService(activation.target.service) ? LIMITS.maxCallBytes : LIMITS.maxResultBytes;
    this.#send(attempt, caller, encodeOutcome(told, most));
  }

  #send(attempt: Attempt, { peer, callId }: { peer: Peer; callId: number }, outcome: AnswerOutcome): void {
    const parts = participantsOf(attempt);
    parts.set(this.#owner.self, this.#owner.incarnation);
    this.#owner.send(peer, {
      kind: "answer",
      id: attempt.id,
      callId,
      outcome,
      parts,
      clock: this.#owner.clock,
    });
  }

  #onAnswer(from: Peer, message: AnswerMessage, attempt: Attempt | undefined): void {
    this.#owner.see(message.clock);
    const activation = this.#waiting.get(message.callId)?.activation;
    if (!attempt || attempt.ended || activation?.attempt !== attempt || activation.remote !== from) return;
    this.#waiting.delete(message.callId);
    if (!this.#merge(attempt, activation, message)) return;
    this.#transactions.answered(activation, decodeOutcome(message.outcome));
  }

  /** False when a participant was lost on the way: with an incarnation its locks are gone. */
  #merge(attempt: Attempt, activation: Activation, { parts }: AnswerMessage): boolean {
    const { self, incarnation } = this.#owner;
    const scopes = homeScopes(activation);
    for (const [peer, taken] of parts) {
      const known = peer === self ? incarnation : attempt.peers?.get(peer) || taken;
      if (known !== taken || taken < this.#owner.incarnationOf(peer)) {
        this.#transactions.giveUp(attempt);
        return false;
      }
      if (peer === self) continue;
      (attempt.peers ??= new Few()).set(peer, taken);
      for (const scope of scopes) scope.reached.add(peer);
    }
    return true;
  }

  #onAbort(_message: AbortMessage, attempt: Attempt | undefined): void {
    if (attempt && !attempt.root && !attempt.ended) this.#transactions.aborted(attempt);
  }

  #onKill(_message: KillMessage, attempt: Attempt | undefined): void {
    if (attempt?.root && !attempt.ended) this.#transactions.giveUp(attempt);
  }

  /** Asks the root of an attempt that blocks an older one, or that has lost a participant, to give it up; once. */
  kill(attempt: Attempt): void {
    if (attempt.killed) return;
    attempt.killed = true;
    this.#owner.send(attempt.id.root, { kind: "kill", id: attempt.id });
  }

  #onInquire(from: Peer, { id }: InquireMessage, attempt: Attempt | undefined): void {
    if (!attempt) this.#owner.send(from, { kind: "abort", id });
  }

  /**
   * Tells other partitions that a tried call has ended. True when its subtree is being undone elsewhere: it ends when they have answered,
   * since until then a call by another way could still see what is to be undone.
   */
  endScope(activation: Activation, outcome: Outcome): boolean {
    const { attempt, scope } = activation;
    if (scope.reached.size === 0 || scope.place === null) return false;
    const undo = scope.failure !== null;
    for (const peer of scope.reached) {
      this.#owner.send(peer, { kind: "scope-end", id: attempt.id, scope: scope.place, undo });
    }
    if (!undo) return false;
    activation.state = "undoing";
    activation.outcome = outcome;
    activation.undoing = new Set(scope.reached);
    this.#undoing.set(activation.id, activation);
    return true;
  }

  #onScopeEnd(from: Peer, { id, scope, undo }: ScopeEndMessage, attempt: Attempt | undefined): void {
    const mirror = attempt?.mirrors?.get(scopeKey(scope));
    if (attempt && mirror) {
      if (undo) restoreScope(attempt, mirror);
      attempt.mirrors?.delete(scopeKey(scope));
      this.#transactions.wake(attempt, leaveScope(attempt, mirror));
    }
    if (undo) this.#owner.send(from, { kind: "scope-ended", id, scope });
  }

  #onScopeEnded(from: Peer, { scope }: ScopeEndedMessage, attempt: Attempt | undefined): void {
    const activation = this.#undoing.get(scope.activation);
    if (!activation?.undoing || activation.attempt !== attempt) return;
    activation.undoing.delete(from);
    if (activation.undoing.size > 0) return;
    this.#undoing.delete(activation.id);
    this.#transactions.leave(activation, activation.outcome as Outcome);
  }

  /** An activation that waits for a key which others of its transaction use may wait for itself by way of other partitions. */
  chase(queued: Activation): void {
    const { attempt, path } = queued;
    const origin = { peer: this.#owner.self, activation: queued.id };
    const probe = ++this.#probes;
    for (const { peer, callId, tried } of hopsFrom(queued)) {
      this.#owner.send(peer, { kind: "chase", id: attempt.id, origin, path, callId, tried, probe, hops: 1 });
    }
  }

  #onChase(from: Peer, message: ChaseMessage, attempt: Attempt | undefined): void {
    const activation = attempt && chased(attempt, from, message);
    if (!activation) return;
    const { self } = this.#owner;
    const calls = message.path.filter(({ peer }) => peer === self).map((place) => this.#waiting.get(place.activation));
    const { cycle, open } = answeredBy(
      activation,
      calls.map((waiting) => waiting?.activation ?? null),
    );
    const { id, origin, path, probe } = message;
    if (cycle) {
      if (origin.peer === self) this.#onCycle({ kind: "cycle", id, activation: origin.activation }, attempt);
      else this.#owner.send(origin.peer, { kind: "cycle", id, activation: origin.activation });
      return;
    }
    if (message.hops >= LIMITS.maxCallDepth) return;
    const hops = message.hops + 1;
    for (const { peer, callId, tried } of untrodden(activation.attempt, message, open)) {
      this.#owner.send(peer, { kind: "chase", id, origin, path, callId, tried, probe, hops });
    }
  }

  #onCycle({ activation: id }: CycleMessage, attempt: Attempt | undefined): void {
    if (!attempt || attempt.ended) return;
    for (const queued of attempt.queued ?? []) if (queued.id === id) return this.#transactions.breakCycle(queued);
  }

  #onTooOld({ decided }: TooOldMessage, attempt: Attempt | undefined): void {
    this.#owner.learn(decided);
    if (attempt?.root && !attempt.ended) this.#transactions.tooOld(attempt);
  }

  /** The call of an activation is not waited for any more. */
  forget(activation: Activation): void {
    this.#waiting.delete(activation.id);
    this.#undoing.delete(activation.id);
  }

  /** Asks after whoever has been silent for long: what it held may be gone, or nobody may ever free what is held here. */
  probe(now: number): void {
    for (const attempt of this.#transactions.attempts.all()) {
      if (now - attempt.heardAt < LIMITS.probeMs) continue;
      attempt.heardAt = now;
      for (const queued of attempt.queued ?? []) this.chase(queued);
      if (attempt.root) continue;
      this.#owner.send(attempt.id.root, { kind: "inquire", id: attempt.id });
    }
    const silent = new Set<Peer>();
    for (const waiting of this.#waiting.values()) {
      if (now - waiting.at < LIMITS.probeMs) continue;
      waiting.at = now;
      silent.add(waiting.activation.remote as Peer);
    }
    for (const activation of this.#undoing.values()) for (const peer of activation.undoing ?? []) silent.add(peer);
    for (const peer of silent) this.#owner.send(peer, { kind: "ping" });
  }

  /** An instance is gone with its memory: attempts of its roots are over, and those that it took part in cannot commit. */
  peerRestarted(peer: Peer, incarnation: number): void {
    for (const attempt of this.#transactions.attempts.all()) {
      if (attempt.ended) continue;
      if (attempt.root || attempt.id.root !== peer) this.#participantRestarted(attempt, peer);
      // Behind its last answer it may have its epoch: who heard from here that it is over would not know what a late finish of it is about.
      else if (attempt.id.incarnation < incarnation) this.#transactions.aborted(attempt, attempt.live.size > 0);
      else this.#rootFound(attempt, peer);
    }
  }

  #participantRestarted(attempt: Attempt, peer: Peer): void {
    if (attempt.peers?.has(peer)) this.#transactions.giveUp(attempt);
  }

  /** Its root's partition had restarted before, unknown here: what was sent to it meanwhile went with the channel to its predecessor. */
  #rootFound(attempt: Attempt, peer: Peer): void {
    const lost = attempt.killed || attempt.peers?.has(peer);
    attempt.killed = false;
    if (attempt.stale) this.#transactions.tooOld(attempt);
    else if (lost) this.#transactions.giveUp(attempt);
  }
}

/** The scopes of tried calls made here that a call lies in. */
function homeScopes(activation: Activation): Array<Activation["scope"]> {
  const scopes: Array<Activation["scope"]> = [];
  for (let scope: Activation["scope"] | null = activation.scope; scope !== null; scope = scope.parent) {
    if (scope.place !== null && scope.activation !== null && !isMirror(scope)) scopes.push(scope);
  }
  return scopes;
}

function isMirror({ activation, place }: Activation["scope"]): boolean {
  return activation?.id !== place?.activation;
}

/** Who calls a function knows it: where that is not known here, one of both has another version of the code. */
function ofOtherVersion(failure: Failure): Failure {
  if (failure.kind !== "engine" || !NOT_KNOWN.has(failure.error.type)) return failure;
  const error = comeAgain(`${failure.error.message} in the version of the code of a partition`);
  return { kind: "engine", error };
}
const NOT_KNOWN: ReadonlySet<string> = new Set(["unknown-service", "unknown-function"]);

/**
 * Who calls in a snapshot, or in a query, knows the function as a query. A snapshot takes no locks and commits nothing, and a query that locks is asked
 * again by who does not hear its answer. @throws TidegateError
 */
function assertReads({ contract, service, name }: Target): void {
  if (contract.kind === "query") return;
  throw comeAgain(`${service.contract.name}.${name} is no query in the version of the code of a partition`);
}

const NO_ROOM = "a partition that the transaction reaches has more than it can hold";
