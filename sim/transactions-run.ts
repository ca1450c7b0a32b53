/** One seeded run of transactions on one partition: random programs, duplicates and crashes, held against the model in the order of commits. */
import type { Kernels } from "../core-wasm/types.ts";
import { decodeRecord } from "../protocol/record/record.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import { ANSWER, ANSWER_COLUMN, ANSWER_FIELD } from "../protocol/wire/answer.ts";
import { INVOKE, INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { defineApp } from "../sdk/index.ts";
import { type Generated, Generator } from "./generate.ts";
import { Model, type ModelAnswer } from "./model.ts";
import { type Reply, SimPartition } from "./partition.ts";
import { type Place } from "./program.ts";
import { programServices } from "./program-services.ts";
import { createRandom, type Random } from "./random.ts";

export interface RunOptions {
  readonly kernels: Kernels;
  readonly seed: number;
  readonly transactions: number;
  /** Crashes at most. */
  readonly crashes: number;
}

export interface RunReport {
  /** What was found wrong; empty when all is well. */
  readonly faults: readonly string[];
  readonly committed: number;
  readonly refused: number;
  readonly failed: number;
  readonly crashes: number;
  readonly folds: number;
  readonly steps: number;
}

interface Request extends Generated {
  readonly id: string;
  readonly flags: number;
  /** Answers that had left when it was first sent: it must commit after those (real time). */
  answersBefore: number;
  answer: { readonly status: number; readonly body: string } | null;
}

const PLACES: readonly Place[] = [
  ["pa", "k"],
  ["pb", "k"],
  ["pc", "k"],
  ["pa", "k\u0000"],
];
/** A run that takes more is stuck. */
const MAX_STEPS = 20_000;
const MAX_IN_FLIGHT = 10;

export function runTransactions(options: RunOptions): Promise<RunReport> {
  return new TransactionsRun(options).run();
}

class TransactionsRun {
  readonly #kernels: Kernels;
  readonly #random: Random;
  readonly #options: RunOptions;
  readonly #requests: Request[] = [];
  readonly #tickets = new Map<number, Request>();
  readonly #paused: Array<() => void> = [];
  /** Ids with answers, in the order in which these left. */
  readonly #answered: string[] = [];
  /** Results in the order of commits. */
  readonly #log: Array<{ readonly id: string; readonly status: number; readonly body: string }> = [];
  readonly #faults: string[] = [];
  readonly #partition: SimPartition;
  #sent = 0;
  #crashes = 0;
  #folds = 0;
  #steps = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#kernels = options.kernels;
    this.#random = createRandom(options.seed);
    const pause = () => new Promise<void>((resolve) => this.#paused.push(resolve));
    this.#partition = new SimPartition({
      app: defineApp({ services: programServices(pause), partitions: 1 }),
      kernels: options.kernels,
      random: this.#random,
      left: (ticket, reply) => this.#left(ticket, reply),
      durable: (ops) => this.#durable(ops),
    });
    const generator = new Generator(this.#random, PLACES);
    for (let n = 0; n < options.transactions; n++) this.#requests.push(this.#request(n, generator.program()));
  }

  #request(n: number, program: Generated): Request {
    const snapshot = program.kind === "look" && this.#random.oneIn(2);
    const flags = INVOKE_FLAG.clientId | (snapshot ? INVOKE_FLAG.snapshot : 0);
    return { ...program, id: `c${n.toString(16).padStart(31, "0")}`, flags, answersBefore: -1, answer: null };
  }

  async run(): Promise<RunReport> {
    while (this.#requests.some(({ answer }) => answer === null) && this.#faults.length === 0) {
      if (++this.#steps > MAX_STEPS) this.#fault("it is stuck: requests wait that are never answered");
      this.#partition.clock += this.#random.int(20);
      this.#random.pick(this.#moves())();
      // Lets every promise that can settle do so: between two moves nothing is under way.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#partition.failure !== undefined) this.#fault(`it stopped: ${String(this.#partition.failure)}`);
    }
    if (this.#faults.length === 0) await this.#drain();
    if (this.#faults.length === 0) this.#check();
    const count = (status: number) => this.#requests.filter(({ answer }) => answer?.status === status).length;
    return {
      faults: this.#faults,
      committed: count(200),
      refused: count(409),
      failed: count(500),
      crashes: this.#crashes,
      folds: this.#folds,
      steps: this.#steps,
    };
  }

  #fault(text: string): void {
    this.#faults.push(`seed ${this.#options.seed}: ${text}`);
  }

  #moves(): Array<() => void> {
    const moves = this.#partition.moves();
    const open = this.#requests.filter(({ answer, answersBefore }) => answer === null && answersBefore >= 0);
    const next = this.#requests[this.#sent];
    if (next && open.length < MAX_IN_FLIGHT) moves.push(() => this.#send(next, true));
    const [again] = open;
    // Clients repeat what is not answered; without it a crash would leave requests that nobody knows.
    if (again && (moves.length === 0 || this.#random.oneIn(8)))
      moves.push(() => this.#send(this.#random.pick(open), false));
    if (this.#paused.length > 0)
      moves.push(
        () => this.#resume(),
        () => this.#resume(),
      );
    if (this.#crashes < this.#options.crashes && this.#random.oneIn(15)) moves.push(() => this.#crash());
    return moves;
  }

  #send(request: Request, first: boolean): void {
    if (first) {
      this.#sent += 1;
      request.answersBefore = this.#answered.length;
    }
    const ticket = this.#tickets.size + 1;
    this.#tickets.set(ticket, request);
    const [service, key] = request.at;
    const fields = [request.id, service, key, request.kind, JSON.stringify({ steps: request.steps })];
    this.#partition.invoke(ticket, this.#kernels.pack(INVOKE, { rows: 1, columns: [1, request.flags, 0, 0], fields }));
  }

  #resume(): void {
    this.#paused.splice(this.#random.int(this.#paused.length), 1)[0]?.();
  }

  #crash(): void {
    this.#crashes += 1;
    this.#partition.crash();
    // Functions of the lost instance may still go on: what they do must reach nobody.
    if (this.#random.oneIn(2)) this.#paused.length = 0;
  }

  #left(ticket: number, reply: Reply): void {
    const request = this.#tickets.get(ticket);
    if (!request || !(reply instanceof Uint8Array)) return this.#fault(`an answer for nobody, ticket ${ticket}`);
    const table = this.#kernels.unpack(ANSWER, reply);
    const answer = { status: table.column(0, ANSWER_COLUMN.status), body: table.field(0, ANSWER_FIELD.body) };
    if (request.answer === null) this.#answered.push(request.id);
    // A failure is not recorded: a duplicate that was under way may fail otherwise, or succeed.
    else if (request.answer.status === 500) request.answer = answer;
    else if (request.answer.status !== answer.status || request.answer.body !== answer.body) {
      this.#fault(`${request.id} was answered ${JSON.stringify(request.answer)} and then ${JSON.stringify(answer)}`);
    }
    request.answer ??= answer;
  }

  #durable(ops: readonly StorageOp[]): void {
    const parts = ops.flatMap((op) => (op.op === "record" ? [op.bytes] : []));
    if (ops.some((op) => op.op === "drop-records")) this.#folds += 1;
    if (parts.length === 0) return;
    const bytes = new Uint8Array(parts.flatMap((part) => [...part]));
    for (const { requestId, status, body } of decodeRecord(this.#kernels, bytes).results) {
      this.#log.push({ id: requestId, status, body });
    }
  }

  /** Everything ends, nothing is left, and a last crash loses nothing. */
  async #drain(): Promise<void> {
    await this.#settle();
    const { waiting, attempts, locks } = this.#partition.engine.machine.status;
    if (waiting + attempts + locks > 0)
      this.#fault(`something is left: ${JSON.stringify({ waiting, attempts, locks })}`);
    this.#crash();
    for (const [n, at] of PLACES.entries()) {
      const look: Request = {
        at,
        kind: "look",
        wild: false,
        steps: [{ op: "read" }],
        id: `c${"f".repeat(30)}${n}`,
        flags: INVOKE_FLAG.clientId,
        answersBefore: 0,
        answer: null,
      };
      this.#requests.push(look);
      this.#send(look, true);
      await this.#settle(() => look.answer !== null);
    }
  }

  /** Performs what is to be done until nothing is, or until it is enough. */
  async #settle(enough: () => boolean = () => false): Promise<void> {
    for (let n = 0; n < MAX_STEPS && !enough(); n++) {
      await new Promise((resolve) => setImmediate(resolve));
      const moves = this.#partition.moves();
      if (this.#paused.length > 0) moves.push(() => this.#resume());
      if (moves.length === 0) return;
      this.#random.pick(moves)();
    }
  }

  #check(): void {
    const model = new Model();
    const requests = new Map(this.#requests.map((request) => [request.id, request]));
    const positions = new Map<string, number>();
    for (const [position, { id, status, body }] of this.#log.entries()) {
      const request = requests.get(id);
      if (!request) return this.#fault(`a result of nobody: ${id}`);
      if (positions.has(id)) this.#fault(`${id} committed twice`);
      positions.set(id, position);
      if (request.anyResult === true) continue;
      const expected = bodyOf(model.execute(request.at, request.steps));
      if (expected.status !== status || (status === 200 ? expected.body !== body : typeOf(body) !== expected.body)) {
        this.#fault(
          `${id} ${JSON.stringify(request.at)} ${JSON.stringify(request.steps)}\n  said ${status} ${body}\n  not  ${expected.status} ${expected.body}`,
        );
        return;
      }
    }
    for (const request of this.#requests) this.#checkAnswer(request, positions);
  }

  #checkAnswer(request: Request, positions: ReadonlyMap<string, number>): void {
    const { id, answer, at, steps, answersBefore } = request;
    if (answer === null) return this.#fault(`${id} has no answer`);
    const position = positions.get(id);
    if (answer.status === 500) {
      if (request.wild && typeOf(answer.body) === "/problems/call-cycle" && position === undefined) return;
      // Whether a program fails does not depend on the state.
      const expected = bodyOf(new Model().execute(at, steps));
      if (expected.status !== 500 || expected.body !== typeOf(answer.body))
        this.#fault(`${id} failed with ${answer.body}, not ${JSON.stringify(expected)}`);
      if (position !== undefined) this.#fault(`${id} failed last and committed`);
      return;
    }
    if (position === undefined) return this.#fault(`${id} was answered ${answer.status} and is in no durable record`);
    const logged = this.#log[position];
    if (logged?.body !== answer.body) this.#fault(`${id} was answered ${answer.body}, its record says ${logged?.body}`);
    for (const earlier of this.#answered.slice(0, Math.max(0, answersBefore))) {
      if ((positions.get(earlier) ?? -1) > position)
        this.#fault(`${id} began after ${earlier} was answered and committed before it`);
    }
  }
}

/** As a record has it: JSON for a result, else the problem's type. */
function bodyOf(answer: ModelAnswer): { status: number; body: string } {
  if (answer.status === 200) return { status: 200, body: JSON.stringify(answer.seen) };
  return {
    status: answer.status,
    body: answer.status === 409 ? `/problems/${answer.service}/no` : `/problems/${answer.type}`,
  };
}

function typeOf(problem: string): string {
  return (JSON.parse(problem) as { type: string }).type;
}
