/** Clients of the kill test: each sends one request after the other and repeats it, with its Idempotency-Key, until it is answered. */
import type { Random } from "../../../sim/random.ts";
import { TOKEN } from "./process-group.ts";

/** What the server said of one id. */
export interface Acknowledged {
  readonly key: string;
  readonly id: string;
  /** The position that the ledger told, or null for a refusal. */
  readonly position: number | null;
}

export interface World {
  readonly url: string;
  readonly random: Random;
  readonly acknowledged: Acknowledged[];
  /** Some answered requests, to be sent again at the end. */
  readonly answered: Array<readonly [Sent, Answered]>;
  /** Answers that came after the request had to be repeated. */
  repeats: number;
  /** Set when clients are to stop after the request that they have. */
  stopping: boolean;
}

const RETRY_MS = 30;
/** Makes ids of batches long, so that records are folded under load too. */
const PADDING = "x".repeat(250);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface Sent {
  readonly path: string;
  readonly type: string;
  readonly body: string;
  readonly idempotencyKey: string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly replayed: boolean;
}

/** Until it is answered; 500 and above and broken connections are not answers. */
export async function untilAnswered(
  world: World,
  sent: Sent,
  complete: (text: string) => boolean = () => true,
): Promise<Answered> {
  for (let attempt = 0; ; attempt++) {
    if (attempt > 0) world.repeats += 1;
    const answered = await once(world, sent).catch(() => null);
    if (answered && answered.status < 500 && complete(answered.text)) return answered;
    await sleep(RETRY_MS);
  }
}

async function once(world: World, { path, type, body, idempotencyKey }: Sent): Promise<Answered> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": type, "idempotency-key": `"${idempotencyKey}"` };
  const response = await fetch(world.url + path, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, text, replayed: response.headers.has("idempotency-replayed") };
}

/** One call at a time, some of them refused; now and then an answered one is sent again. */
export async function callClient(world: World, name: string, keys: readonly string[]): Promise<void> {
  for (let n = 0; !world.stopping; n++) {
    const key = world.random.pick(keys);
    const id = `${name}.${n}`;
    const refuse = world.random.oneIn(8);
    const sent: Sent = {
      path: `/v1/services/ledger/${key}/refuseSome`,
      type: "application/json",
      body: JSON.stringify({ id, refuse }),
      idempotencyKey: id,
    };
    const answer = await untilAnswered(world, sent);
    world.acknowledged.push({ key, id, position: positionOf(answer, refuse) });
    if (world.random.oneIn(6)) expectSame(answer, await untilAnswered(world, sent));
    if (world.random.oneIn(4)) world.answered.push([sent, answer]);
  }
}

function positionOf({ status, text }: Answered, refuse: boolean): number | null {
  if (status !== (refuse ? 409 : 200))
    throw new Error(`expected ${refuse ? "a refusal" : "a result"}, got ${status} ${text}`);
  return refuse ? null : (JSON.parse(text) as number);
}

function expectSame(first: Answered, second: Answered): void {
  if (second.status !== first.status || second.text !== first.text || !second.replayed) {
    throw new Error(
      `the answer ${first.status} ${first.text} became ${second.status} ${second.text}, replayed: ${second.replayed}`,
    );
  }
}

/** Sends old requests again, whose records may have been folded and whose server has died since: each gets its first answer. */
export async function repeatAnswered(world: World): Promise<number> {
  for (const [sent, answer] of world.answered) expectSame(answer, await untilAnswered(world, sent));
  return world.answered.length;
}

/** Batches of one line per id; the lines of a key must take effect in their order. */
export async function batchClient(world: World, name: string, keys: readonly string[], lines: number): Promise<void> {
  for (let n = 0; !world.stopping; n++) {
    const calls = Array.from({ length: lines }, (_, line) => ({
      key: world.random.pick(keys),
      id: `${name}.${n}.${line}.${PADDING}`,
    }));
    const body = calls
      .map(({ key, id }) => JSON.stringify({ service: "ledger", key, function: "append", id, input: { id } }))
      .join("\n");
    const sent: Sent = { path: "/v1/batch", type: "application/x-ndjson", body, idempotencyKey: `${name}.${n}` };
    const { text } = await untilAnswered(world, sent, (answer) => isComplete(answer, lines));
    for (const { line, result } of resultsOf(text)) {
      const call = calls[line - 1];
      if (!call) throw new Error(`a result for line ${line} of ${lines}`);
      world.acknowledged.push({ ...call, position: result });
    }
  }
}

interface LineResult {
  readonly line: number;
  readonly status: number;
  readonly result: number;
}

function resultsOf(text: string): LineResult[] {
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LineResult]));
}

/** A batch that broke off, or whose lines met a restart, is sent again whole: the lines done before are replayed. */
function isComplete(text: string, lines: number): boolean {
  if (!text.endsWith("\n")) return false;
  const results = resultsOf(text);
  const unexpected = results.find(({ status }) => status !== 200 && status < 500);
  if (unexpected) throw new Error(`line ${unexpected.line} got ${JSON.stringify(unexpected)}`);
  return results.length === lines && results.every(({ status }) => status === 200);
}

export interface SaleEvent {
  readonly item: string;
  readonly amount: number;
  readonly at: number;
}

/** One producer, so that the order of its batches is known. Returns the batches in the order in which they were taken. */
export async function eventProducer(world: World, events: number): Promise<SaleEvent[][]> {
  const batches: SaleEvent[][] = [];
  for (let n = 0; !world.stopping; n++) {
    const batch = Array.from({ length: events }, () => sale(world.random, 1_800_000_000_000 + n * 400));
    const body = batch.map((event) => JSON.stringify(event)).join("\n");
    const sent: Sent = { path: "/v1/streams/sales", type: "application/x-ndjson", body, idempotencyKey: `sales.${n}` };
    const answer = await untilAnswered(world, sent);
    if (answer.status !== 200) throw new Error(`a batch of events got ${answer.status} ${answer.text}`);
    batches.push(batch);
  }
  return batches;
}

/** Some events are filtered, some are behind, a few too far behind to count. */
function sale(random: Random, now: number): SaleEvent {
  const behind = random.oneIn(40) ? 6_000 : random.int(1_500);
  return { item: `item-${random.int(12)}`, amount: random.int(1_000) - 100, at: now - behind };
}
