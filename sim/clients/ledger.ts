/** What clients asked for and were told, in the order in which it happened. */
import type { World } from "../world/world.ts";
import type { Answer, Row } from "./frames.ts";
import { isOfKernel } from "../flows/asks.ts";
import { maySayNo } from "./asks.ts";
import type { Ask, Transaction } from "./transaction.ts";

export interface Request {
  readonly transaction: Transaction;
  readonly row: Row;
  /** Simulated ms. */
  readonly began: number;
}

export interface Entry {
  readonly request: Request;
  readonly process: string;
  /** Positions among all that clients did and heard: real time. */
  readonly invoked: number;
  readonly invokedMs: number;
  completed: number | null;
  completedMs: number;
  /** It was told to come again: it may then have run after what came later in its frame. */
  refused: boolean;
  /** The first that counts; null while there is none, or none will come. */
  answer: Answer | null;
}

/** Beside lists. */
const WRITING: ReadonlySet<string> = new Set([
  ...["transfer", "clock", "dead", "effect", "touch", "trip", "park", "settle", "tour", "slate", "events", "emit"],
  ...["cancel", "tick", "use", "add", "queued"],
]);

/** Answers that every repetition must get too: they were recorded. */
export function isKept({ transaction }: Request, answer: Answer): boolean {
  const { status } = answer;
  const { ask } = transaction;
  // Where a producer's number told that a batch was there already, nothing is recorded under the other id.
  if (isAhead(answer) || isHeldBack(answer, ask) || (ask.kind === "events" && isDuplicate(answer))) return false;
  const recorded =
    transaction.clientId || (ask.kind === "list" ? ask.name === "run" : WRITING.has(ask.kind) || isWritingRun(ask));
  // That something is there already, or settled, is no refusal.
  return recorded && (status === 200 || (status === 409 && !maySayNo(ask)));
}

/** A batch that came before the one that its producer sent before it: it is sent again. */
function isAhead({ status, body }: Answer): boolean {
  return status === 409 && body.includes("/problems/sequence-gap");
}

/** It was refused for a while: by the engine, or by an end of a flow that has no room. */
function comesAgain({ status, retryable, body }: Answer): boolean {
  return status === 503 && (retryable || body.includes('"retryable":true'));
}

/** The window kernel's flow was changed by mistake, and takes nothing until it is another again. */
function isHeldBack({ status, body }: Answer, ask: Ask): boolean {
  return status === 409 && isOfKernel(ask) && body.includes('"/problems/flow-changed"');
}

/** A batch that was there already, by the number that its producer gave it. */
export function isDuplicate({ status, body }: Answer): boolean {
  return status === 200 && body.includes('"duplicate":true');
}

export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly #world: World;
  readonly #mayHoldBack: (now: number) => boolean;
  #events = 0;

  /** @param mayHoldBack whether a version of the window kernel's flow that is to be refused may have answered by then, ms; never by default */
  constructor(world: World, mayHoldBack: (now: number) => boolean = () => false) {
    this.#world = world;
    this.#mayHoldBack = mayHoldBack;
  }

  invoked(request: Request, process: string): void {
    const { now } = this.#world.scheduler;
    this.entries.set(request.row.id, {
      request,
      process,
      invoked: this.#events++,
      invokedMs: now,
      completed: null,
      completedMs: 0,
      refused: false,
      answer: null,
    });
    this.#world.trace.say(
      now,
      () =>
        `${process} asks ${request.row.id.slice(-12)} ${request.row.at.join("/")} ${request.row.name} ${request.row.input}`,
    );
  }

  /** The body of what a transaction was answered, if it went well. */
  answerTo(number: number): string | undefined {
    const answer = this.entryOf(number)?.answer;
    return answer && answer.status < 300 ? answer.body : undefined;
  }

  entryOf(number: number): Entry | undefined {
    for (const entry of this.entries.values()) if (entry.request.transaction.number === number) return entry;
    return undefined;
  }

  /** The present place among all that clients did and heard. */
  mark(): number {
    return this.#events++;
  }

  /** @returns whether the request is over, now or already */
  answered(request: Request, answer: Answer): boolean {
    const entry = this.entries.get(request.row.id);
    if (!entry) throw new Error(`an answer for ${request.row.id}, which nobody asked for`);
    const { now } = this.#world.scheduler;
    this.#world.trace.say(now, () => `${entry.process} hears ${answer.status} ${answer.body}`);
    this.#world.trace.mix(7, answer.status, now);
    if (entry.completed !== null) {
      this.#compare(entry, answer);
      return true;
    }
    if (comesAgain(answer)) {
      this.#world.count("request refused for a while");
      entry.refused = true;
      return false;
    }
    if (isAhead(answer)) {
      this.#world.count("batch ahead of its producer's last");
      return false;
    }
    if (isHeldBack(answer, request.transaction.ask)) {
      if (!this.#mayHoldBack(now)) this.#world.fail(`${request.row.id} is held back by a flow that is as it was`);
      this.#world.count("batch held back by a changed flow");
      return false;
    }
    if (!EXPECTED.has(answer.status) && !(NO.has(answer.status) && maySayNo(request.transaction.ask)))
      this.#world.fail(`${request.row.id} was answered ${answer.status} ${answer.body}`);
    entry.completed = this.#events++;
    entry.completedMs = now;
    entry.answer = answer;
    return true;
  }

  #compare({ request, answer: first }: Entry, again: Answer): void {
    if (!first || !isKept(request, first) || comesAgain(again)) return;
    // A function that throws is not recorded: a repetition that ran before this one may have failed, and be heard later.
    if (again.status === 500 || (again.status !== 200 && maySayNo(request.transaction.ask))) return;
    // So may it have been ahead of its producer's last batch.
    if (isAhead(again)) return;
    // What it was answered may have been erased meanwhile.
    if (again.status === ERASED && ERASABLE.has(request.transaction.ask.kind)) return;
    // An edge id may have been forgotten by the time it is repeated: then it is refused, never run.
    if (again.status === 504 && !request.transaction.clientId) return;
    if (first.status === again.status && first.body === again.body) return;
    this.#world.fail(
      `${request.row.id} was answered ${first.status} ${first.body} and then ${again.status} ${again.body}`,
    );
  }

  /** Nobody waits for it any more; what becomes of it nobody knows. */
  givenUp(request: Request): void {
    const entry = this.entries.get(request.row.id);
    if (!entry) return;
    this.#world.count("request given up");
    entry.completed = this.#events++;
    entry.completedMs = this.#world.scheduler.now;
  }
}

function isWritingRun(ask: Ask): boolean {
  return ask.kind === "tour-run" && ask.name !== "status";
}

const ERASED = 410;
const ERASABLE: ReadonlySet<Ask["kind"]> = new Set(["slate", "erase"]);
/** Unknown, and of the wrong form. */
const NO: ReadonlySet<number> = new Set([404, 422]);
const EXPECTED: ReadonlySet<number> = new Set([200, 202, 409, 500, 503, 504]);
