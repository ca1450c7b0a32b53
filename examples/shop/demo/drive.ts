/** Drives the shop's services: many clients at once, first with calls of their own requests, then with batches; judges every answer. */
import { type Call, requestOf } from "./calls.ts";
import type { Customer } from "./customer.ts";
import type { Answer, Http, Sending } from "./http.ts";
import { judge, judgeBatch, type Memory, type Sent, type Tallies, tallyOf } from "./judge.ts";
import { Progress } from "./progress.ts";
import { oneOf, random, type Random } from "./random.ts";
import { cancellation, stockCall, visit } from "./shopping.ts";
import { tally } from "./tally.ts";

/** Lines of a batch, about: no visit is torn apart. */
const BATCH_LINES = 100;
/** Share of requests that are sent twice with one Idempotency-Key. */
const TWICE = 0.05;

export interface Drive extends Memory {
  /** Checkouts that were sent. */
  done: number;
  readonly http: Http;
  /** Part of every Idempotency-Key, so that runs never share one. */
  readonly run: string;
  readonly seed: number;
  /** The customers of each client. */
  readonly clients: ReadonlyArray<readonly Customer[]>;
}

/** Sends visits call by call. */
export function driveSingles(drive: Drive, checkouts: number): Promise<Tallies> {
  const tallies = {
    checkouts: tally("checkouts", "request"),
    others: tally("calls around them", "request"),
  };
  return everyClient(drive, tallies, checkouts, 1, async (client) => {
    const customer = oneOf(client.chance, client.customers);
    for (const call of visit(client.chance, customer)) await single(drive, tallies, client, { call, customer });
    const cancel = cancellation(client.chance, customer);
    if (cancel !== undefined) await single(drive, tallies, client, { call: cancel, customer });
    const stock = stockCall(client.chance);
    if (stock !== undefined) await single(drive, tallies, client, { call: stock, customer: undefined });
    return 1;
  });
}

async function single(drive: Drive, tallies: Tallies, client: Client, one: Omit<Sent, "outcome">): Promise<void> {
  const sent = { ...one, outcome: undefined };
  const request = requestOf(sent.call, `${drive.run}-s${client.id}-${client.sent++}`);
  const { latencies } = tallyOf(tallies, sent);
  const { answers, times } = await send(drive.http, client.chance, request, (taken) => latencies.add(taken));
  for (const { status, text, replayed } of answers)
    judge(drive, tallies, sent, { status, body: JSON.parse(text), replayed, times });
}

/** Sends visits as lines of batches. */
export function driveBatches(drive: Drive, checkouts: number): Promise<Tallies> {
  const unit = `batch of ${BATCH_LINES}`;
  const tallies = { checkouts: tally("checkouts in batches", unit), others: tally("calls around them", unit) };
  return everyClient(drive, tallies, checkouts, BATCH_LINES, async (client, most) => {
    const lines: Sent[] = [];
    let visits = 0;
    for (; visits < most && lines.length < BATCH_LINES; visits++) {
      const customer = oneOf(client.chance, client.customers);
      lines.push(...visit(client.chance, customer).map((call) => ({ call, customer, outcome: undefined })));
      const stock = stockCall(client.chance);
      if (stock !== undefined) lines.push({ call: stock, customer: undefined, outcome: undefined });
    }
    await batch(drive, tallies, client, lines);
    return visits;
  });
}

async function batch(drive: Drive, tallies: Tallies, client: Client, lines: readonly Sent[]): Promise<void> {
  const request = {
    method: "POST",
    path: "/v1/batch",
    type: "application/x-ndjson",
    body: lines.map(({ call }) => JSON.stringify(call)).join("\n"),
    idempotencyKey: `${drive.run}-b${client.id}-${client.sent++}`,
  } as const;
  const { answers, times } = await send(drive.http, client.chance, request, (taken) => {
    tallies.checkouts.latencies.add(taken);
    tallies.others.latencies.add(taken);
  });
  for (const answer of answers) judgeBatch(drive, tallies, lines, answer, times);
}

/** Fills the warehouse before the customers come. */
export async function driveDeliveries(drive: Drive, deliveries: readonly Call[]): Promise<void> {
  const tallies = { checkouts: tally("", ""), others: tally("deliveries", "batch") };
  const client = { id: -1, chance: random(drive.seed, "deliveries"), customers: [], sent: 0 };
  for (let at = 0; at < deliveries.length; at += BATCH_LINES) {
    const lines = deliveries.slice(at, at + BATCH_LINES);
    await batch(
      drive,
      tallies,
      client,
      lines.map((call) => ({ call, customer: undefined, outcome: undefined })),
    );
  }
}

interface Client {
  readonly id: number;
  readonly chance: Random;
  readonly customers: readonly Customer[];
  sent: number;
}

/** Runs all clients until the checkouts are used up. A step is allowed `share` of them at most and returns how many it sent. */
async function everyClient(
  drive: Drive,
  tallies: Tallies,
  checkouts: number,
  share: number,
  step: (client: Client, most: number) => Promise<number>,
): Promise<Tallies> {
  const { clients, seed } = drive;
  const { name } = tallies.checkouts;
  const progress = new Progress(name, checkouts);
  let left = checkouts;
  const loops = clients.map(async (customers, id) => {
    const client = { id, customers, sent: 0, chance: random(seed, `${name} ${id}`) };
    while (left > 0) {
      const most = Math.min(left, share);
      left -= most;
      const sent = await step(client, most);
      left += most - sent;
      progress.add(sent);
      drive.done += sent;
    }
  });
  try {
    await Promise.all(loops);
  } finally {
    const seconds = progress.end();
    for (const one of Object.values(tallies)) one.seconds = seconds;
  }
  return tallies;
}

/** Sends a request, some twice: a second time after the first has its answer, or beside it. */
async function send(
  http: Http,
  chance: Random,
  request: Sending,
  took: (milliseconds: number) => void,
): Promise<{ answers: Answer[]; times: { sentAt: number; answeredAt: number } }> {
  const timed = async (): Promise<Answer> => {
    const startedAt = performance.now();
    const answer = await http.send(request);
    took(performance.now() - startedAt);
    return answer;
  };
  const way = chance() >= TWICE || request.method === "GET" ? "once" : oneOf(chance, ["after", "beside"]);
  const sentAt = performance.now();
  const answers =
    way === "beside"
      ? await Promise.all([timed(), timed()])
      : way === "once"
        ? [await timed()]
        : [await timed(), await timed()];
  return { answers, times: { sentAt, answeredAt: performance.now() } };
}
