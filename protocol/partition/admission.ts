/** Admission: from frames to transactions. Decides per row whether to replay, join, refuse or start; exactly once starts here (invariant 4). */
import type { Table } from "../../core-wasm/types.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { invariant } from "../assert.ts";
import { epochOf } from "../epochs/epoch.ts";
import { LIMITS } from "../limits.ts";
import { Observer } from "../observe/observer.ts";
import { ERASED_STATUS, type StoredResult } from "../results/stored-result.ts";
import { STREAM } from "../flows/internal.ts";
import { failureOf } from "../transaction/failure.ts";
import { ANSWER_FLAG } from "../wire/answer.ts";
import { INGEST_COLUMN, INGEST_FIELD, ingestSpec, producedOf, type Produced } from "../wire/ingest.ts";
import { INVOKE, INVOKE_COLUMN, INVOKE_FIELD, INVOKE_FLAG, REQUEST_ID_LENGTH } from "../wire/invoke.ts";
import { dueAt } from "../timers/timer.ts";
import { assertSendable, assertWrites, delayedInput } from "../transaction/sending.ts";
import { failureAnswer, problemAnswer } from "./problems.ts";
import { requestTarget, resolveAny, UNKNOWN_SAGA } from "./resolve.ts";
import type { Target } from "../transaction/attempt.ts";
import { endingOf, endingOfResult, LATER } from "../outbox/ending.ts";
import type { Message } from "../outbox/message.ts";
import type { Peer } from "../wire/messages.ts";
import { type AdmissionParts, type AdmissionSetup, isExpired } from "./admission-parts.ts";
import { Ages } from "./ages.ts";
import { isAnother, mended, type RequestIdentity } from "./request-identity.ts";
import type { Load } from "./room.ts";
import { ownId, type Root, type Waiter } from "./root.ts";

/** A message that is handed over; with `last`, a failure is final, and with `giveUp` it is not to run any more. */
export type Posted = Omit<Message, "sender" | "row"> & { readonly last: boolean; readonly giveUp: boolean };

/** An ingest envelope that is to be applied now. */
export interface Batch {
  readonly id: RequestIdentity;
  readonly stream: string;
  readonly rows: number;
  readonly columns: Uint8Array;
  /** From an Idempotency-Key. */
  readonly clientId: boolean;
  readonly produced: Produced | null;
}

/** Of one frame, by key: the root that the next row with that key comes after. */
type NewestRoots = Map<string, Root>;

const BATCH: Load = { writes: true, oneWay: false, clientId: false };

export class Admission {
  readonly #setup: AdmissionSetup;
  readonly #parts: AdmissionParts;
  /** Started or waiting to start, by request id. */
  readonly #roots = new Map<string, Root>();
  /** Admitted, not started: first come, first started. */
  #queue: Root[] = [];
  #head = 0;
  #running = 0;
  /** Of batches of events that are not answered. */
  #batchBytes = 0;
  readonly #ages: Ages;
  readonly observer: Observer;
  /** Transactions that this partition has asked for itself. */
  #own = 0;
  /** Results in records of epochs that were undecided at a restart, with those who wait for them. */
  readonly #owed = new Map<string, StoredResult & { readonly waiters: Waiter[] }>();

  constructor(setup: AdmissionSetup, parts: AdmissionParts) {
    this.#setup = setup;
    this.#parts = parts;
    this.#ages = new Ages(setup.partition);
    this.observer = setup.observer ?? new Observer();
  }

  /**
   * Admits the rows of a frame; those with one key run one after the other, whatever services they call.
   * @throws CorruptError for a damaged frame: nothing of it is applied.
   */
  invoke(ticket: number, frame: Uint8Array, now: number): void {
    const table = this.#setup.kernels.unpack(INVOKE, frame);
    this.#parts.tickets.open(ticket, table.rows);
    const newest: NewestRoots = new Map();
    for (let row = 0; row < table.rows; row++) {
      const line = table.column(row, INVOKE_COLUMN.line);
      this.#invokeRow(table, row, { ticket, line, joined: false }, newest, now);
    }
  }

