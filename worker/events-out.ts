/** Events that are kept under numbers, as server-sent events from where the reader was on, or as a page of JSON: those of streams, and what flows set aside. */
import { STREAM } from "../protocol/flows/internal.ts";
import { lastSegments, queryParameter } from "./address.ts";
import { requireFlow } from "./door/rules.ts";
import type { Backend } from "./backend.ts";
import type { Edge } from "./edge.ts";
import { answerHeaders, JSON_TYPE } from "./headers.ts";
import { askInternal, isSnapshot } from "./internal.ts";
import { LIMITS } from "./limits.ts";
import { ProblemError, refuse } from "./problems.ts";
import type { Answer } from "../protocol/wire/answer.ts";
import type { Problem } from "../sdk/problems.ts";
import { sleep } from "./retries.ts";

interface Page {
  /** Number of the first of them. */
  readonly first: number;
  /** As JSON. */
  readonly events: readonly string[];
  /** The number of each, where they do not follow each other. */
  readonly numbers?: readonly number[];
  /** Number of the next event of all. */
  readonly end: number;
}

type PageEdge = Pick<Edge, "backend" | "startedAt">;

/** Asks for events behind a number; null: for none, but where they end. */
interface PageAsk {
  readonly after: number | null;
  readonly limit: number;
}
export type PageSource = (edge: PageEdge, ask: PageAsk, snapshot: boolean) => Promise<Answer>;

const encoder = new TextEncoder();
const EVENT_STREAM = "text/event-stream";
/** A comment: whoever is between may close what is silent. */
const HEARTBEAT = ":\n\n";

/** `GET /v1/streams/{stream}`: its committed events. */
export async function getEvents(edge: Edge): Promise<Response> {
  const { app, caller, request } = edge;
  const [name = ""] = lastSegments(request.url, 1);
  requireFlow(app.door.streams.read, caller, name, name);
  if (!app.streams.has(name)) throw refuse("unknown-stream", `there is no stream ${JSON.stringify(name)}`);
  if (!app.kept.has(name)) {
    const detail = `the events of stream ${JSON.stringify(name)} are not kept: declare its \`retention\`, or let a flow write to it`;
    throw refuse("not-found", detail);
  }
  const target = { service: STREAM, key: name, function: "read" };
  return showEvents(edge, (from, ask, snapshot) => askInternal(from, target, ask, snapshot), EVENT_STREAM);
}

/**
 * As server-sent events: those behind `Last-Event-ID`, or `?after=`; without either those that are yet to come, with `?after=-1` all that are
 * kept. It goes on until the reader leaves; with `?follow=0` it ends where nothing more is there. As JSON: one page of them, from the oldest on
 * unless told otherwise. The `Accept` header says which, where it says one of both.
 */
export async function showEvents(edge: Edge, source: PageSource, otherwise: string): Promise<Response> {
  const { request } = edge;
  const accepted = request.headers.get("accept") ?? "";
  const isJson = accepted.includes(JSON_TYPE);
  if (accepted.includes(EVENT_STREAM) || (!isJson && otherwise === EVENT_STREAM)) return serverSent(edge, source);
  const limit = eventsLimit(request.url);
  const page = await firstPage(edge, source, { after: afterOf(request) ?? -1, limit }, isSnapshot(request.url));
  const { events, end } = page;
  const entries = events.map((event, at) => `{"id":${numberOf(page, at)},"event":${event}}`);
  return new Response(`{"events":[${entries.join(",")}],"end":${end}}`, { headers: answerHeaders(request, JSON_TYPE) });
}

async function serverSent(edge: Edge, source: PageSource): Promise<Response> {
  const { request } = edge;
  const follows = queryParameter(request.url, "follow") !== "0";
  const after = afterOf(request);
  const reader = new Reader(edge, source, after);
  // The first page is asked for before the answer begins, so that what is wrong has a status.
  const first = await reader.first();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(shown(first) || whereIs(reader, after, follows))),
    pull: (controller) => reader.pull(controller, follows),
  });
  return new Response(body, { headers: answerHeaders(request, EVENT_STREAM) });
}

/**
 * The page with which a reader begins. One that is beyond the end has read what is not there any more, as in a domain that was restored from an older
 * backup: it would miss all that comes up to its number. @throws ProblemError
 */
