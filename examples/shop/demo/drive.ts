/** Drives the shop's services: many clients at once, first with calls of their own requests, then with batches; judges every answer. */
import { type Call, type Outcome, outcomeOf, requestOf, same } from "./calls.ts";
import type { Customer } from "./customer.ts";
import { differs } from "./findings.ts";
import type { Answer, Http, Sending } from "./http.ts";
import { Latencies } from "./latency.ts";
import { Progress } from "./progress.ts";
import { oneOf, random, type Random } from "./random.ts";
import type { Shelf } from "./shelf.ts";
import { customerCall, stockCall, wantsStock } from "./shopping.ts";

/** Lines of a batch. */
const BATCH_LINES = 100;
/** Share of requests that are sent twice with one Idempotency-Key. */
const TWICE = 0.05;

export interface Drive {
  readonly http: Http;
  /** Part of every Idempotency-Key, so that runs never share one. */
  readonly run: string;
  readonly seed: number;
  readonly shelves: ReadonlyMap<string, Shelf>;
  /** The customers of each client. */
  readonly clients: ReadonlyArray<readonly Customer[]>;
  readonly faults: string[];
}

export interface Tally {
  readonly name: string;
  readonly latencies: Latencies;
  readonly unit: string;
  answered: number;
  refused: number;
  replayed: number;
  seconds: number;
}

export function tally(name: string, unit: string): Tally {
  return { name, unit, latencies: new Latencies(), answered: 0, refused: 0, replayed: 0, seconds: 0 };
}

/** A call on its way, and what must come back: what the model says, or for stock, which tells only afterwards, the first answer. */
interface Expected {
  readonly call: Call;
  outcome: Outcome | undefined;
}
/** An answer to one call. */
interface Judged {
  readonly status: number;
  readonly body: unknown;
  readonly replayed: boolean;
  readonly times: Times;
}
/** When a request was first sent and last answered. */
interface Times {
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** Sends calls one by one. */
export function driveSingles(drive: Drive, calls: number): Promise<Tally> {
  return everyClient(drive, tally("single calls", "request"), calls, 2, async (client, most, totals) => {
    const expected = next(drive, client);
    const times = most === 2 && client.chance() < TWICE ? oneOf(client.chance, REPETITIONS) : "once";
    const request = requestOf(expected.call, `${drive.run}-s${client.id}-${client.sent++}`);
    const sentAt = performance.now();
    const answers = await send(drive.http, request, times, totals);
    const answeredAt = performance.now();
    for (const { status, text, replayed } of answers)
      judge(drive, totals, expected, { status, body: JSON.parse(text), replayed, times: { sentAt, answeredAt } });
    return answers.length;
  });
}

/** Sends calls as lines of batches. */
export function driveBatches(drive: Drive, calls: number): Promise<Tally> {
  const totals = tally("calls in batches", `batch of ${BATCH_LINES}`);
  return everyClient(drive, totals, calls, 2 * BATCH_LINES, async (client, most) => {
    const lines = Array.from({ length: Math.min(BATCH_LINES, most) }, () => next(drive, client));
    const times = most >= 2 * lines.length && client.chance() < TWICE ? oneOf(client.chance, REPETITIONS) : "once";
    const request = {
      method: "POST",
      path: "/v1/batch",
      type: "application/x-ndjson",
      body: lines.map(({ call }) => JSON.stringify(call)).join("\n"),
      idempotencyKey: `${drive.run}-b${client.id}-${client.sent++}`,
    } as const;
    const sentAt = performance.now();
    const answers = await send(drive.http, request, times, totals);
    const answeredAt = performance.now();
    for (const answer of answers) judgeBatch(drive, totals, lines, answer, { sentAt, answeredAt });
    return answers.length * lines.length;
  });
}

interface Client {
  readonly id: number;
  readonly chance: Random;
  readonly customers: readonly Customer[];
  sent: number;
}

/** Runs all clients until the calls are used up. A step is allowed `share` calls at most and returns how many it sent. */
async function everyClient(
  { clients, seed }: Drive,
  totals: Tally,
  calls: number,
  share: number,
  step: (client: Client, most: number, totals: Tally) => Promise<number>,
): Promise<Tally> {
  const progress = new Progress(totals.name, calls);
  let left = calls;
  const loops = clients.map(async (customers, id) => {
    const client = { id, customers, sent: 0, chance: random(seed, `${totals.name} ${id}`) };
    while (left > 0) {
      const most = Math.min(left, share);
      left -= most;
      const sent = await step(client, most, totals);
      left += most - sent;
      progress.add(sent);
    }
  });
  try {
    await Promise.all(loops);
  } finally {
    totals.seconds = progress.end();
  }
  return totals;
}

function next({ shelves }: Drive, { chance, customers }: Client): Expected {
  if (wantsStock(chance)) return { call: stockCall(chance, shelves), outcome: undefined };
  const customer = oneOf(chance, customers);
  const call = customerCall(chance, customer);
  return { call, outcome: customer.run(call) };
}

/** How a request is sent a second time: after the first has its answer, or beside it. */
const REPETITIONS = ["after", "beside"] as const;

async function send(
  http: Http,
  request: Sending,
  times: "once" | (typeof REPETITIONS)[number],
  totals: Tally,
): Promise<Answer[]> {
  const timed = async (): Promise<Answer> => {
    const startedAt = performance.now();
    const answer = await http.send(request);
    totals.latencies.add(performance.now() - startedAt);
    return answer;
  };
  if (times === "once" || request.method === "GET") return [await timed()];
  if (times === "beside") return Promise.all([timed(), timed()]);
  return [await timed(), await timed()];
}

interface ResultLine {
  readonly line: number;
  readonly status: number;
  readonly result?: unknown;
  readonly problem?: unknown;
  readonly replayed?: boolean;
}

function judgeBatch(drive: Drive, totals: Tally, lines: readonly Expected[], answer: Answer, times: Times): void {
  if (answer.status !== 200) throw new Error(`a batch was answered ${answer.status}: ${answer.text}`);
  const missing = new Set(lines.keys());
  for (const text of answer.text.split("\n")) {
    if (text === "") continue;
    const { line, status, result, problem, replayed = false } = JSON.parse(text) as ResultLine;
    const expected = lines[line - 1];
    if (expected === undefined || !missing.delete(line - 1)) drive.faults.push(`a batch answered line ${line} twice`);
    else judge(drive, totals, expected, { status, body: status === 200 ? result : problem, replayed, times });
  }
  for (const line of missing) drive.faults.push(`a batch of ${lines.length} lines has no answer to line ${line + 1}`);
}

function judge(drive: Drive, totals: Tally, expected: Expected, { status, body, replayed, times }: Judged): void {
  const { call } = expected;
  const name = `${call.service}.${call.function} on "${call.key}"`;
  const outcome = outcomeOf(status, body);
  totals.answered += 1;
  totals.replayed += replayed ? 1 : 0;
  if (outcome === undefined) return void drive.faults.push(differs(name, expected.outcome, body));
  totals.refused += "refusal" in outcome ? 1 : 0;
  if (expected.outcome !== undefined) {
    if (!same(expected.outcome, outcome)) drive.faults.push(differs(name, expected.outcome, outcome));
    return;
  }
  if (call.service !== "stock") throw new Error(`the model tells no answer to ${name}`);
  expected.outcome = outcome;
  const fault = drive.shelves.get(call.key)?.take(call, outcome, times);
  if (fault !== undefined) drive.faults.push(`${name}: ${fault}`);
}
