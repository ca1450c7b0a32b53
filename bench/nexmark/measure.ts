/** Events a second and core of one query, beside the same query in plain JavaScript, in turns on one thread. */
import type { HttpConnection } from "../lib/http-connection.ts";
import { withConnections } from "../lib/drive.ts";
import type { WorkerdProcess } from "../lib/workerd.ts";
import { bodyOf, inBatches } from "./batches.ts";
import { APP_PORT, PLAIN_PORT, TOKEN } from "./client.ts";
import type { Kind, NexmarkEvent } from "./events.ts";

/** Batches of the app that are under way at the same time. */
const AT_ONCE = 2;
/** Events to a batch, all kinds together: three to four megabytes. */
const PIECE = 20_000;
/** Of 50 events four are no bids. */
export const WITHOUT_BIDS = 12.5;
/** So dense that batches which overtake each other are within the out-of-orderness. */
export const PER_SECOND = 50_000;

/** A batch ready to be sent. */
interface Body {
  readonly kind: Kind;
  readonly events: number;
  readonly body: Buffer;
}
/** One run's batches, with those of every kind. */
export type Pass = readonly Body[];

/** Cuts a run's events into passes of equal length, each behind the one before in event time. */
export function passesOf(arrivals: readonly NexmarkEvent[], passes: number): Pass[] {
  const length = Math.floor(arrivals.length / passes);
  return Array.from({ length: passes }, (_, pass) => {
    const own = arrivals.slice(pass * length, (pass + 1) * length);
    return inBatches(own, PIECE, ["person", "auction", "bid"]).map((batch) => ({
      kind: batch.kind,
      events: batch.events.length,
      body: Buffer.from(bodyOf(batch)),
    }));
  });
}

export interface Rates {
  /** Thousands of events for a second of workerd's CPU. */
  readonly perCore: number;
  /** By the clock. */
  readonly perSecond: number;
}

/** Where batches go: a path for each kind, and headers. */
export interface Goal {
  readonly port: number;
  path(kind: Kind): string;
  headers(key: string, events: number): string;
}

export const appGoal = (name: string): Goal => ({
  port: APP_PORT,
  path: (kind) => `/v1/streams/${name}-${kind}`,
  headers: (key) =>
    `authorization: Bearer ${TOKEN}\r\ncontent-type: application/x-ndjson\r\nidempotency-key: "${key}"\r\n`,
});
export const plainGoal = (query: string): Goal => ({
  port: PLAIN_PORT,
  path: (kind) => `/${query}/${kind}`,
  headers: () => "content-type: application/x-ndjson\r\n",
});

/** Who reads the body, and does nothing else. */
export const bodyGoal: Goal = {
  ...plainGoal("none"),
  headers: (_, events) => `content-type: application/x-ndjson\r\nx-events: ${events}\r\n`,
};

const LOOK_MS = 40;
/** Of one look: less is timers and the like. */
const IDLE_SECONDS = 0.002;
const LOOKS = 100;

/** What a run leaves to be done behind its answers, folding above all, is its own, and not of what is measured next. */
async function quiet(workerd: WorkerdProcess): Promise<void> {
  let before = await workerd.cpuSeconds();
  for (let look = 0; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = await workerd.cpuSeconds();
    if (now - before < IDLE_SECONDS) return;
    before = now;
  }
}

/**
 * Sends a pass's batches of these kinds, some at a time and in order; a run in which not all is taken has no figure.
 * @param settles whether what is left to be done behind the answers belongs to it: a profiler takes the wait for that for work
 */
export async function run(
  workerd: WorkerdProcess,
  goal: Goal,
  pass: Pass,
  kinds: readonly Kind[],
  name: string,
  settles = true,
): Promise<Rates> {
  const bodies = pass.filter(({ kind }) => kinds.includes(kind));
  const cpu = await workerd.cpuSeconds();
  const began = performance.now();
  let next = 0;
  let events = 0;
  const sender = async (connection: HttpConnection): Promise<void> => {
    while (next < bodies.length) {
      const index = next++;
      const { kind, body, events: sent } = bodies[index] as Body;
      const headers = goal.headers(`${name}-${index}`, sent);
      const answer = await connection.post({ path: goal.path(kind), headers, body });
      if (answer.status !== 200) throw new Error(`${goal.path(kind)}: ${answer.status} ${answer.body.toString()}`);
      if ((JSON.parse(answer.body.toString()) as { accepted: number }).accepted !== sent) {
        throw new Error(`${goal.path(kind)} took ${answer.body.toString()} of ${sent} events`);
      }
      events += sent;
    }
  };
  await withConnections(goal.port, AT_ONCE, async (open) => {
    await Promise.all(open.map(sender));
  });
  const seconds = (performance.now() - began) / 1000;
  if (settles) await quiet(workerd);
  return { perCore: events / 1000 / ((await workerd.cpuSeconds()) - cpu), perSecond: events / 1000 / seconds };
}