  #invokeRow(table: Table, row: number, waiter: Waiter, newest: NewestRoots, now: number): void {
    const id: RequestIdentity = {
      requestId: table.field(row, INVOKE_FIELD.requestId),
      fingerprintLow: table.column(row, INVOKE_COLUMN.fingerprintLow),
      fingerprintHigh: table.column(row, INVOKE_COLUMN.fingerprintHigh),
    };
    invariant(id.requestId.length === REQUEST_ID_LENGTH, "8: a request id of the wrong length");
    try {
      if (this.#settled(id, waiter, now, () => table.field(row, INVOKE_FIELD.key))) {
        const running = this.#roots.get(id.requestId);
        if (running) newest.set(running.target.key, running);
        return;
      }
      this.#admit(table, row, id, waiter, newest, now);
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      const { status, body } = failureAnswer(failureOf(error));
      this.#parts.tickets.answer(waiter, status, 0, body);
    }
  }

  /** Answers or joins what is known of this id already. */
  #settled(id: RequestIdentity, waiter: Waiter, now: number, key: () => string): boolean {
    const { requestId } = id;
    const known = this.#parts.results.find(requestId) ?? this.#roots.get(requestId) ?? this.#owed.get(requestId);
    if (!known) {
      if (!isExpired(this.#parts, requestId, key, now)) return false;
      const { status, body } = problemAnswer(
        "deadline-exceeded",
        "the request is older than the results that are kept for retries, or the clocks of edge and partition differ",
      );
      this.#parts.tickets.answer(waiter, status, 0, body);
      return true;
    }
    if ("status" in known && known.status === ERASED_STATUS) {
      this.#parts.tickets.answer(waiter, known.status, ANSWER_FLAG.replayed, known.body);
    } else if (isAnother(known, id)) {
      const { status, body } = problemAnswer(
        "idempotency-conflict",
        "this Idempotency-Key was used with another request",
      );
      this.#parts.tickets.answer(waiter, status, 0, body);
    } else if ("waiters" in known) known.waiters.push({ ...waiter, joined: true });
    else {
      this.observer.replays += 1;
      this.#parts.tickets.answer(waiter, known.status, ANSWER_FLAG.replayed, known.body);
    }
    return true;
  }

  #admit(table: Table, row: number, id: RequestIdentity, waiter: Waiter, newest: NewestRoots, now: number): void {
    const key = table.field(row, INVOKE_FIELD.key);
    const { ownership } = this.#parts;
    const group = ownership.groupOf(key);
    if (!ownership.keeps(group)) return this.#elsewhere(waiter);
    const flags = table.column(row, INVOKE_COLUMN.flags);
    const { app } = this.#setup;
    const service = table.field(row, INVOKE_FIELD.service);
    const from = (flags & INVOKE_FLAG.internal) !== 0 ? this.#parts.whole : app;
    const target = requestTarget(from, flags, service, key, table.field(row, INVOKE_FIELD.function));
    const isQuery = target.contract.kind === "query";
    if ((flags & INVOKE_FLAG.queryOnly) !== 0 && !isQuery) {
      throw new TidegateError(
        "method-not-allowed",
        `${target.service.contract.name}.${target.name} may write: call it by POST`,
      );
    }
    const oneWay = (flags & INVOKE_FLAG.oneWay) !== 0;
    const { input, due } = delayedInput(flags, table.field(row, INVOKE_FIELD.input), now);
    if (oneWay) assertSendable(target, input);
    const clientId = (flags & INVOKE_FLAG.clientId) !== 0;
    // To erase makes room, and of a query only the result is kept, for a client's id.
    const writes = (!isQuery || clientId) && (flags & INVOKE_FLAG.erase) === 0;
    if (this.#refusesLoad(waiter, { writes, oneWay, clientId })) return;
    const root = this.#newRoot({ ...id, group }, target, now, {
      input,
      coded: false,
      clientId,
      snapshot: isQuery && (flags & INVOKE_FLAG.snapshot) !== 0,
      notBefore: (flags & INVOKE_FLAG.notBefore) === 0 ? 0 : epochOf(id.fingerprintHigh, id.fingerprintLow),
      oneWay,
      due,
      poster: null,
      last: false,
    });
    root.waiters = [waiter];
    root.trace = this.observer.traceOf(waiter.ticket);
    // Locks alone would not do: a transaction that begins at one service of a key may come to another later than a younger one.
    const before = newest.get(key);
    if (before) this.#follow(root, before);
    else this.#queue.push(root);
    newest.set(key, root);
  }

  #newRoot(
    id: RequestIdentity & { readonly group: number },
    target: Target,
    now: number,
    how: Pick<Root, "input" | "coded" | "clientId" | "snapshot" | "notBefore" | "oneWay" | "due" | "poster" | "last"> &
      Partial<Pick<Root, "bytes">>,
  ): Root {
    const root: Root = {
      requestId: id.requestId,
      fingerprintLow: id.fingerprintLow,
      fingerprintHigh: id.fingerprintHigh,
      owner: this.#setup.kernels.hashKey(target.key),
      input: how.input,
      clientId: how.clientId,
      snapshot: how.snapshot,
      notBefore: how.notBefore,
      oneWay: how.oneWay,
      due: how.due,
      poster: how.poster,
      last: how.last,
      error: "",
      coded: how.coded,
      bytes: how.bytes ?? null,
      target,
      group: id.group,
      age: this.#ages.next(now),
      // The clock of the partition that kept a delayed message until its time may be ahead of this one's.
      at: Math.max(now, dueAt(id.requestId)),
      waiters: [],
      followers: [],
      after: null,
      state: "waiting",
      attempts: 0,
      tooMuch: { times: 0, most: 0, tookTooLong: false },
      epoch: 0,
      trace: null,
      attempt: null,
    };
    this.#roots.set(root.requestId, root);
    return root;
  }

  #follow(root: Root, before: Root): void {
    root.after = before;
    before.followers.push(root);
    if (before.state === "tagged") this.#queue.push(root);
  }

  /** Takes a one-way message of a partition: a transaction of its own, once. Its sender hears when that is decided. */
  post(from: Peer, message: Posted, now: number): void {
    const { requestId, service, key, name, input, coded, last, giveUp } = message;
    const group = this.#parts.ownership.groupOf(key);
    const id = { requestId, fingerprintLow: 0, fingerprintHigh: 0, group, owner: this.#setup.kernels.hashKey(key) };
    try {
      const known = this.#parts.results.find(requestId);
      if (known) return this.#parts.posted(from, requestId, endingOfResult(known));
      // It is told when what is under way ends.
      if (this.#roots.has(requestId) || this.#owed.has(requestId)) return;
      const isHere = this.#parts.ownership.keeps(group);
      if (!isHere || this.#isOverloaded || this.#parts.results.isFullOfMessages)
        return this.#parts.posted(from, requestId, LATER);
      if (giveUp) return this.#giveUp(from, id);
      if (this.#parts.room().isFull) return this.#parts.posted(from, requestId, LATER);
      const target = resolveAny(this.#parts.whole, service, key, name);
      assertWrites(target);
      const how = {
        input,
        coded,
        clientId: true,
        snapshot: false,
        notBefore: 0,
        oneWay: false,
        due: 0,
        poster: from,
        last,
      };
      this.#queue.push(this.#newRoot(id, target, now, how));
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      const { status, body } = failureAnswer(failureOf(error));
      // Another version of the code may know the function: like a failure of that it is tried again, and counted.
      const isUnknown = status < 500 || error.type === UNKNOWN_SAGA;
      if (isUnknown && last) this.#parts.record(id, status, body);
      const ending = endingOf(status, body, "", last);
      this.#parts.posted(from, requestId, isUnknown ? { ...ending, dead: last } : LATER);
    }
  }

  /** It is not to run any more, since every try was lost with whoever ran it, or since it is erased: that is final before its sender is told. */
  #giveUp(from: Peer, id: RequestIdentity): void {
    const { status, body } = problemAnswer("internal-error", "the message was given up");
    this.#parts.record(id, status, body);
    // Its sender knows why.
    this.#parts.posted(from, id.requestId, { done: false, dead: true, error: "" });
  }

  /** Begins a transaction that the partition itself asks for: `posted` tells it of the end. Returns its request id. */
  begin(target: Target, now: number, input = ""): string {
    const group = this.#parts.ownership.groupOf(target.key);
    const id = { requestId: ownId(++this.#own), fingerprintLow: 0, fingerprintHigh: 0, group };
    const poster = this.#setup.partition;
    const how = {
      input,
      coded: false,
      clientId: false,
      snapshot: false,
      notBefore: 0,
      oneWay: false,
      due: 0,
      poster,
      last: false,
    };
    this.#queue.push(this.#newRoot(id, target, now, how));
    return id.requestId;
  }

  /** Its key is kept by another partition: whoever asked looks for it there. */
  #elsewhere(waiter: Waiter): void {
    this.#parts.tickets.answer(waiter, 503, ANSWER_FLAG.staleMap | ANSWER_FLAG.retryable, "");
  }

  /** Sends away all whose keys are not kept here any more. Nothing of them runs. Messages are handed over elsewhere by who keeps them. */
  evict(): void {
    for (const [requestId, root] of this.#roots) {
      if (this.#parts.ownership.keeps(root.group)) continue;
      this.#roots.delete(requestId);
      this.#batchBytes -= root.bytes?.length ?? 0;
      for (const waiter of root.waiters) this.#elsewhere(waiter);
    }
  }

  get #isOverloaded(): boolean {
    return this.#roots.size >= LIMITS.maxInvocations || this.#parts.room().isCongested;
  }

  #refusesLoad(waiter: Waiter, load: Load): boolean {
    const what = this.#parts.room().excess(load) ?? (this.#roots.size >= LIMITS.maxInvocations ? "requests" : null);
    if (what === null) return false;
    const { status, body } = problemAnswer("overloaded", `this partition has more ${what} than it can hold`, {
      retryable: true,
    });
    this.#parts.tickets.answer(waiter, status, ANSWER_FLAG.retryable, body);
    return true;
  }

  /** Roots whose functions run, or that are to run again. */
  get running(): number {
    return this.#running;
  }

  /** Starts what may run now, in order of arrival. The machine calls it at the end of every step. */
  startWaiting(): void {
    while (this.#running < LIMITS.maxRunning && this.#head < this.#queue.length) {
      const root = this.#queue[this.#head++] as Root;
      this.#running += 1;
      root.state = "running";
      root.trace?.started();
      this.#parts.start(root);
    }
    // Those that were started must not stay in memory because some always wait.
    if (this.#head > 0 && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  /** A root has its epoch: what comes after it in order may run. */
  tagged(root: Root): void {
    invariant(root.state === "running", "4: a root is given an epoch that does not run");
    root.state = "tagged";
    this.#running -= 1;
    this.#letFollow(root);
  }

  /** Those that have not run already: an epoch may be given to a root again, and some that came after it had failed at once. */
  #letFollow(root: Root): void {
    for (const follower of root.followers) {
      if (this.#roots.get(follower.requestId) === follower) this.#queue.push(follower);
    }
  }

  /** A batch of events for operators: a transaction of its own. */
  startBatch(ticket: number, { id, stream, columns, clientId, produced }: Batch, now: number): void {
    const waiter: Waiter = { ticket, line: 1, joined: false };
    if (this.#batchBytes + columns.length > LIMITS.maxIngestBytes && this.#batchBytes > 0) {
      const detail = "this partition has more events under way than it can hold";
      const { status, body } = problemAnswer("overloaded", detail, { retryable: true });
      return this.#parts.tickets.answer(waiter, status, ANSWER_FLAG.retryable, body);
    }
    this.#batchBytes += columns.length;
    const target = resolveAny(this.#parts.whole, STREAM, stream, "take");
    const input = produced === null ? "" : JSON.stringify(produced);
    const how = {
      input,
      coded: false,
      clientId,
      snapshot: false,
      notBefore: 0,
      oneWay: false,
      due: 0,
      poster: null,
      last: false,
      bytes: columns,
    };
    const root = this.#newRoot({ ...id, group: id.group as number }, target, now, how);
    root.waiters.push(waiter);
    this.#queue.push(root);
  }

  /** A root has its answer: everybody who waits for it gets it. */
  done(root: Root, status: number, flags: number, body: string): void {
    invariant(this.#roots.delete(root.requestId), "4: a request is answered twice");
    this.observer.ended(root, status);
    this.#batchBytes -= root.bytes?.length ?? 0;
    if (root.state === "running") {
      this.#running -= 1;
      this.#letFollow(root);
    }
    this.#unlink(root);
    for (const waiter of root.waiters) {
      this.#parts.tickets.answer(waiter, status, waiter.joined ? flags | ANSWER_FLAG.replayed : flags, body);
    }
    if (root.poster !== null) {
      this.#parts.posted(root.poster, root.requestId, endingOf(status, body, root.error, root.last));
    }
  }

  /** What came after it comes after what that came after, which may have to run again: a snapshot is answered before what is undecided. */
  #unlink({ after, followers }: Root): void {
    for (const follower of followers) follower.after = after;
    after?.followers.push(...followers);
  }

  /** An era has ended: all that ran in it begins again, in order of age; what comes after another in its frame waits for that again. */
  restart(): void {
    this.#queue = [];
    this.#head = 0;
    this.#running = 0;
    for (const root of this.#roots.values()) {
      root.state = "waiting";
      root.attempts = 0;
      root.epoch = 0;
      if (root.after === null) this.#queue.push(root);
    }
  }

  /** A result that a record of an undecided epoch holds: whoever asks for it waits. */
  owe(result: StoredResult): void {
    this.#owed.set(result.requestId, { ...result, waiters: [] });
  }

  /** It is committed, and with the results. */
  paid({ requestId, status, body }: StoredResult): void {
    const owed = this.#owed.get(requestId);
    this.#owed.delete(requestId);
    for (const waiter of owed?.waiters ?? []) this.#parts.tickets.answer(waiter, status, ANSWER_FLAG.replayed, body);
  }

  /** Its epoch is aborted, so the transaction has not happened; what asked for it went with the memory. */
  unpaid({ requestId }: StoredResult): void {
    const owed = this.#owed.get(requestId);
    this.#owed.delete(requestId);
    const { status, body } = problemAnswer("overloaded", "the partition started over; nothing was done", {
      retryable: true,
    });
    for (const waiter of owed?.waiters ?? []) this.#parts.tickets.answer(waiter, status, ANSWER_FLAG.retryable, body);
  }

  /** Refuses a whole frame that found no room to wait. */
  refuse(ticket: number, frame: Uint8Array): void {
    const table = this.#setup.kernels.unpack(INVOKE, frame);
    this.#parts.tickets.open(ticket, table.rows);
    const { status, body } = problemAnswer("overloaded", "this partition is starting", { retryable: true });
    for (let row = 0; row < table.rows; row++) {
      const line = table.column(row, INVOKE_COLUMN.line);
      this.#parts.tickets.answer({ ticket, line, joined: false }, status, ANSWER_FLAG.retryable, body);
    }
  }

  /** The same for an ingest envelope. */
  refuseIngest(ticket: number): void {
    this.#parts.tickets.open(ticket, 1);
    const { status, body } = problemAnswer("overloaded", "this partition is starting", { retryable: true });
    this.#parts.tickets.answer({ ticket, line: 1, joined: false }, status, ANSWER_FLAG.retryable, body);
  }

  /** The batch to apply, or undefined when it was answered from what is known. @throws CorruptError for a damaged envelope */
  ingest(ticket: number, frame: Uint8Array, now: number): Batch | undefined {
    const spec = ingestSpec(frame);
    const table = this.#setup.kernels.unpack(spec, frame);
    invariant(table.rows === 1, "8: an ingest envelope has one row");
    this.#parts.tickets.open(ticket, 1);
    const waiter: Waiter = { ticket, line: 1, joined: false };
    const produced = producedOf(table, spec);
    const sent: RequestIdentity = {
      requestId: table.field(0, INGEST_FIELD.requestId),
      fingerprintLow: table.column(0, INGEST_COLUMN.fingerprintLow),
      fingerprintHigh: table.column(0, INGEST_COLUMN.fingerprintHigh),
    };
    const id = produced === null ? sent : mended(sent, this.#parts.results.find(sent.requestId));
    const stream = table.field(0, INGEST_FIELD.stream);
    if (this.#settled(id, waiter, now, () => stream)) return undefined;
    const group = this.#parts.ownership.groupOf(stream);
    if (!this.#parts.ownership.keeps(group)) {
      this.#elsewhere(waiter);
      return undefined;
    }
    if (this.#refusesLoad(waiter, BATCH)) return undefined;
    return {
      id: { ...id, group, owner: this.#setup.kernels.hashKey(stream) },
      stream,
      rows: table.column(0, INGEST_COLUMN.rows),
      columns: table.tail,
      clientId: (table.column(0, INGEST_COLUMN.flags) & INVOKE_FLAG.clientId) !== 0,
      produced,
    };
  }
}
