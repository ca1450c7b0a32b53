/** Sends batches to the app, and reads what it shows. */
import type { Batch } from "./events.ts";
import { bodyOf } from "./batches.ts";
import { CLOCK_HEADER } from "./clock.ts";
import type { Query, Shown } from "./flows/query.ts";

export const TOKEN = "bench";
export const APP_PORT = 8794;
export const PLAIN_PORT = 8793;
const APP = `http://127.0.0.1:${APP_PORT}`;
const AUTH = { authorization: `Bearer ${TOKEN}` };
const RETRY_MS = 20;
/** Rows of a page: the widest, lists of ten bids, take some two kilobytes each. */
const PAGE = 200;
const GIVE_UP_MS = 60_000;

export interface Taken {
  readonly accepted: number;
  /** By flow. */
  readonly late?: Readonly<Record<string, number>>;
}

/** Sends one batch under its key until it is answered; what breaks meanwhile is what retries are for. @throws Error for a refusal */
export async function sendBatch(stream: string, batch: Batch, key: string, clock?: number): Promise<Taken> {
  const headers = {
    ...AUTH,
    "content-type": "application/x-ndjson",
    "idempotency-key": `"${key}"`,
    ...(clock === undefined ? {} : { [CLOCK_HEADER]: String(clock) }),
  };
  const body = bodyOf(batch);
  const until = performance.now() + GIVE_UP_MS;
  for (;;) {
    const response = await fetch(`${APP}/v1/streams/${stream}`, { method: "POST", headers, body }).catch(() => null);
    if (response !== null) {
      const text = await response.text().catch(() => null);
      if (response.status === 200 && text !== null) return JSON.parse(text) as Taken;
      if (response.status < 500) throw new Error(`${stream} answered ${response.status} ${String(text)}`);
    }
    if (performance.now() > until) throw new Error(`${stream} has no answer for ${key}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** All that a query shows. */
export function shownBy(query: Query): Promise<Shown[]> {
  return "view" in query.shows ? viewRows(query.shows.view) : streamRows(query.shows.stream);
}

async function viewRows(view: string): Promise<Shown[]> {
  const rows: Shown[] = [];
  for (let cursor = ""; ;) {
    const response = await fetch(`${APP}/v1/views/${view}?limit=${PAGE}${cursor}`, { headers: AUTH });
    if (response.status !== 200) throw new Error(`view ${view} answered ${response.status} ${await response.text()}`);
    const page = (await response.json()) as { rows: Shown[]; next?: string };
    rows.push(...page.rows);
    if (page.next === undefined) return rows;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

/** Events of a stream from its beginning to where nothing more is there. */
async function streamRows(stream: string): Promise<Shown[]> {
  const headers = { ...AUTH, accept: "text/event-stream" };
  const response = await fetch(`${APP}/v1/streams/${stream}?after=-1&follow=0`, { headers });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`stream ${stream} answered ${response.status} ${text}`);
  return text.split("\n\n").flatMap(eventsOf);
}

/** The events of one server-sent message: an object, or a list of them. */
function eventsOf(message: string): Shown[] {
  const data = message
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice("data:".length).trimStart())
    .join("\n");
  if (data === "") return [];
  const value = JSON.parse(data) as Shown | Shown[];
  return Array.isArray(value) ? value : [value];
}
