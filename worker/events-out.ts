/** `GET /v1/streams/{stream}`: committed events as server-sent events, from where the reader was on. */
import { STREAM } from "../protocol/flows/internal.ts";
import { lastSegments, queryParameter } from "./address.ts";
import { requireOwner } from "./door/rules.ts";
import type { Edge } from "./edge.ts";
import { askInternal } from "./flows.ts";
import { answerHeaders } from "./headers.ts";
import { LIMITS } from "./limits.ts";
import { ProblemError, refuse } from "./problems.ts";
import type { Problem } from "../sdk/problems.ts";
import { sleep } from "./retries.ts";

interface Page {
  readonly first: number;
  readonly events: readonly string[];
  /** Number of the next event of all. */
  readonly end: number;
}

const encoder = new TextEncoder();

/**
 * Events behind `Last-Event-ID`, or `?after=`; without either those that are yet to come, with `?after=-1` all that are kept. It goes on until
 * the reader leaves; with `?follow=0` it ends where nothing more is there.
 */
export async function getEvents(edge: Edge): Promise<Response> {
  const { app, caller, request } = edge;
  requireOwner(caller);
  const [name = ""] = lastSegments(request.url, 1);
  if (!app.streams.has(name)) throw refuse("unknown-stream", `there is no stream ${JSON.stringify(name)}`);
  if (!app.kept.has(name)) {
    const detail = `the events of stream ${JSON.stringify(name)} are not kept: declare its \`retention\`, or let a flow write to it`;
    throw refuse("not-found", detail);
  }
  const follow = queryParameter(request.url, "follow") !== "0";
  const after = afterOf(request);
  const reader = new Reader(edge, name, after);
  // The first page is asked for before the answer begins, so that what is wrong has a status.
  const first = await reader.next();
  const body = new ReadableStream<Uint8Array>({
    // Who did not say where it was is told where it is: its connection may end before the first event, and others come before it is back.
    start: (controller) =>
      controller.enqueue(
        encoder.encode(after === null && first.events.length === 0 ? `id: ${reader.after}\n\n` : shown(first)),
      ),
    pull: (controller) => reader.pull(controller, follow),
  });
  return new Response(body, { headers: answerHeaders(request, "text/event-stream") });
}

function afterOf(request: Request): number | null {
  const text = request.headers.get("last-event-id") ?? queryParameter(request.url, "after");
  if (text === undefined || text === "") return null;
  if (/^-1$|^\d{1,15}$/.test(text)) return Number(text);
  throw refuse("invalid-parameter", "Last-Event-ID and ?after= are the id of an event, or -1");
}

class Reader {
  readonly #edge: Edge;
  readonly #stream: string;
  readonly #until: number;
  #after: number | null;
  #silentSince: number;

  constructor(edge: Edge, stream: string, after: number | null) {
    this.#edge = edge;
    this.#stream = stream;
    this.#after = after;
    this.#until = edge.startedAt + LIMITS.followMs;
    this.#silentSince = edge.startedAt;
  }

  /** Number of the last event that it has; -1 before the first of all. */
  get after(): number {
    return this.#after ?? -1;
  }

  /** @throws ProblemError */
  async next(): Promise<Page> {
    const { backend } = this.#edge;
    const target = { service: STREAM, key: this.#stream, function: "read" };
    const input = { after: this.#after, limit: LIMITS.eventsPerPage };
    const answer = await askInternal({ backend, startedAt: backend.now() }, target, input, true);
    if (answer.status !== 200) throw new ProblemError(JSON.parse(answer.body) as Problem);
    const page = JSON.parse(answer.body) as Page;
    this.#after = page.events.length > 0 ? page.first + page.events.length - 1 : (this.#after ?? page.end - 1);
    return page;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>, follow: boolean): Promise<void> {
    const { backend } = this.#edge;
    while (backend.now() < this.#until) {
      const page = await this.next();
      if (page.events.length > 0) {
        this.#silentSince = backend.now();
        return controller.enqueue(encoder.encode(shown(page)));
      }
      if (!follow) break;
      await sleep(LIMITS.followPauseMs);
      if (backend.now() - this.#silentSince < LIMITS.heartbeatMs) continue;
      this.#silentSince = backend.now();
      // A comment: whoever is between may close what is silent.
      return controller.enqueue(encoder.encode(":\n\n"));
    }
    controller.close();
  }
}

/** Ids are numbers of events: a reader that comes back says the last one that it has. */
function shown({ first, events }: Page): string {
  return events.map((event, at) => `id: ${first + at}\ndata: ${event}\n\n`).join("");
}