async function firstPage(edge: PageEdge, source: PageSource, ask: PageAsk, snapshot: boolean): Promise<Page> {
  const page = pageOf(await source(edge, ask, snapshot));
  const { after } = ask;
  if (after === null || after < page.end) return page;
  // A reader may be ahead of a snapshot, but not of what is committed by now.
  if (snapshot) return firstPage(edge, source, ask, false);
  const last = page.end === 0 ? "there is none yet" : `the last one is ${page.end - 1}`;
  const detail = `there is no event ${after}: ${last}; the domain may be restored from an older backup, so what was read since is void`;
  throw refuse("invalid-parameter", detail, { end: page.end });
}

/** @throws ProblemError */
function pageOf(answer: Answer): Page {
  if (answer.status !== 200) throw new ProblemError(JSON.parse(answer.body) as Problem);
  return JSON.parse(answer.body) as Page;
}

/**
 * With what an answer begins that has no event yet. Who did not say where it was is told where it is: its connection may end before the first event, and
 * others come before it is back. Anybody else who follows is told that the connection is there, which a client that waits less long than until the first
 * heartbeat would take for lost.
 */
function whereIs(reader: Reader, after: number | null, follows: boolean): string {
  if (after === null) return `id: ${reader.after}\n\n`;
  return follows ? HEARTBEAT : "";
}

function eventsLimit(url: string): number {
  const text = queryParameter(url, "limit");
  if (text === undefined) return LIMITS.eventsPerPage;
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMITS.eventsPerPage) return limit;
  throw refuse("invalid-parameter", `?limit= is a whole number from 1 to ${LIMITS.eventsPerPage}`);
}

function afterOf(request: Request): number | null {
  const text = request.headers.get("last-event-id") ?? queryParameter(request.url, "after");
  if (text === undefined || text === "") return null;
  if (/^-1$|^\d{1,15}$/.test(text)) return Number(text);
  throw refuse("invalid-parameter", "Last-Event-ID and ?after= are the id of an event, or -1");
}

class Reader {
  readonly #backend: Backend;
  readonly #source: PageSource;
  readonly #until: number;
  #after: number | null;
  #silentSince: number;

  constructor({ backend, startedAt }: Edge, source: PageSource, after: number | null) {
    this.#backend = backend;
    this.#source = source;
    this.#after = after;
    this.#until = startedAt + LIMITS.followMs;
    this.#silentSince = startedAt;
  }

  /** Number of the last event that it has; -1 before the first of all. */
  get after(): number {
    return this.#after ?? -1;
  }

  /** @throws ProblemError */
  async first(): Promise<Page> {
    return this.#goOn(await firstPage(this.#edge, this.#source, this.#ask, true));
  }

  /** @throws ProblemError */
  async next(): Promise<Page> {
    return this.#goOn(pageOf(await this.#source(this.#edge, this.#ask, true)));
  }

  get #edge(): PageEdge {
    return { backend: this.#backend, startedAt: this.#backend.now() };
  }

  get #ask(): PageAsk {
    return { after: this.#after, limit: LIMITS.eventsPerPage };
  }

  #goOn(page: Page): Page {
    this.#after = page.events.length > 0 ? numberOf(page, page.events.length - 1) : (this.#after ?? page.end - 1);
    return page;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>, follow: boolean): Promise<void> {
    const backend = this.#backend;
    while (backend.now() < this.#until) {
      const page = await this.next();
      if (page.events.length > 0) {
        this.#silentSince = backend.now();
        return controller.enqueue(encoder.encode(shown(page)));
      }
      if (!follow) return controller.close();
      await sleep(LIMITS.followPauseMs);
      if (backend.now() - this.#silentSince < LIMITS.heartbeatMs) continue;
      this.#silentSince = backend.now();
      return controller.enqueue(encoder.encode(HEARTBEAT));
    }
    // Who wants what is there would take an end for all of it: a break says that there is more, and the reader comes again.
    if (!follow) throw new Error("the connection has lasted too long; go on behind the last event");
    controller.close();
  }
}

/** Ids are numbers of events: a reader that comes back says the last one that it has. */
function shown(page: Page): string {
  return page.events.map((event, at) => `id: ${numberOf(page, at)}\ndata: ${event}\n\n`).join("");
}

function numberOf({ first, numbers }: Page, at: number): number {
  return numbers?.[at] ?? first + at;
}
